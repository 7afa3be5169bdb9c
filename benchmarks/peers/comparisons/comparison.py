"""What is compared between libraries: the same work, done by a process of each."""

import abc
from collections.abc import Mapping, Sequence
from typing import ClassVar

import keras
import numpy as np

from benchmarks.peers.contenders import tfgen_nets
from benchmarks.peers.workload import Workload
from tfgen import random

OURS = "tfgen"
"""The contender that the others are measured by."""


class Comparison(abc.ABC):
    """One work for several libraries. Subclasses are frozen dataclasses of its sizes.

    Attributes:
        title: what it is called in the report.
        unit: what a timed run does one or several of.
        times: how many of them.
        contenders: the module of `benchmarks.peers` and its options that each library runs, `OURS` among them.
        tolerance: of what contenders answer, root mean square relative to ours: float32 sums in another order, by which
            here and there a ReLU falls to the other side.
    """

    title: str
    unit: ClassVar[str] = "step"
    times: int = 1
    contenders: ClassVar[Mapping[str, Sequence[str]]]
    tolerance: ClassVar[float] = 1e-4

    @abc.abstractmethod
    def work(self) -> tuple[Workload, float | None]:
        """What all contenders are given, and the floating-point operations of a timed run, if they are counted.

        They are those of direct convolutions, whatever is computed.
        """


def drawn(net: keras.Model, scale: float | None = None, number: int = 0) -> keras.Model:
    """The net, with weights that do not depend on chance.

    Args:
        net: any of tfgen's.
        scale: standard deviation of the kernels; None takes He's, which lets signals through.
        number: other weights for another number.
    """
    for place, (conv, norm, _) in enumerate(tfgen_nets.parts(net)):
        seeds = random.split(random.fold_in(random.root(number), place), 4)
        shape = conv.kernel.shape
        deviation = scale or (2 * conv.filters / np.prod(shape)) ** 0.5
        conv.kernel.assign(deviation * random.normal(shape, seeds[0]))
        if conv.use_bias:
            conv.bias.assign(0.1 * random.normal(conv.bias.shape, seeds[1]))
        if norm is not None:
            norm.gamma.assign(1 + 0.02 * random.normal(norm.gamma.shape, seeds[2]))
            norm.moving_mean.assign(0.1 * random.normal(norm.gamma.shape, seeds[3]))
    return net
