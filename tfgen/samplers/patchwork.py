"""Images of any size, moved by an energy of their patches."""

import dataclasses
from typing import Annotated, Any

import tensorflow as tf

from tfgen import energies, patches, random
from tfgen.errors import AtLeastOne
from tfgen.samplers.base import Info, Wrapper
from tfgen.types import EnergyFn, Hole, Image, Integer, Places, Seed


@dataclasses.dataclass(frozen=True)
class Patchwork(Wrapper):
    """A kernel under an energy of patches, which are drawn anew at every step.

    Args:
        kernel: moves the batch; it must keep no energy or gradient from step to step.
        size: side of a patch in pixels, at least 1.
        number: patches of each image at a step, at least 1.
        beside: images cut at the same places and given to the energy too: see `energies.patchwork`.
        hole: if given, known pixels stay as they are, and patches are drawn that have missing ones.
        wrap: whether patches reach over the border to the other side.

    Source: INNg, section 3.5.
    """

    size: Annotated[int, AtLeastOne]
    number: Annotated[Integer, AtLeastOne]
    beside: Image | None = None
    hole: Hole | None = None
    wrap: tf.Tensor | bool = False

    def init(self, energy: EnergyFn, x: tf.Tensor) -> Any:
        return self.kernel.init(energy, x)

    def step(self, energy: EnergyFn, state: Any, seed: Seed) -> tuple[Any, Info]:
        places_seed, own = random.split(seed)
        at = self._places(state.x, places_seed)
        patch_energy = energies.patchwork(energy, at, self.size, self.beside)
        if self.hole is not None:
            patch_energy = energies.clamped(patch_energy, self.hole.image, self.hole.mask)
        return self.kernel.step(patch_energy, state, own)

    def _places(self, x: Image, seed: Seed) -> Places:
        """Draws as many places of each image."""
        count, height, width, _ = tf.unstack(tf.shape(x))
        which = tf.repeat(tf.range(count), self.number)
        if self.hole is not None:
            return patches.places_over(1 - self.hole.mask, which, self.size, seed)
        return patches.places(which, height, width, self.size, seed, self.wrap)

    def finished(self, state: Any) -> tf.Tensor:
        # the state is the kernel's own, as it is
        return self.kernel.finished(state)
