"""Loading a data set, and batches whose order depends on the seed and the step alone."""

import dataclasses
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tfgen import patches, random
from tfgen.data import masks, preprocess, sources
from tfgen.errors import UserError
from tfgen.types import Seed

_FIXED = tf.data.Options()
# tuning keeps a thread that comes to sleep for up to a minute, and whoever drops a stream before its end waits for it
_FIXED.autotune.enabled = False


@dataclasses.dataclass(frozen=True)
class Examples:
    """One split, in memory.

    Attributes:
        image: [n, h, w, c] (videos [n, t, h, w, c]), uint8, or float32 in [-1, 1].
        label: int64 [n], or None.
        patch_size: if given, an example is a square patch of this side, cut anew each time.
        mask: bool [n, h, w, 1], False where a pixel is hidden from training; None hides none.
    """

    image: np.ndarray
    label: np.ndarray | None = None
    patch_size: int | None = None
    mask: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.image)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one example."""
        height_width = self.image.shape[1:-1] if self.patch_size is None else (self.patch_size,) * 2
        return (*height_width, self.image.shape[-1])

    def whole(self) -> np.ndarray:
        """All images, uncut and nothing hidden, float32 in [-1, 1]."""
        return preprocess.to_unit(self.image)

    def batches(self, batch_size: int, seed: Seed, start: int = 0) -> tf.data.Dataset:
        """An endless stream of batches; every example comes once an epoch, in an order of its own.

        Args:
            batch_size: examples a batch, at least 1.
            seed: int32 [2].
            start: the step to start from, which costs nothing.

        Returns:
            A dataset of `Batch`.
        """
        images = tf.constant(self.image)
        rows = {"label": self.label, "mask": self.mask}
        rows = {name: tf.constant(values) for name, values in rows.items() if values is not None}
        order, cuts = random.split(seed)

        def batch(step):
            index = random.shuffled(
                step * batch_size + tf.range(batch_size, dtype=tf.int64), len(self), order
            )
            if self.patch_size is None:
                image = tf.gather(images, index)
            else:
                _, height, width, _ = images.shape
                at = patches.places(
                    index, height, width, self.patch_size, random.fold_in(cuts, step)
                )
                image = patches.cut(images, at, self.patch_size)
            image = tf.cast(image, tf.float32) / 127.5 - 1 if images.dtype == tf.uint8 else image
            found = {name: tf.gather(values, index) for name, values in rows.items()}
            if "mask" in found:
                found["mask"] = tf.cast(found["mask"], tf.float32)
                image *= found["mask"]
            return found | {"image": image, "index": index}

        stream = (
            tf.data.Dataset.counter(start)
            .map(batch, num_parallel_calls=2, deterministic=True)
            .prefetch(2)
        )
        return stream.with_options(_FIXED)


class Images(NamedTuple):
    """A data set."""

    train: Examples
    test: Examples
    shape: tuple[int, ...]
    """Of one example."""
    size: int
    """Number of training images."""


def load(
    name: str,
    *,
    image_size: tuple[int, int] | None = None,
    channels: int | None = None,
    patch_size: int | None = None,
    missing: str | None = None,
    max_images: int | None = None,
    test_fraction: float = 0.1,
    validation: int = 0,
    data_dir: str | None = None,
    manual_dir: str | None = None,
) -> Images:
    """Reads a data set into memory, each picture resized as it comes.

    Args:
        name: see `tfgen.data.sources`.
        image_size: height and width to crop and resize to; None keeps the pictures' own.
        channels: 1 or 3; None keeps the pictures' own.
        patch_size: train on square patches of this side.
        missing: hide pixels of the training images, the same of each image always; see `tfgen.data.masks.parse`.
        max_images: take at most so many of the training pictures, at random, and hold test_fraction out of these.
        test_fraction: share held out where the source has no test split, in [0, 1). Of a single picture
            it is the right part that is held out, and 0 takes the whole for training and test alike.
        validation: training images, at random, that take the test images' place, so that these stay unseen while
            choices are made.
        data_dir: where TensorFlow Datasets keeps what it prepared.
        manual_dir: where original files lie that TensorFlow Datasets need not download.

    Returns:
        The data set.

    Raises:
        UserError: if it is unknown, missing, empty or corrupt, or does not fit the sizes.
    """
    found = sources.read(name, data_dir, manual_dir)
    if max_images is not None:
        found = {"all": iter(_drawn(found.get("train") or found["all"], max_images))}
    splits = {
        split: _collect(name, pictures, image_size, channels) for split, pictures in found.items()
    }
    train, test = (
        (splits["train"], splits["test"])
        if "train" in splits
        else _hold_out(splits["all"], test_fraction)
    )
    if patch_size is not None and patch_size > min(train.image.shape[1:3]):
        raise UserError(
            f"patch_size: expected at most {min(train.image.shape[1:3])}, the smaller side of the training "
            f"images of {name}, and found {patch_size}"
        )
    if missing and patch_size:
        raise UserError("missing: expected whole images and found a patch_size too")
    # the masks are the data set's, not the run's: they never depend on the run's seed
    mask = (
        masks.parse(missing, train.image.shape[:3], random.root(0)).numpy() > 0 if missing else None
    )
    train = dataclasses.replace(train, patch_size=patch_size, mask=mask)
    if validation:
        train, test = _set_aside(train, validation)
    return Images(train, test, train.shape, len(train))


def _drawn(pictures: sources.Pictures, most: int) -> list[tuple[np.ndarray, int | None]]:
    """Pictures drawn without replacement from a stream of unknown length (Vitter's Algorithm R)."""
    rng, kept = np.random.default_rng(0), []
    for number, picture in enumerate(pictures):
        if number < most:
            kept.append(picture)
        elif (place := rng.integers(number + 1)) < most:
            kept[place] = picture
    return kept


def _collect(name: str, pictures: sources.Pictures, image_size, channels) -> Examples:
    images, labels = [], []
    for picture, label in pictures:
        if picture.ndim == 4:
            picture = np.stack(
                [preprocess.prepare(frame, image_size, channels) for frame in picture]
            )
        else:
            picture = preprocess.prepare(picture, image_size, channels)
        if images and picture.shape != images[0].shape:
            raise UserError(
                f"dataset {name}: expected all pictures of one shape, {images[0].shape} as the first, and found "
                f"{picture.shape} at number {len(images)}; give an image_size and channels"
            )
        images.append(picture)
        labels.append(label)
    if not images:
        raise UserError(f"dataset {name}: expected pictures and found none")
    labelled = labels[0] is not None
    return Examples(np.stack(images), np.array(labels, np.int64) if labelled else None)


def _hold_out(examples: Examples, fraction: float) -> tuple[Examples, Examples]:
    if len(examples) == 1:
        return _hold_out_region(examples, fraction)
    # the split is the data set's, not the run's: it never depends on the run's seed
    order = np.random.default_rng(0).permutation(len(examples))
    num_test = round(len(examples) * fraction)
    test, train = np.sort(order[:num_test]), np.sort(order[num_test:])
    if not num_test:
        return examples, examples

    def part(index):
        return Examples(
            examples.image[index], None if examples.label is None else examples.label[index]
        )

    return part(train), part(test)


def _set_aside(examples: Examples, count: int) -> tuple[Examples, Examples]:
    """The others, and so many drawn at random, whole and with nothing hidden."""
    if count >= len(examples):
        raise UserError(
            f"validation: expected fewer than the {len(examples)} training images and found {count}"
        )
    order = np.random.default_rng(7).permutation(
        len(examples)
    )  # another one than the test images were drawn by

    def part(index, **changes):
        rows = {name: getattr(examples, name) for name in ("label", "mask")}
        rows = {name: None if values is None else values[index] for name, values in rows.items()}
        return dataclasses.replace(examples, **({"image": examples.image[index]} | rows | changes))

    return part(np.sort(order[count:])), part(order[:count], mask=None, patch_size=None)


def _hold_out_region(examples: Examples, fraction: float) -> tuple[Examples, Examples]:
    width = examples.image.shape[-2]
    kept = width - round(width * fraction)
    if kept == width:
        return examples, examples
    return (
        Examples(examples.image[..., :kept, :], examples.label),
        Examples(examples.image[..., kept:, :], examples.label),
    )
