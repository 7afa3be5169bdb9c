"""The nouns every module shares: tensors with their shapes, and the functions between them."""

from collections.abc import Callable
from typing import NamedTuple, NotRequired, TypedDict

import tensorflow as tf
from jaxtyping import Float, Int

Image = Float[tf.Tensor, "b h w c"]
"""Images in [-1, 1]."""

Mask = Float[tf.Tensor, "b h w 1"]
"""1 where a pixel is known, 0 where it is missing."""

Energy = Float[tf.Tensor, "b"]
"""Nats, one per example; low is likely: p(x) ∝ exp(-U(x))."""

Label = Int[tf.Tensor, "b"]
Seed = Int[tf.Tensor, "2"]
"""A stateless seed; `tfgen.random` derives others from it."""

EnergyFn = Callable[[tf.Tensor], Energy]
"""A batch [b, ...] to its energies [b]."""


class Batch(TypedDict):
    """What a data pipeline yields at each step."""

    image: Image
    index: Int[tf.Tensor, "b"]
    label: NotRequired[Label]


class Endpoint(NamedTuple):
    """A function that export may publish, with its named inputs in order."""

    fn: Callable[..., dict[str, tf.Tensor]]
    signature: list[tf.TensorSpec]
