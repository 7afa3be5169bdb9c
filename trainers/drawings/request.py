"""What is asked of a drawing, and how drawings ask a model."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import numpy as np
import tensorflow as tf

from tfgen import random
from tfgen.data import preprocess, reading, sources
from tfgen.data.reading import Reading
from tfgen.errors import AtLeastOne, Fraction, NotNegative, Seed, UserError
from tfgen.models import Endpoint
from tfgen.models.inputs import Input
from trainers.run import stated
from trainers.run.trained import Trained

Answer = dict[str, np.ndarray]
Ask = Callable[..., Answer]
"""A task of a model: takes inputs by keyword."""

SEVERAL = 16
"""Images that are drawn unless a number is given."""

MANY = 1000
"""Held-out images that distributions are drawn of."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked of a drawing; `trainers.sample` makes a flag of each field."""

    count: Annotated[int | None, AtLeastOne] = None
    """How many images; by default 16, and one where they may be large."""
    steps: Annotated[int | None, NotNegative] = None
    """Sampling steps; the model's own number by default."""
    seed: Annotated[int, Seed] = 0
    """Of all that is drawn."""
    label: Annotated[int | None, NotNegative] = None
    """The class, of a model that has classes; the held-out images' own, or each in turn, by
    default."""
    mask: str = "half:bottom"
    """What is hidden of images to complete: half:SIDE, salt_and_pepper:RATE, blocks:NUMBERxSIZE, a
    pattern of the divergence triangle's paper such as B20, or an image file; of clips also
    frames:FIRST-LAST or moving_block:SIZE."""
    image: str | None = None
    """An image file to work on, in place of held-out images."""
    spherical: bool = False
    """Interpolate along the great circle."""
    gamma: Annotated[float, Fraction] = 0.3
    """How near to --image a stylized picture stays."""
    classifiers: Annotated[int | None, AtLeastOne] = None
    """How many of a cascade's classifiers samples go through, from the first on; all by default."""
    length: Annotated[int | None, AtLeastOne] = None
    """Frames of clips to synthesize; by default twice as many as were trained on."""
    tile: bool = False
    """Synthesize a picture whose opposite borders fit together."""
    size: tuple[int, int] = (256, 256)
    """Height and width of what is synthesized or stylized, or of a texture that is completed or
    searched for defects."""
    stated: Reading = reading.PLAIN
    """What flags state about `image`; else what was stated of the training data holds."""


def able(trained: Trained, task: str) -> bool:
    """Says whether a model can be asked for a task."""
    return task in trained.model.capabilities()


def require(trained: Trained, *tasks: str) -> None:
    """Raises UserError unless a model can be asked for all of some tasks."""
    for task in tasks:
        if not able(trained, task):
            found = ", ".join(sorted(trained.model.capabilities()))
            raise UserError(
                f"--task: expected a model with the task {task} and found one with {found}"
            )


def ask(trained: Trained, request: Request, task: str) -> Ask:
    """Returns a task of a model as a function of the inputs that the request does not hold.

    Args:
        trained: the run.
        request: gives the seed and the number of steps.
        task: of the model.

    Raises:
        UserError: if the model has no such task, or it takes no steps and the request has some.
    """
    require(trained, task)
    endpoint = trained.model.endpoint(task)
    if request.steps is not None and "num_steps" not in endpoint.input_names:
        raise UserError(
            f"--steps: expected none, since this model's {task} takes no sampling steps"
        )
    if request.classifiers is not None:
        _check_classifiers(endpoint, request.classifiers)
    usual = {
        "seed": random.root(request.seed),
        "num_steps": request.steps,
        "classifiers": request.classifiers,
    }
    traced = endpoint.traced()

    def answer(**given: Any) -> Answer:
        return {name: value.numpy() for name, value in traced(**usual | given).items()}

    return answer


def _check_classifiers(endpoint: Endpoint, number: int) -> None:
    """Raises UserError unless a task goes through classifiers, of which there are so many."""
    known = {known.name: known for known in endpoint.inputs}
    if "classifiers" not in known:
        raise UserError(
            f"--classifiers: expected none, since this model's {endpoint.name} goes through none"
        )
    check(known, "classifiers", number)


def check(known: Mapping[str, Input], name: str, value: Any) -> None:
    """Raises UserError unless a model's input of this name admits a flag's value.

    Args:
        known: the model's inputs.
        name: of the input, and of the flag.
        value: the flag's.
    """
    condition = known[name].check
    if condition is not None and not np.all(condition.test(tf.constant(value))):
        found = ",".join(map(str, np.ravel(value)))
        raise UserError(f"--{name}: expected {condition.words} and found {found}")


def with_labels(
    trained: Trained, request: Request, count: int, known: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Returns the classes of a batch, by the name of the input; nothing where there are none.

    Args:
        trained: the run.
        request: may ask for one class.
        count: of the batch.
        known: the images' own classes, [n]; None stands for each class in turn.

    Raises:
        UserError: if the asked class is none of the model's.
    """
    inputs = trained.model.inputs()
    if "label" not in inputs:
        if request.label is not None:
            raise UserError("--label: expected none, since this model has no classes")
        return {}
    if request.label is not None:
        check(inputs, "label", request.label)
        return {"label": np.full(count, request.label)}
    if known is None:
        return {"label": np.arange(count) % trained.model.num_classes}
    return {"label": known[:count]}


def held_out(trained: Trained, request: Request, count: int | None = None) -> dict[str, np.ndarray]:
    """Returns images to work on, with their classes, by the names of the model's inputs.

    Args:
        trained: the run.
        request: may name an image file, which takes the place of held-out images.
        count: images, at most; None takes the request's number.

    Raises:
        UserError: if held-out images are smaller than the model's.
    """
    *sides, _ = trained.model.image_shape
    if request.image is not None:
        if len(sides) > 2:
            raise UserError("--image: expected none, since this model is of clips")
        image = picture(request.image, trained, request, (sides[0], sides[1]))
        return {"image": image, **with_labels(trained, request, 1)}
    test = trained.images.test
    image = test.shown(count or request.count or SEVERAL)
    if list(image.shape[1:-1]) != sides:
        least = "x".join(map(str, sides))
        raise UserError(
            f"--workdir: expected held-out images of at least {least}; give one by --image"
        )
    return {"image": image, **with_labels(trained, request, len(image), test.label)}


def images_for(task: str, trained: Trained, request: Request) -> dict[str, np.ndarray]:
    """Returns images for a task, with their classes, by the names of its inputs.

    Args:
        task: of the model, which can do it. Where it takes images of any size, held-out images are
            shown whole, and a file's is given the asked size.
        trained: the run.
        request: may name an image file.

    Raises:
        UserError: if the images are too small for the model.
    """
    image = trained.model.inputs_of(task)["image"]
    if None not in image.shape:
        return held_out(trained, request)
    if request.image is None:
        found = preprocess.to_unit(trained.images.test.image[: request.count or SEVERAL])
    else:
        found = picture(request.image, trained, request, request.size)
    if min(found.shape[1:3]) < image.least_side:
        sides = ",".join(map(str, found.shape[1:3]))
        raise UserError(
            f"--size: expected at least {image.least_side} pixels a side and found {sides}"
        )
    return {"image": found}


def picture(path: str, trained: Trained, request: Request, size: tuple[int, int]) -> np.ndarray:
    """Reads an image file, cropped and resized.

    Args:
        path: of the file.
        trained: the run, whose channels the image gets.
        request: has what the user states about the file.
        size: height, width.

    Returns:
        [1, h, w, c] in [-1, 1].

    Raises:
        UserError: if it is no image.
    """
    known = request.stated.or_else(stated.reading(trained.values))
    found = sources.read_image(path, dataclasses.replace(known, size=size))
    prepared = preprocess.prepare(found, size, trained.model.image_shape[-1])
    return preprocess.to_unit(prepared)[np.newaxis]


def row_seeds(seed: random.Seed, count: int) -> tf.Tensor:
    """Returns a seed for each image of a batch, int32 [count, 2], as exported models are asked.

    An answer then depends on its image and its number, not on the other images of the batch.
    """
    return tf.stack([random.fold_in(seed, number) for number in range(count)])
