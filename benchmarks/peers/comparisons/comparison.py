"""The base of every comparison: the same work, done by a process of each library."""

import abc
from collections.abc import Mapping, Sequence
from typing import ClassVar

from benchmarks.peers.workload import Workload


def by_torch(module: str) -> dict[str, list[str]]:
    """Returns the contenders that run a module of PyTorch, plain and in its faster ways."""
    return {
        "PyTorch": [module],
        "PyTorch, channels last": [module, "--channels_last"],
        "PyTorch, compiled": [module, "--compiled"],
    }


class Comparison(abc.ABC):
    """One work for several libraries. Subclasses are frozen dataclasses of its sizes.

    Attributes:
        unit: what a timed run does one or several of.
        times: how many of them.
        contenders: the module of `benchmarks.peers.contenders` and its options that each library
            runs, tfgen among them.
        tolerance: of the contenders' answers, root mean square relative to tfgen's. Sums in float32
            differ by their order, and so a ReLU may fall to the other side here and there.
    """

    unit: ClassVar[str] = "step"
    times: int = 1
    contenders: ClassVar[Mapping[str, Sequence[str]]]
    tolerance: ClassVar[float] = 1e-4

    @property
    @abc.abstractmethod
    def title(self) -> str:
        """The heading in the report."""

    @abc.abstractmethod
    def work(self) -> tuple[Workload, float]:
        """Returns what all contenders are given, and the operations of a timed run.

        They are floating-point operations of direct convolutions, whatever is computed.
        """
