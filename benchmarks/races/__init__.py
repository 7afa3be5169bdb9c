"""Trainings that tfgen and PyTorch both run to a quality, one in each module."""

from benchmarks.races.brick import ConvNetBrick
from benchmarks.races.digits import TriangleDigits
from benchmarks.races.pebbles import IntrospectivePebbles
from benchmarks.races.race import Race, Ruler

ALL: dict[str, Race] = {
    "brick": ConvNetBrick(),
    "digits": TriangleDigits(),
    "pebbles": IntrospectivePebbles(),
}
"""By the names of `--workloads`."""

__all__ = ["ALL", "ConvNetBrick", "IntrospectivePebbles", "Race", "Ruler", "TriangleDigits"]
