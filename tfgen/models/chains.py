"""Persistent chains: samples that go on from where the last update left them."""

import keras
import numpy as np
import tensorflow as tf

from tfgen import microbatches, random
from tfgen.errors import UserError
from tfgen.models import rows, tiles
from tfgen.types import Image, Label, Seed


class Chains(keras.layers.Layer):
    """Persistent chains: each replica moves its share, and all replicas keep all of them.

    Where an update has micro-batches, each moves its share of its replica's.

    Args:
        num: how many chains, a multiple of the number of replicas.
        shape: of one chain, without the batch axis.
        start: where all begin, and begin anew: a number, or an array that broadcasts to `shape`.

    Raises:
        UserError: if the replicas cannot share the chains evenly.
    """

    def __init__(self, num: int, shape: tuple[int, ...], start: np.ndarray | float = 0.0):
        super().__init__(name="chains", dtype="float32")
        self.num = num
        self.check_shares()
        # a view: all chains share the memory of one
        self.start = np.broadcast_to(np.float32(start), (num, *shape))
        self.state = rows.add(
            self, (num, *shape), lambda shape, dtype: tf.constant(self.start, dtype), "x"
        )
        self.built = True

    def check_shares(self, parts: int = 1) -> None:
        """Raises UserError unless all replicas can share the chains evenly.

        Args:
            parts: micro-batches that each replica's share is shared by.
        """
        count = tf.distribute.get_strategy().num_replicas_in_sync * parts
        if self.num % count:
            below = self.num // count * count
            near = f"{below} or {below + count}" if below else str(count)
            who = "replicas" if parts == 1 else "micro-batches"
            raise UserError(
                f"chains: expected a multiple of the {count} {who}, which share them evenly, "
                f"and found {self.num}; give {near}"
            )

    def index(self) -> tf.Tensor:
        """Returns the numbers of the chains of this replica and micro-batch, int32 [share]."""
        context, parts = tf.distribute.get_replica_context(), microbatches.count()
        share = self.num // (context.num_replicas_in_sync * parts)
        place = context.replica_id_in_sync_group * parts + microbatches.number()
        return tf.range(share) + place * share

    def take(self) -> tf.Tensor:
        """Returns the chains of this replica and micro-batch, [share, ...]."""
        index = self.index()
        # the replica's number is a tensor, so a slice has no static length of its own
        return tf.ensure_shape(
            self.state.value[index[0] :][: index.shape[0]],
            [index.shape[0], *self.state.shape[1:]],
        )

    def put(self, x: tf.Tensor) -> None:
        """Keeps the chains of this replica and micro-batch, [share, ...], with all others.

        They are gathered in the order in which `index` counts.
        """
        microbatches.gathered(x, self._put)

    def _put(self, x: tf.Tensor) -> None:
        context = tf.distribute.get_replica_context()
        if context.num_replicas_in_sync > 1:
            x = context.all_gather(x, axis=0)
        self.state.assign(x)

    def restart(self) -> None:
        """Moves all chains back to where they began."""
        self.state.assign(self.start)

    def tiled(
        self,
        shape,
        seed: Seed,
        num_classes: int = 1,
        label: Label | None = None,
        margin: int = 0,
    ) -> Image:
        """Draws chains, and lays them side by side without seams where images are to be larger.

        Args:
            shape: [b, h, w, c] of the images; [b, t, h, w, c] of clips.
            seed: int32 [2], of which chains are taken.
            num_classes: classes that the chains belong to in turn.
            label: the images' classes, [b], or None where there are none.
            margin: pixels at a chain's border, which few filters have seen, that are cut off
                before chains are laid side by side.

        Returns:
            A tensor of this shape.
        """
        *sides, channels = self.state.shape[1:]
        wanted = [shape[axis] for axis in range(1, len(sides) + 1)]
        pairs = list(zip(sides, wanted, strict=True))
        larger = tf.reduce_any([side < other for side, other in pairs])
        cut = [slice(other) for other in wanted]

        def drawn(count):
            which = random.uniform((count,), seed, 0, self.num // num_classes, tf.int32)
            if label is not None:  # chain i is of class i % num_classes
                which = which * num_classes + tf.repeat(label, count // shape[0])
            return tf.gather(self.state.value, which)

        def single():
            return drawn(shape[0])[:, *cut]

        def several():
            # frames of clips have no margin in time
            around = [0] * (len(sides) - 2) + [margin] * 2
            inner = [slice(m, side - m) for m, side in zip(around, sides, strict=True)]
            grid = [
                tiles.across(other, side - 2 * m)
                for m, (side, other) in zip(around, pairs, strict=True)
            ]
            found = drawn(shape[0] * tf.reduce_prod(grid))[:, *inner]
            found = tf.reshape(found, (shape[0], *grid, *found.shape[1:]))
            return tiles.blended(found)[:, *cut]

        images = tf.cond(larger, several, single)
        return tf.ensure_shape(images, (None, *[None] * len(sides), channels))
