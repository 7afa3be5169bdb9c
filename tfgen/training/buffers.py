"""Buffers of what training remembers of examples: a row for each, in every checkpoint."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from tfgen import microbatches, patches, random
from tfgen.models import rows as weights
from tfgen.training import replicas
from tfgen.types import Batch, Image, Seed


class Buffer(keras.layers.Layer):
    """A row for each training example, kept alike on all replicas.

    Args:
        num: how many examples.
        shape: of a row.
        scale: standard deviation of the rows' normal start; 0 starts them at zero.
        dtype: of the rows as they are kept; they are given and taken as float32.
        name: of the buffer, which a checkpoint finds it by.
    """

    def __init__(
        self,
        num: int,
        shape: tuple[int, ...],
        scale: float = 0.0,
        dtype: str = "float32",
        name: str = "memory",
    ):
        super().__init__(name=name, dtype=dtype)

        def start(shape, dtype):
            return tf.cast(scale * random.normal(shape, random.root(0)), dtype)

        self.rows = weights.add(self, (num, *shape), start, "rows")
        self.built = True

    def gather(self, index: tf.Tensor) -> tf.Tensor:
        """Returns the rows of some examples, float32 [b, ...]."""
        return tf.cast(tf.gather(self.rows.value, index), tf.float32)

    def scatter(self, index: tf.Tensor, rows: tf.Tensor) -> None:
        """Replaces the rows of this replica's examples, [b, ...], on every replica."""
        # every replica writes all rows, so that the copies stay alike
        index, rows = replicas.gathered(index), replicas.gathered(rows)
        microbatches.once(lambda: self.write(index, rows))

    def write(self, index: tf.Tensor, rows: tf.Tensor) -> None:
        """Replaces rows, [b, ...], that are alike on all replicas."""
        slices = tf.IndexedSlices(tf.cast(rows, self.rows.dtype), index)
        self.rows.value.scatter_update(slices)


class MissingPixels(Buffer):
    """The imputed pixels of incomplete training images: zeros, then what was made of them.

    Args:
        num: training images; 0 where all are whole, and nothing is kept.
        image_shape: height, width, channels.

    Source: Divergence triangle, section on learning from incomplete images.
    """

    def __init__(self, num: int, image_shape: tuple[int, ...]):
        # half precision: its rounding on [-1, 1], 2^-11 at most, is below a grey level's 2^-7
        super().__init__(num, image_shape, dtype="float16", name="missing_pixels")

    def fill(self, batch: Batch) -> Image:
        """Returns images with their missing pixels filled in, [b, h, w, c]."""
        if "mask" not in batch:
            return batch["image"]
        mask = batch["mask"]
        return mask * batch["image"] + (1 - mask) * self.gather(batch["index"])

    def overwrite(self, batch: Batch, image: Image) -> None:
        """Keeps what was made of some examples, [b, h, w, c], for their missing pixels."""
        if "mask" in batch:
            self.scatter(batch["index"], image)


class PseudoNegatives(Buffer):
    """A replay buffer of the last stages' samples, which the next classifier tells from images.

    Args:
        stages: how many stages' samples are kept, at least 1.
        num: samples a stage.
        shape: height, width, channels of a sample.
        recency: how much likelier the newest stage's are drawn than those of the stage before, at
            least 1.
        start: draws what they are before the first stage, of a shape [b, h, w, c] and a seed.
        fresh: share of draws, in [0, 1], that are of the newest stage whatever the recency.

    Source: INNg, section 4.1.
    """

    def __init__(
        self,
        stages: int,
        num: int,
        shape: tuple[int, int, int],
        recency: float,
        start: Callable[[Any, Seed], Image],
        fresh: float = 0.0,
    ):
        super().__init__(stages * num, shape, dtype="float16")
        self.rows.assign(tf.cast(start((stages * num, *shape), random.root(0)), "float16"))
        self.stages = stages
        self.num = num
        self.recency = recency
        self.fresh = fresh

    def keep(self, stage: tf.Tensor, samples: Image) -> None:
        """Keeps a stage's samples, [num, h, w, c], in the place of the oldest's.

        Args:
            stage: their number.
            samples: alike on all replicas.
        """
        self.write(self._row(stage, tf.range(self.num)), samples)

    def newest(self, stage: tf.Tensor) -> Image:
        """Returns a stage's samples, while they are kept, [num, h, w, c]."""
        return self.gather(self._row(stage, tf.range(self.num)))

    def draw(self, count: int, stage: tf.Tensor, size: int, seed: Seed) -> Image:
        """Draws patches of kept samples, with replacement, recent stages with higher probability.

        Args:
            count: how many.
            stage: the newest stage, from 0.
            size: side of a patch.
            seed: int32 [2].

        Returns:
            [count, size, size, c].
        """
        age_seed, sample_seed, place_seed = random.split(seed, 3)
        known = tf.minimum(stage + 1, self.stages)  # stages whose samples are in the buffer
        # P(age) ∝ recency^-age, by inversion of its cumulative sum, cut at the ages known so far
        share = tf.cumsum(self.recency ** -tf.range(self.stages, dtype=tf.float32))
        u = random.uniform((count,), age_seed) * share[known - 1]
        # the product may round up to the last share itself
        age = tf.minimum(tf.searchsorted(share, u, side="right"), known - 1)
        age = tf.where(tf.range(count) < round(self.fresh * count), 0, age)
        sample = random.uniform((count,), sample_seed, 0, self.num, tf.int32)
        _, height, width, _ = self.rows.shape
        row = self._row(stage - age, sample)
        at = patches.places(row, height, width, size, place_seed)
        rows = tf.convert_to_tensor(self.rows.value)
        return tf.cast(patches.cut(rows, at, size), tf.float32)

    def _row(self, stage: tf.Tensor, sample: tf.Tensor) -> tf.Tensor:
        # a ring: a stage takes the place of the one that is `stages` older
        return stage % self.stages * self.num + sample
