"""Levels of resolution: their sides and filters, and the way from images down to the smallest.

Nets of levels take or return images of the full size. With fewer levels in use, an energy and an
inference net see means of blocks of pixels, and a generator repeats its pixels: the squared error
of such an image is that of the smaller one, but for a constant.
"""

import itertools
from collections.abc import Sequence

import keras
import tensorflow as tf

from tfgen import portability
from tfgen.errors import UserError
from tfgen.nets.architectures.activations import leaky_relu
from tfgen.nets.architectures.roles import Net, Size
from tfgen.nets.convolution.layers import Conv

LEAST = 4
"""The least side of the smallest level's maps."""

MOST = 512
"""Filters of a level at most, before the factor of their width."""


def level_sides(image_shape: Size) -> list[tuple[int, int]]:
    """Returns the sides of each level's maps, from the smallest to the image's own.

    Args:
        image_shape: height, width, channels.
    """
    height, width = image_shape[:2]
    sides = [(height, width)]
    while all(side % 2 == 0 and side >= 2 * LEAST for side in sides[0]):
        sides.insert(0, (sides[0][0] // 2, sides[0][1] // 2))
    return sides


def level_filters(width: float, image_shape: Size) -> list[int]:
    """Returns the number of filters of each level, from the smallest.

    Args:
        width: factor on the numbers.
        image_shape: height, width, channels.

    Source: Karras et al., Progressive growing of GANs, 2018, Table 2.
    """
    # as many as 16 at a side of 1024
    counts = [min(MOST, 16 * 1024 // max(sides)) for sides in level_sides(image_shape)]
    return [round(count * width) for count in counts]


def check_levels(filters: Sequence[int], image_shape: Size) -> None:
    """Raises UserError unless there are filters for each level."""
    levels = len(level_sides(image_shape))
    if len(filters) != levels:
        raise UserError(
            f"image_size: expected images of {len(filters)} levels, one for each number of "
            f"filters, and found {levels}"
        )


def add_fade(net: Net) -> keras.Variable:
    """Adds the share of the newest level, which growth sets."""
    return net.add_weight(
        shape=(), initializer="ones", trainable=False, aggregation="only_first_replica", name="fade"
    )


class Descent(keras.layers.Layer):
    """From images down to the maps of the smallest level.

    Args:
        filters: of each level, from the smallest.
        image_shape: height, width, channels.
        kwargs: Keras's own: name, dtype, trainable.
    """

    def __init__(self, filters: Sequence[int], image_shape: Size, **kwargs):
        super().__init__(**kwargs)
        check_levels(filters, image_shape)
        self.sides = level_sides(image_shape)
        he = {"initializer_scale": None, "dtype": self.dtype_policy}  # None: He's scale
        self.from_image = [
            Conv(count, 1, name=f"from_image_{number}", **he)
            for number, count in enumerate(filters, start=1)
        ]
        # each level keeps its number of maps, then goes to that of the level below
        self.lower, self.upper = [], []
        for number, (below, count) in enumerate(itertools.pairwise(filters), start=2):
            self.upper.append(Conv(count, 3, 1, 1, name=f"upper_{number}", **he))
            self.lower.append(Conv(below, 3, 1, 1, name=f"lower_{number}", **he))
        self.last = Conv(filters[0], 3, 1, 1, name="last", **he)

    def build(self, input_shape):
        channels = input_shape[-1]
        for sides, conv in zip(self.sides, self.from_image, strict=True):
            conv.build((None, *sides, channels))
        for sides, upper, lower in zip(self.sides[1:], self.upper, self.lower, strict=True):
            upper.build((None, *sides, upper.filters))
            lower.build((None, *sides, upper.filters))
        self.last.build((None, *self.sides[0], self.last.filters))

    def call(self, x, *, depth, fade, training=False):
        for _ in range(len(self.sides) - depth):
            x = portability.halved(x)
        h = leaky_relu(self.from_image[depth - 1](x))
        for level in range(depth - 1, 0, -1):
            h = leaky_relu(self.upper[level - 1](h, training=training))
            h = portability.halved(leaky_relu(self.lower[level - 1](h, training=training)))
            if level == depth - 1:
                before = leaky_relu(self.from_image[level - 1](portability.halved(x)))
                h = mixed(fade, h, before)
        return leaky_relu(self.last(h, training=training))


def mixed(fade: keras.Variable, newest: tf.Tensor, before: tf.Tensor) -> tf.Tensor:
    """Returns the newest level's maps by their share, and those without it by the rest."""
    share = tf.cast(fade, newest.dtype)
    return share * newest + (1 - share) * before


class Progressive(Net):
    """The base of nets of several levels.

    Args:
        filters: of each level, from the smallest.
        depth: levels in use; None: all.
    """

    filters: list[int]

    @property
    def max_depth(self) -> int:
        return len(self.filters)

    def get_config(self):
        return super().get_config() | {"filters": self.filters, "depth": self.depth}
