"""Images that a net with strides sees at other places from step to step."""

import dataclasses
from typing import Annotated, Any, NamedTuple

import numpy as np
import tensorflow as tf

from tfgen import energies
from tfgen.errors import AtLeastOne
from tfgen.samplers.base import Info, Wrapper
from tfgen.types import EnergyFn, Hole, Seed


class State(NamedTuple):
    """The batch, the kernel's own state, and the steps taken."""

    x: tf.Tensor
    inner: Any
    count: tf.Tensor


@dataclasses.dataclass(frozen=True)
class Shifted(Wrapper):
    """A kernel under an energy whose grid of strides lies elsewhere at every step.

    The input gradient of a convolution of stride s treats a pixel by its place modulo s, and leaves
    a lattice of period s in images. Steps that take all s² places in turn leave none.

    Args:
        kernel: moves the batch; it must keep no energy or gradient from step to step.
        period: s, at least 1.
        fill: what surrounds images, a number for all channels or one each.
        hole: if given, known pixels stay as they are.
    """

    period: Annotated[int, AtLeastOne]
    fill: tuple[float, ...] = (0.0,)
    hole: Hole | None = None

    def init(self, energy: EnergyFn, x: tf.Tensor) -> State:
        inner = self.kernel.init(energy, x)
        return State(inner.x, inner, tf.constant(0))

    def step(self, energy: EnergyFn, state: State, seed: Seed) -> tuple[State, Info]:
        moved = energies.shifted(energy, state.count, self.period, np.array(self.fill, np.float32))
        if self.hole is not None:
            moved = energies.clamped(moved, self.hole.image, self.hole.mask)
        inner, info = self.kernel.step(moved, state.inner, seed)
        return State(inner.x, inner, state.count + 1), info

    @property
    def takes_given_noise(self) -> bool:
        return self.kernel.takes_given_noise
