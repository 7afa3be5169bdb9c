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

Latent = Float[tf.Tensor, "b ..."]
"""Latent vectors [b, d], or maps of them [b, h', w', d]; N(0, 1) before anything is seen."""

Label = Int[tf.Tensor, "b"]
Seed = Int[tf.Tensor, "... 2"]
"""A stateless seed [2], or several [s, 2], one for each share of a batch; `tfgen.random` derives others from it."""

EnergyFn = Callable[[tf.Tensor], Energy]
"""A batch [b, ...] to its energies [b]."""


class Batch(TypedDict):
    """What a data pipeline yields at each step."""

    image: Image
    index: Int[tf.Tensor, "b"]
    label: NotRequired[Label]
    mask: NotRequired[Mask]
    """Of incomplete images: their missing pixels are zeros."""


class Places(NamedTuple):
    """Where patches lie: the image that each is cut from, and its first row and column there; int32 [n] each."""

    which: Int[tf.Tensor, "n"]
    top: Int[tf.Tensor, "n"]
    left: Int[tf.Tensor, "n"]


class Endpoint(NamedTuple):
    """A function that export may publish, with its named inputs in order."""

    fn: Callable[..., dict[str, tf.Tensor]]
    signature: list[tf.TensorSpec]

    @property
    def inputs(self) -> list[str]:
        """The names of what it takes."""
        return [spec.name for spec in self.signature]

    def traced(self) -> Callable[..., dict[str, tf.Tensor]]:
        """As a graph that is given tensors by name, and takes those that it wants."""
        graph = tf.function(self.fn, autograph=False)
        return lambda **given: graph(*(given[name] for name in self.inputs))
