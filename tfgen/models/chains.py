"""Persistent chains: samples that go on from where the last update left them."""

import keras
import numpy as np
import tensorflow as tf

from tfgen import random
from tfgen.types import Image, Label, Seed


class Chains(keras.layers.Layer):
    """Persistent chains: each replica moves its share, and all replicas keep all of them.

    Args:
        num: how many chains, a multiple of the number of replicas.
        shape: of one chain, without the batch axis.
        start: where all begin, and begin anew: a number, or an array that broadcasts to `shape`.

    Raises:
        ValueError: if the replicas cannot share the chains evenly.
    """

    def __init__(self, num: int, shape: tuple[int, ...], start: np.ndarray | float = 0.0):
        super().__init__(name="chains", dtype="float32")
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        if num % replicas:
            raise ValueError(
                f"Expected chains that {replicas} replicas can share evenly. Received: {num}"
            )
        self.num = num
        self.per_replica = num // replicas
        # a view: all chains share the memory of one
        self.start = np.broadcast_to(np.float32(start), (num, *shape))
        self.state = self.add_weight(
            shape=(num, *shape),
            initializer=lambda shape, dtype: tf.constant(self.start, dtype),
            trainable=False,
            aggregation="only_first_replica",
            name="x",
        )
        self.built = True

    def _offset(self) -> tf.Tensor:
        return tf.distribute.get_replica_context().replica_id_in_sync_group * self.per_replica

    def index(self) -> tf.Tensor:
        """Returns the numbers of this replica's chains, int32 [num / replicas]."""
        return tf.range(self.per_replica) + self._offset()

    def take(self) -> tf.Tensor:
        """Returns this replica's chains, [num / replicas, ...]."""
        # the replica's number is a tensor, so a slice has no static length of its own
        return tf.ensure_shape(
            self.state.value[self._offset() :][: self.per_replica],
            [self.per_replica, *self.state.shape[1:]],
        )

    def put(self, x: tf.Tensor) -> None:
        """Keeps this replica's chains, [num / replicas, ...], with those of the others."""
        context = tf.distribute.get_replica_context()
        # gathered in the order of the replicas, as `_offset` counts
        if context.num_replicas_in_sync > 1:
            x = context.all_gather(x, axis=0)
        self.state.assign(x)

    def restart(self) -> None:
        """Moves all chains back to where they began."""
        self.state.assign(self.start)

    def tiled(self, shape, seed: Seed, num_classes: int = 1, label: Label | None = None) -> Image:
        """Draws chains, and lays them side by side where images are to be larger.

        Args:
            shape: [b, h, w, c] of the images.
            seed: int32 [2], of which chains are taken.
            num_classes: classes that the chains belong to in turn.
            label: the images' classes, [b], or None where there are none.

        Returns:
            A tensor of this shape.
        """
        number, tile_height, tile_width, channels = self.state.shape
        rows, columns = -(-shape[1] // tile_height), -(-shape[2] // tile_width)
        count = shape[0] * rows * columns
        which = random.uniform((count,), seed, 0, number // num_classes, tf.int32)
        if label is not None:  # chain i is of class i % num_classes
            which = which * num_classes + label
        tiles = tf.gather(self.state.value, which)
        tiles = tf.reshape(tiles, (shape[0], rows, columns, tile_height, tile_width, channels))
        # rows of tiles, then rows of pixels within one, then the columns likewise
        tiles = tf.transpose(tiles, (0, 1, 3, 2, 4, 5))
        canvas = (shape[0], rows * tile_height, columns * tile_width, channels)
        return tf.reshape(tiles, canvas)[:, : shape[1], : shape[2]]
