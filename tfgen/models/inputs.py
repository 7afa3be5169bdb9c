"""Inputs of endpoints: what a model can be given, each declared once.

The graph's checks, the row-wise form for servers, LiteRT files, warm-up requests, the client's
flags, the model card and the page all read these declarations.
"""

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from tfgen.models.conditions import Check, at_least, between


@dataclasses.dataclass(frozen=True)
class Input:
    """One named input of an endpoint.

    Args:
        name: the parameter of the model's method, and the name in every export.
        shape: of one example, without the batch axis; None for a free side.
        dtype: of its numbers.
        meaning: a phrase for help texts, cards and pages.
        batched: whether the method takes a batch, [b, *shape]; otherwise one value for all.
        per_row: whether the rows of one served request may differ in it. A seed and a number of
            steps may, although the method takes one value for all.
        check: a condition on the numbers, beside being finite.
        request_check: a further condition on what is sent to an export. The library itself takes
            more, such as images that noise has moved.
        limited: which of the limits of an export bounds the numbers: `steps`, `count` or `side`;
            None where none does. A free side is always bounded.
        least_side: the smallest side that is free.
        default: the value where none is given; None: it must be given.
        unit: of the numbers, in the plural; empty where they are counted or have none.
        example: a value of one example, for warm-up requests, timings and documentation.
        encoding: what it shows: `image` or `mask`, which a PNG file can hold, `clip` or
            `clip_mask`, or None where it is no picture.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: tf.DType
    meaning: str
    batched: bool = True
    per_row: bool = True
    check: Check | None = None
    request_check: Check | None = None
    limited: str | None = None
    least_side: int = 1
    default: Any = None
    example: Any = None
    unit: str = ""
    encoding: str | None = None

    @property
    def spec(self) -> tf.TensorSpec:
        """The specification of what the method takes."""
        return self.row_spec if self.batched else tf.TensorSpec(self.shape, self.dtype, self.name)

    @property
    def row_spec(self) -> tf.TensorSpec:
        """The specification of a served request, with one row for each example."""
        return tf.TensorSpec((None, *self.shape), self.dtype, self.name)

    @property
    def single_spec(self) -> tf.TensorSpec:
        """The specification of a LiteRT file, which takes one example."""
        shape = (1, *self.shape) if self.batched else self.shape
        return tf.TensorSpec(shape, self.dtype, self.name)

    def row_of(self, number: int) -> np.ndarray:
        """Returns an example for row `number` of a request, of `shape`."""
        # rows with one seed would all show the same answer
        value = [0, number] if self.name == "seed" else self.example
        return np.asarray(value, self.dtype.as_numpy_dtype)


SLACK = 0.01
"""How far beyond -1 and 1 the pixels of a request may lie, for rounding."""

NOT_NEGATIVE = at_least(0, "numbers that are not negative")
POSITIVE = at_least(1, "positive numbers")  # of whole numbers
FRACTION = between(0, 1, "numbers from 0 to 1")
PIXELS = between(-1 - SLACK, 1 + SLACK, "numbers in [-1, 1]")
KNOWN_OR_MISSING = Check(
    "0 where a pixel is missing and 1 where it is known", lambda x: (x == 0) | (x == 1), 0, 1
)


def image(
    shape: tuple[Any, ...],
    name: str = "image",
    meaning: str = "images in [-1, 1]",
    example_sides: tuple[int, ...] | None = None,
    least_side: int = 1,
) -> Input:
    """Declares a batch of images.

    Args:
        shape: height, width, channels; before these, frames of clips; sides may be None.
        name: of the input.
        meaning: see `Input`.
        example_sides: height and width of the example where sides are free.
        least_side: the smallest of the sides that are free.
    """
    *sides, channels = shape
    if example_sides is not None:
        sides = list(example_sides)
    ramp = np.linspace(-1, 1, sides[-1], dtype=np.float32)[:, np.newaxis]
    # an interpolation between two equal images would show nothing
    if name == "second":
        ramp = -ramp
    example = np.broadcast_to(ramp, (*sides, channels))
    return Input(
        name,
        tuple(shape),
        tf.float32,
        meaning,
        request_check=PIXELS,
        least_side=least_side,
        example=example,
        encoding="image" if len(sides) == 2 else "clip",
    )


def mask(image_shape: tuple[Any, ...], example_sides: tuple[int, int] | None = None) -> Input:
    """Declares the masks of images of a shape; see `image` for sides that are free."""
    *sides, _ = image_shape
    shown = example_sides or sides
    left = np.arange(shown[-1]) < (shown[-1] + 1) // 2
    return Input(
        "mask",
        (*sides, 1),
        tf.float32,
        "1 where a pixel is known, 0 where it is missing",
        check=KNOWN_OR_MISSING,
        example=np.broadcast_to(left[:, np.newaxis], (*shown, 1)),
        encoding="mask" if len(sides) == 2 else "clip_mask",
    )


def latent(shape: tuple[int, ...]) -> Input:
    """Declares latent vectors, or maps of them."""
    return Input(
        "latent", tuple(shape), tf.float32, "latents, drawn from N(0, 1)", example=np.zeros(shape)
    )


def label(num_classes: int) -> Input:
    """Declares the classes of examples."""
    check = between(0, num_classes - 1, f"classes from 0 to {num_classes - 1}")
    meaning = f"each example's class, from 0 to {num_classes - 1}"
    return Input("label", (), tf.int32, meaning, check=check, example=0)


def position() -> Input:
    """Declares where between two images to interpolate."""
    meaning = "0 at the first image, 1 at the second"
    return Input("position", (), tf.float32, meaning, check=FRACTION, example=0.5)


def seed() -> Input:
    """Declares the seed of all that an answer draws."""
    return Input(
        "seed",
        (2,),
        tf.int32,
        "the seed of all that is drawn; equal seeds give equal answers",
        batched=False,
        default=(0, 0),
        example=(0, 0),
    )


def num_steps(default: int) -> Input:
    """Declares a number of sampling steps, which is the model's own by default."""
    return Input(
        "num_steps",
        (),
        tf.int32,
        f"sampling steps; this model's own number is {default}",
        batched=False,
        check=NOT_NEGATIVE,
        limited="steps",
        default=default,
        example=1,
    )


def _shared(name: str, shape: tuple, dtype: tf.DType, meaning: str, **options) -> Input:
    """Declares an input that is the same for all examples of a request."""
    return Input(name, shape, dtype, meaning, batched=False, per_row=False, **options)


def count() -> Input:
    """Declares how many images to make."""
    options = {"check": POSITIVE, "limited": "count", "default": 1, "example": 2}
    return _shared("count", (), tf.int32, "how many images", **options)


def draws(default: int = 20) -> Input:
    """Declares how many answers the mean and spread of one example are taken of."""
    meaning = "completions of each image, at least 2"
    check = at_least(2, "numbers of at least 2")
    options = {"check": check, "limited": "count", "default": default, "example": 2}
    return _shared("draws", (), tf.int32, meaning, **options)


SIDES = {
    1: "frames",
    2: "height and width in pixels",
    3: "frames, height and width in pixels",
}
"""What sides of a synthesized image or clip are, by their number."""


def size(default: tuple[int, ...], least: int = 1) -> Input:
    """Declares the height and width of what is synthesized, or frames and maybe these of clips.

    Args:
        default: where none is given; as many sides as are free, see `Net.free_sides`.
        least: the smallest side that the model's net takes.
    """
    unit = "frames" if len(default) == 1 else "pixels a side"
    check = at_least(least, f"at least {least} {unit}")
    options = {"check": check, "limited": "side", "unit": unit, "default": default}
    meaning = SIDES.get(len(default), SIDES[2])
    return _shared("size", (len(default),), tf.int32, meaning, example=default, **options)


def spherical() -> Input:
    """Declares whether an interpolation follows the great circle."""
    meaning = "whether to interpolate along the great circle, not the straight line"
    return _shared("spherical", (), tf.bool, meaning, default=False, example=False)


def tile() -> Input:
    """Declares whether copies of an image, side by side, are to have no seam."""
    meaning = "whether opposite borders fit together, so that copies can be tiled"
    return _shared("tile", (), tf.bool, meaning, default=False, example=True)


def gamma() -> Input:
    """Declares how near to its content a stylized image stays."""
    meaning = "how near to its content a stylized image stays, from 0 to 1"
    options = {"check": FRACTION, "default": 0.3, "example": 0.3}
    return _shared("gamma", (), tf.float32, meaning, **options)


def stage(num_stages: int) -> Input:
    """Declares the number of a classifier of a cascade.

    Args:
        num_stages: how many classifiers the cascade keeps.
    """
    last = max(num_stages - 1, 0)
    check = between(0, last, f"classifiers from 0 to {last}")
    meaning = f"the classifier's number, from 0 to {last}"
    return _shared("stage", (), tf.int32, meaning, check=check, example=0)


def classifiers(num_kept: int) -> Input:
    """Declares how many classifiers of a cascade, from the first on, a sample goes through.

    Args:
        num_kept: how many the cascade keeps.
    """
    least = min(1, num_kept)
    check = between(least, num_kept, f"from {least} to {num_kept} classifiers")
    meaning = f"how many of the classifiers a sample goes through; this model has {num_kept}"
    options = {"check": check, "default": num_kept, "example": num_kept}
    return _shared("classifiers", (), tf.int32, meaning, **options)


def index() -> Input:
    """Declares which of a fixed number of answers to give; served rows choose by it."""
    meaning = "which of the model's own images to give"
    return Input("index", (), tf.int32, meaning, check=NOT_NEGATIVE, example=0)


def noise(shape: tuple[int, ...], draws: int | None, meaning: str, name: str = "noise") -> Input:
    """Declares standard normal draws that are given in the place of a seed.

    Args:
        shape: of one draw.
        draws: how many; None for as many steps as draws are given.
        meaning: see `Input`.
        name: of the input.
    """
    shown = np.random.default_rng(0).standard_normal((draws or 3, *shape))  # 3: a short example
    return Input(
        name,
        (draws, *shape),
        tf.float32,
        meaning,
        batched=False,
        example=shown.astype(np.float32),
    )
