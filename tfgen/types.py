"""The nouns that every module shares: tensors with their shapes, and the functions between them.

The shapes are checked at run time in the tests: see `tests/conftest.py`.
"""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple, NotRequired, TypeAlias, TypedDict

import numpy as np
import tensorflow as tf
from jaxtyping import Float, Int

Image = Float[tf.Tensor, "b *size c"]
"""Images [b, h, w, c] or videos [b, t, h, w, c], in [-1, 1]."""

Mask = Float[tf.Tensor, "#b *size 1"]
"""1 where a pixel is known, 0 where it is missing; of each image, or one mask for all."""

Energy = Float[tf.Tensor, "b"]
"""Nats, one per example; low is likely: p(x) ∝ exp(-U(x))."""

Loss = Float[tf.Tensor, ""]
"""A scalar in nats per example: summed over dimensions, averaged over the batch."""

Latent = Float[tf.Tensor, "b ..."]
"""Latent vectors [b, d], or maps of them [b, h', w', d]; N(0, 1) before anything is seen."""

Label = Int[tf.Tensor, "b"]
"""The class of each example, from 0."""


@dataclasses.dataclass(frozen=True)
class Noise:
    """Standard normal numbers in the place of a seed, where the caller gives them.

    `random.fold_in(noise, i)` is the i-th of its values, `random.split(noise)` the first and the
    rest, and `random.normal(shape, noise)` the values themselves.

    Args:
        values: [draws, ...].
    """

    values: tf.Tensor


Seed = Int[tf.Tensor, "... 2"] | Noise
"""A stateless seed [2], or several [s, 2], one for each share of a batch; see `tfgen.random`."""

Integer: TypeAlias = int | np.integer | tf.Tensor | tf.Variable
"""A whole number, which may be known only when a graph runs."""

Array: TypeAlias = np.ndarray | tf.Tensor | tf.Variable
"""Numbers that a user may hand over; TensorFlow converts them."""

PerChannel: TypeAlias = float | np.floating | np.ndarray | tf.Tensor | tf.Variable
"""A number, or one for each channel, [c]."""

EnergyFn = Callable[[tf.Tensor], Energy]
"""A batch [b, ...] to its energies [b]."""


class Batch(TypedDict):
    """What a data pipeline yields at each step."""

    image: Image
    index: Int[tf.Tensor, "b"]
    """The number of each example in its data set."""
    label: NotRequired[Label]
    mask: NotRequired[Mask]
    """Of incomplete images: their missing pixels are zeros."""


class Places(NamedTuple):
    """The places of n patches, int32 [n] each."""

    which: Int[tf.Tensor, "n"]
    """The image that a patch is cut from."""
    top: Int[tf.Tensor, "n"]
    """Its first row there."""
    left: Int[tf.Tensor, "n"]
    """Its first column there."""


class Hole(NamedTuple):
    """Images with missing pixels."""

    image: Image
    """What is known of them, [b, h, w, c]; 0 elsewhere."""
    mask: Mask
    """1 where a pixel is known, [b, h, w, 1]."""
