"""Limits on the size of a request, which the graph of an export enforces.

A server for strangers has no setting that bounds what one request costs; only the graph can.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from tfgen.errors import UserError
from tfgen.models import Model
from tfgen.models.conditions import Check, at_least, at_most
from tfgen.models.inputs import Input

TIMES = 4
"""A request may ask for so many times the model's own steps and sides, by default."""

OPTIONAL_STEPS = 1000
"""Steps that a request may ask for, by default, of a model that takes none of its own."""


@dataclasses.dataclass(frozen=True)
class Limits:
    """The largest request that an export answers.

    Attributes:
        steps: sampling steps.
        count: images, or draws of each image.
        side: pixels a side of an image.
        rows: rows of one request.
    """

    steps: int = TIMES
    count: int = 64
    side: int = TIMES
    rows: int = 256


def of(model: Model, given: Mapping[str, int | None] | None = None) -> Limits:
    """Returns the limits of a model's export.

    Args:
        model: trained.
        given: limits by name, in the place of the defaults: four times the model's own number of
            steps (1000 where that is 0) and the longest side of its images, 64 images or draws,
            256 rows.

    Raises:
        UserError: if a request with the model's own defaults would be refused.
    """
    known = list(model.inputs().values())
    least = {"rows": 1} | {name: _own(name, known) for name in ("steps", "count", "side")}
    least["side"] = max(least["side"], *model.image_shape[:2])
    # the example of a request takes a step where the model's own number is 0
    own = max(model.sampling.steps, model.sampling.learning_steps) if model.sampling else 0
    own = max([own, *(found.default for found in known if found.limited == "steps")])
    default = {
        "steps": TIMES * max(least["steps"], own) if own else OPTIONAL_STEPS,
        "count": max(Limits.count, least["count"]),
        "side": TIMES * least["side"],
        "rows": Limits.rows,
    }
    chosen = default | {name: most for name, most in (given or {}).items() if most is not None}
    for name, most in chosen.items():
        if most < least[name]:
            raise UserError(
                f"--most_{name}: expected at least {least[name]}, which the model takes by "
                f"default, and found {most}"
            )
    return Limits(**chosen)


def names() -> list[str]:
    """Returns the names of the limits."""
    return [field.name for field in dataclasses.fields(Limits)]


def on_numbers(known: Input, limits: Limits) -> list[Check]:
    """Returns the limits on the numbers of an input."""
    if known.limited is None:
        return []
    most = dataclasses.asdict(limits)[known.limited]
    return [at_most(most, f"at most {most} {known.unit}".rstrip())]


def on_sides(known: Input, limits: Limits) -> list[Check]:
    """Returns the limits on the free sides of an input."""
    if None not in known.shape:
        return []
    return [
        at_least(known.least_side, f"at least {known.least_side} pixels a side"),
        at_most(limits.side, f"at most {limits.side} pixels a side"),
    ]


def on_rows(limits: Limits) -> list[Check]:
    """Returns the limits on the number of rows of a request."""
    return [at_least(1, "at least 1 row"), at_most(limits.rows, f"at most {limits.rows} rows")]


def _own(name: str, known: Iterable[Input]) -> int:
    """Returns the largest number that a request without any wish asks for."""
    return max((0, *(number for found in known for number in _numbers(name, found))))


def _numbers(name: str, known: Input) -> Iterator[int]:
    if known.limited == name:
        for value in (known.default, known.example):
            yield 0 if value is None else int(np.max(value))
    if name == "side" and None in known.shape:
        yield max(np.shape(known.example)[:-1])
