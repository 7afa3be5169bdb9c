"""What users state about pictures and arrays that do not say it themselves."""

import dataclasses
from typing import Annotated

from tfgen.errors import OneOf, Range

BACKGROUNDS = {"white": 255, "grey": 128, "black": 0}
"""Levels of the backgrounds that transparent pictures can be laid on."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reading:
    """How pictures and arrays are read.

    Attributes:
        background: of transparent pictures; None refuses these.
        bit_depth: bits that samples of 16 bits really have; None: by what the file declares, else
            by the largest sample.
        value_range: the numbers that stand for black and white. None: 0 and 255 of uint8, -1 and 1
            of floats.
        size: height and width that pictures are cropped and resized to afterwards. A large JPEG is
            then decoded at a fraction of its size, at least twice this one. None: in full.
    """

    background: Annotated[str | None, OneOf(*BACKGROUNDS)] = None
    bit_depth: Annotated[int | None, Range(least=1, most=16)] = None
    value_range: tuple[float, float] | None = None
    size: tuple[int, int] | None = None

    def or_else(self, other: "Reading") -> "Reading":
        """Returns what this states, and what another states where this has None."""
        own = {name: value for name, value in vars(self).items() if value is not None}
        return dataclasses.replace(other, **own)


PLAIN = Reading()
"""Nothing is stated."""
