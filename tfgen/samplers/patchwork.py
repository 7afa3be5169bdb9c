"""Images of any size moved by an energy of their patches."""

import dataclasses
from typing import Any

import tensorflow as tf

from tfgen import energies, patches, random
from tfgen.samplers.base import Info, Kernel
from tfgen.types import EnergyFn, Image, Seed


@dataclasses.dataclass(frozen=True)
class Patchwork(Kernel):
    """A kernel's steps under an energy of patches, drawn anew at every step.

    Args:
        kernel: what moves; it must remember no energy or gradient of the last step.
        size: side of a patch.
        number: patches of an image at a step, at least 1.
        beside: see `energies.patchwork`.

    Source: INNg, section 3.5.
    """

    kernel: Kernel
    size: int
    number: int
    beside: Image | None = None

    def init(self, energy: EnergyFn, x: tf.Tensor) -> Any:
        return self.kernel.init(energy, x)

    def step(self, energy: EnergyFn, state: Any, seed: Seed) -> tuple[Any, Info]:
        places_seed, own = random.split(seed)
        count, height, width, _ = tf.unstack(tf.shape(state.x))
        which = tf.repeat(tf.range(count), self.number)
        at = patches.places(which, height, width, self.size, places_seed)
        return self.kernel.step(energies.patchwork(energy, at, self.size, self.beside), state, own)

    def finished(self, state: Any) -> tf.Tensor:
        return self.kernel.finished(state)
