"""Trainings that tfgen and PyTorch both run to a quality, a file each."""

from benchmarks.races.convnet_brick import ConvNetBrick
from benchmarks.races.introspective_pebbles import IntrospectivePebbles
from benchmarks.races.race import Race, Ruler
from benchmarks.races.triangle_digits import TriangleDigits

ALL: dict[str, Race] = {
    "brick": ConvNetBrick(),
    "digits": TriangleDigits(),
    "pebbles": IntrospectivePebbles(),
}
"""By the names of `--workloads`."""

__all__ = ["ALL", "ConvNetBrick", "IntrospectivePebbles", "Race", "Ruler", "TriangleDigits"]
