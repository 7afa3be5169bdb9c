"""Convolutions over the frames of clips, as convolutions of images whose channels are windows.

A spatio-temporal convolution sees several frames at once. Here these frames become channels of one
image; a convolution of images does the rest, in whichever way is fastest, and in LiteRT as well.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from tfgen.nets.convolution.adjoint import ceil_to


class Taps(NamedTuple):
    """The part of a convolution's geometry that lies in time."""

    size: int
    """Frames that the kernel sees at once."""
    strides: int = 1
    """Sub-sampling factor between the longer and the shorter clips."""
    padding: int = 0
    """Zeros before and after the longer clips, in frames."""

    def windows(self, frames: Any) -> Any:
        """Returns how many windows clips of so many frames have."""
        return (frames + 2 * self.padding - self.size) // self.strides + 1


def windows(x: tf.Tensor, taps: Taps) -> tf.Tensor:
    """Returns the frames that a kernel sees at each of its places in time, as channels.

    Args:
        x: [b, t, h, w, c].
        taps: of the kernel.

    Returns:
        [b, t', h, w, size c]; the channels of the first frame of a window come first.
    """
    frames, height, width, channels = sides(x)
    places, s = taps.windows(frames), taps.strides
    blocks = places - 1 + ceil_to(taps.size, s) // s
    after = tf.maximum(blocks * s - frames - taps.padding, 0)
    x = tf.pad(x, [[0, 0], [taps.padding, after], [0, 0], [0, 0], [0, 0]])
    # Frames of a block of `strides` become rows of one, so that no slice has strides: LiteRT has
    # no gradient of such. What is beyond the last block was not to be seen.
    x = tf.slice(x, [0] * 5, [-1, blocks * s, -1, -1, -1])
    x = tf.reshape(x, [-1, blocks, s * height, width, channels])
    seen = [
        tf.slice(x, [0, tap // s, tap % s * height, 0, 0], [-1, places, height, -1, -1])
        for tap in range(taps.size)
    ]
    return tf.concat(seen, axis=-1)


def overlapped(y: tf.Tensor, taps: Taps, frames: Any) -> tf.Tensor:
    """Adds up windows where they overlap in time: the adjoint of `windows`.

    Args:
        y: [b, t', h, w, size c].
        taps: of the kernel.
        frames: t of the clips; an integer, or a scalar tensor where it is not known yet.

    Returns:
        [b, t, h, w, c].
    """
    places, height, width, channels = sides(y)
    s, length = taps.strides, ceil_to(taps.size, taps.strides)
    y = tf.pad(y, [[0, 0]] * 4 + [[0, (length - taps.size) * channels // taps.size]])
    parts = tf.split(y, length, axis=-1)
    reach, total = length // s, 0.0
    for block in range(reach):  # frames of a block as rows of one, as above
        rows = tf.concat(parts[block * s : (block + 1) * s], axis=2)
        total += tf.pad(rows, [[0, 0], [block, reach - 1 - block], *[[0, 0]] * 3])
    made = (places + reach - 1) * s
    x = tf.reshape(total, [-1, made, height, width, channels // taps.size])
    short = tf.maximum(frames + taps.padding - made, 0)  # frames that no window reaches
    x = tf.pad(x, [[0, 0], [0, short], [0, 0], [0, 0], [0, 0]])
    return tf.slice(x, [0, taps.padding, 0, 0, 0], [-1, frames, -1, -1, -1])


def each(function: Callable[[tf.Tensor], tf.Tensor], x: tf.Tensor) -> tf.Tensor:
    """Applies a function of images to all frames of clips.

    Args:
        function: from [n, h, w, c] to [n, h', w', c'].
        x: [b, t, h, w, c].

    Returns:
        [b, t, h', w', c'].
    """
    frames, *image = sides(x)
    y = function(tf.reshape(x, [-1, *image]))
    return tf.reshape(y, [-1, frames, *sides(y)])


def sides(x: tf.Tensor) -> list:
    """Returns the sides of a tensor after its first; scalar tensors where they are not known."""
    known = x.shape[1:]
    if None not in known:
        return list(known)
    found = tf.shape(x)
    return [found[axis] if side is None else side for axis, side in enumerate(known, start=1)]
