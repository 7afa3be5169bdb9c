"""Pictures of a model's answers, as the client draws them.

One rule draws most tasks: the images, the images under their masks, and the answer below. A task
with another picture has a function in `DRAWINGS`.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from export.clients import image_inputs, request
from export.clients.exported import Exported
from export.saved_model.description import EndpointDescription, Entry
from tfgen import random
from trainers.drawings import pictures

COMPLETIONS = 3
"""Number of completions that are drawn below their mean and spread."""


@dataclasses.dataclass(frozen=True)
class Question:
    """A user's request to a model, before it is split into rows.

    Attributes:
        model: to ask.
        endpoint: to ask it for.
        given: values of inputs by name.
        pictures: images and masks by name of the input, [n, ...].
        count: rows, where there are no pictures.
        seed: of all that is drawn.
    """

    model: Exported
    endpoint: EndpointDescription
    given: Mapping[str, Any]
    pictures: Mapping[str, np.ndarray]
    count: int
    seed: int

    def ask(
        self, name: str | None = None, seed: random.Seed | None = None, **others: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Returns the model's answer, by name of the output.

        Args:
            name: another endpoint; it takes those of the values that are inputs of it.
            seed: in the place of the question's.
            others: values by input, in the place of the question's.
        """
        endpoint = self.endpoint if name is None else self.model.endpoint(name)
        values = {**self.given, **self.pictures, **others}
        root = random.root(self.seed) if seed is None else seed
        rows = request.rows(endpoint, values, count=self.count, root=root)
        return self.model.ask(endpoint.name, rows)

    @property
    def images(self) -> list[np.ndarray]:
        """The images that the model is given, one batch for each input."""
        return [self.pictures[name] for name in image_inputs.images(self.endpoint)]


def has_picture(endpoint: EndpointDescription) -> bool:
    """Tells whether an endpoint's answers can be drawn."""
    return endpoint.name in DRAWINGS or any(
        _is_image(entry) or _is_map(entry, endpoint) for entry in endpoint.outputs.values()
    )


def has_film(endpoint: EndpointDescription) -> bool:
    """Tells whether an endpoint answers in clips."""
    return any(entry.encoding == "clip" for entry in endpoint.outputs.values())


def draw(question: Question) -> np.ndarray:
    """Returns the picture of an answer, uint8 [h, w, c], or the film, [t, h, w, c].

    Args:
        question: of an endpoint that has one; see `has_picture`.
    """
    drawing = DRAWINGS.get(question.endpoint.name)
    return _sheet(_rows(question)) if drawing is None else drawing(question)


def _rows(question: Question) -> list[np.ndarray]:
    """Returns the batches to draw below each other: the given images, then the answers."""
    shown = list(question.images)
    for name in image_inputs.masks(question.endpoint):
        shown += [question.pictures[name] * image for image in question.images]
    answer = question.ask()
    for name, entry in question.endpoint.outputs.items():
        if _is_image(entry):
            shown.append(answer[name])
        elif _is_map(entry, question.endpoint):
            shown.append(pictures.heatmap(answer[name], question.images[0].shape))
    return shown


def _sheet(rows: list[np.ndarray]) -> np.ndarray:
    """Draws batches below each other."""
    # a grid has one size of image: other sizes than the answer's are left out
    alike = [row for row in rows if row.shape == rows[-1].shape]
    if len(alike) == 1:
        return pictures.sheet(alike[0])
    return pictures.grid(np.concatenate(alike), columns=len(alike[0]))


def _is_image(entry: Entry) -> bool:
    return entry.encoding in image_inputs.IMAGES


def _is_map(entry: Entry, endpoint: EndpointDescription) -> bool:
    """Tells whether an output has one number for each pixel of the given images."""
    given = [endpoint.inputs[name].shape for name in image_inputs.images(endpoint)]
    return bool(given) and entry.shape == (*given[0][:-1], 1)


def _uncertainty(question: Question) -> np.ndarray:
    """Draws the mean and spread of completions, and some of these."""
    root = random.root(question.seed)
    seeds = [random.fold_in(root, number) for number in range(COMPLETIONS)]
    return _sheet(_rows(question) + [question.ask("complete", seed)["image"] for seed in seeds])


def _interpolate(question: Question) -> np.ndarray:
    """Draws a row for each two images: the one, images on the way, the other."""
    # back to the order in which the images were given: first, second, first, second
    pairs = np.stack(question.images, axis=1)
    between = pairs.reshape(-1, *pairs.shape[2:])
    return pictures.interpolations(lambda **way: question.ask(**way)["image"], between)


DRAWINGS: dict[str, Callable[[Question], np.ndarray]] = {
    "interpolate": _interpolate,
    "uncertainty": _uncertainty,
}
"""The tasks that the rule does not draw."""
