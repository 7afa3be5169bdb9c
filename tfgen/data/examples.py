"""Data sets, and batches whose order depends on the seed and the step alone."""

import dataclasses
import math
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tfgen import patches, random
from tfgen.data import clips, crops, given, masks, opening, preprocess, splits, stored
from tfgen.data.description import Description
from tfgen.data.reading import Reading
from tfgen.data.request import Request
from tfgen.data.shares import Own, Share
from tfgen.data.store import Say
from tfgen.errors import UserError
from tfgen.types import Places, Seed

_FIXED = tf.data.Options()
# the autotuner's thread can block the destruction of a dataset for up to 60 s
_FIXED.autotune.enabled = False


@dataclasses.dataclass(frozen=True)
class Examples:
    """One split of a data set; `from_arrays` makes one of a user's arrays.

    Attributes:
        image: [n, h, w, c], or [n, t, h, w, c] for clips; uint8, or float in [-1, 1]. An array, or
            a file that is mapped into memory.
        label: int [n] from 0, or None.
        patch_size: if given, an example is a square patch of this side, cut anew each time.
        mask: bool [n, h, w, 1], False where a pixel is hidden from training; None hides none.
    """

    image: stored.Array
    label: np.ndarray | None = None
    patch_size: int | None = None
    mask: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.image)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one example."""
        if self.patch_size is None:
            return self.image.shape[1:]
        return (*self.image.shape[1:-3], self.patch_size, self.patch_size, self.image.shape[-1])

    def as_float(self) -> np.ndarray:
        """Returns all images whole, with no pixel hidden, float32 in [-1, 1]."""
        return preprocess.to_unit(np.asarray(self.image))

    def mean(self) -> np.ndarray:
        """Returns the mean of each channel over all pixels, float64 [c] in [-1, 1]."""
        return np.array(stored.remembered(self.image, "mean", self._mean))

    def _mean(self) -> list[float]:
        channels, total = self.image.shape[-1], np.zeros(self.image.shape[-1])
        exact = np.uint64 if self.image.dtype == np.uint8 else np.float64
        for chunk in stored.chunks(self.image):
            total += chunk.reshape(-1, channels).sum(axis=0, dtype=exact)
        mean = total / math.prod(self.image.shape[:-1])
        return list(mean / 127.5 - 1 if self.image.dtype == np.uint8 else mean)

    def shown(self, count: int | None = None) -> np.ndarray:
        """Returns the first examples in the form that a model takes.

        Args:
            count: number of examples, at most; None stands for all.

        Returns:
            float32 [count, *shape] in [-1, 1], with no pixel hidden: the upper left patch of each
            image, if examples are patches. Of an image smaller than a patch, all of it.
        """
        cut = (slice(side) for side in self.shape)
        return preprocess.to_unit(self.image[slice(count), *cut])

    def select(self, index: np.ndarray) -> "Examples":
        """Returns the examples with the given numbers, int [m]."""
        label = None if self.label is None else self.label[index]
        mask = None if self.mask is None else self.mask[index]
        image = stored.select(self.image, index)
        return dataclasses.replace(self, image=image, label=label, mask=mask)

    def batches(
        self, batch_size: int, seed: Seed, start: int = 0, share: Share | None = None
    ) -> tf.data.Dataset:
        """Returns an endless stream of batches, in which each example comes once an epoch.

        Each epoch has an order of its own. A batch may straddle two epochs.

        Args:
            batch_size: examples a batch, at least 1.
            seed: int32 [2], of the orders and of the places of patches.
            start: the step to start from. Batches before it are not computed.
            share: gives parts of each batch, one after the other, and reads no others; None gives
                it whole.

        Returns:
            A dataset of `tfgen.types.Batch`.

        Example:
            >>> stream = from_arrays(np.zeros((5, 8, 8, 1), np.uint8)).batches(2, random.root(0))
            >>> stream.element_spec["image"].shape
            TensorShape([2, 8, 8, 1])
        """
        read = stored.reader(self.image)
        rows = {"label": self.label, "mask": self.mask}
        rows = {name: tf.constant(values) for name, values in rows.items() if values is not None}
        order_seed, patch_seed = random.split(seed)
        share = share or Share()

        def batch(count):
            step, own = share.of(count, batch_size)
            # positions in the endless row of epochs
            number = step * batch_size + tf.range(batch_size, dtype=tf.int64)
            index = random.shuffled(number, len(self), order_seed)
            image = self._pixels(*read(index), random.fold_in(patch_seed, step), own)
            index = own(index)
            found = {name: tf.gather(values, index) for name, values in rows.items()}
            if "mask" in found:
                found["mask"] = tf.cast(found["mask"], tf.float32)
                image *= found["mask"]
            return found | {"image": image, "index": index}

        # a batch is a function of its step, so a resumed run starts anywhere at no cost
        steps = tf.data.Dataset.counter(start * share.count)
        stream = steps.map(batch, num_parallel_calls=2, deterministic=True).prefetch(2)
        return stream.with_options(_FIXED)

    def _pixels(self, images: tf.Tensor, index: tf.Tensor, seed: Seed, own: Own) -> tf.Tensor:
        """Returns the images of a batch's own part, or a patch of each, as floats in [-1, 1]."""
        if self.patch_size is None:
            found = tf.gather(images, own(index))
        else:
            _, height, width, _ = images.shape
            # drawn for the whole batch, so that a patch does not depend on who cuts it
            at = patches.places(index, height, width, self.patch_size, seed)
            found = patches.cut(images, Places(*map(own, at)), self.patch_size)
        values = tf.cast(found, tf.float32)
        return values / 127.5 - 1 if images.dtype == tf.uint8 else values


class Images(NamedTuple):
    """A data set: the images to train on, and those held out."""

    train: Examples
    test: Examples
    shape: tuple[int, ...]
    """The shape of one training example."""
    size: int
    """The number of training images."""
    description: Description = Description()
    """What is known of them beside the arrays."""


def from_arrays(image: np.ndarray, label: np.ndarray | None = None) -> Examples:
    """Returns the examples that a user gives as arrays.

    Args:
        image: [n, h, w, c], or [n, t, h, w, c] for clips; uint8, or float in [-1, 1]. Floats of
            which none is negative are refused, since most are in [0, 1] by mistake.
        label: integers [n] from 0, or None.

    Returns:
        The examples, their images uint8 or float32.

    Raises:
        UserError: if the shape, the dtype or a value of an array is none of these.

    Example:
        >>> examples = from_arrays(np.zeros((5, 8, 8, 1), np.uint8), label=np.arange(5))
        >>> examples.shape, len(examples)
        ((8, 8, 1), 5)
    """
    checked = given.check_images(image)
    return Examples(checked, None if label is None else given.check_labels(label, len(checked)))


def load(
    name: str,
    *,
    crop: tuple[int, int, int, int] | None = None,
    image_size: tuple[int, int] | None = None,
    channels: int | None = None,
    patch_size: int | None = None,
    clip_length: int | None = None,
    clip_stride: int = 1,
    missing: str | None = None,
    max_images: int | None = None,
    test_fraction: float = 0.1,
    validation: int = 0,
    data_dir: str | None = None,
    manual_dir: str | None = None,
    background: str | None = None,
    bit_depth: int | None = None,
    value_range: tuple[float, float] | None = None,
    progress: preprocess.Progress = iter,
    say: Say = lambda words: None,
    stored_always: bool = False,
) -> Images:
    """Returns a data set: a small one is read into memory, a large one prepared on the disk once.

    See `tfgen.data.store` for what is large, and where it is kept.

    Args:
        name: see `tfgen.data.sources`.
        crop: left, top, right and bottom, in pixels, of the part of a single picture to take;
            None takes the whole.
        image_size: height and width to crop and resize to; None keeps the pictures' own.
        channels: 1 or 3; None keeps the pictures' own.
        patch_size: train on square patches of this side.
        clip_length: frames of the clips that films are cut into; None takes each film whole. The
            end of each film is held out.
        clip_stride: frames from the start of a clip to that of the next.
        missing: pixels of the training images to hide, the same of each image always; see
            `tfgen.data.masks.parse`.
        max_images: take at most this many of the training pictures, at random. `test_fraction` of
            these is then held out.
        test_fraction: share held out where the source has no test split, in [0, 1); one image at
            least. Of a texture (`image:`, `textures/`) the right part is held out. With 0, or a
            single picture of another source, all images are for training and test alike.
        validation: number of images that take the place of the test images, drawn at random from
            the source's validation split, or else from the training images. The test images stay
            unseen while choices are made.
        data_dir: where prepared data are kept, and those of TensorFlow Datasets.
        manual_dir: where original files lie that TensorFlow Datasets need not download.
        background: of transparent pictures: white, grey or black; None refuses these.
        bit_depth: bits that samples of 16 bits really have; None: as declared, or as is evident.
        value_range: the numbers that stand for black and white; None: 0 and 255 of uint8, -1 and 1
            of floats.
        progress: passes the pictures on while they are read, and may show how many came.
        say: is told when another process prepares the same data, which is waited for.
        stored_always: prepare small data on the disk, too.

    Returns:
        The data set.

    Raises:
        UserError: if it is unknown, missing, empty or corrupt, or does not fit the sizes.

    Example:
        >>> load("digits").train.shown(2).shape
        (2, 8, 8, 1)
    """
    request = Request(
        name=name,
        size=image_size,
        channels=channels,
        crop=None if crop is None else crops.Box(*crop),
        stated=Reading(background=background, bit_depth=bit_depth, value_range=value_range),
        data_dir=data_dir,
        manual_dir=manual_dir,
        frames=clip_length is not None,
    )
    if clip_length is not None:
        refused = {"patch_size": patch_size, "missing": missing, "validation": validation}
        clips.check(request, clip_stride, **refused)
    found, arrays = opening.opened(request, progress, say, always=stored_always)

    def read(split: str, most: int | None) -> Examples:
        return Examples(*arrays(split, most))

    share: dict[str, Any] = {"most": max_images, "fraction": test_fraction}
    if clip_length is None:
        parts = splits.divide(found, read, **share)
    else:
        parts = clips.divide(read, length=clip_length, stride=clip_stride, **share)
    if patch_size is not None:
        _check_patches(name, parts.train, patch_size, missing)
    if missing and parts.train.image.ndim != 4:
        raise UserError(f"missing: expected images and found the clips of {name}")
    # before images are set aside, so that each has the same mask with and without validation
    mask = masks.mask(missing, parts.train.image).numpy() > 0 if missing else None
    parts = parts._replace(train=dataclasses.replace(parts.train, mask=mask))
    if validation:
        parts = splits.set_aside(parts, found, read, validation)
    train, test = (dataclasses.replace(part, patch_size=patch_size) for part in parts[:2])
    return Images(train, test, train.shape, len(train), Description.of(name, found, parts))


def _check_patches(name: str, train: Examples, patch_size: int, missing: str | None) -> None:
    if train.image.ndim != 4:
        raise UserError(f"patch_size: expected none for the clips of {name} and found {patch_size}")
    side = min(train.image.shape[-3:-1])
    if patch_size > side:
        raise UserError(
            f"patch_size: expected at most {side}, the smaller side of the training images of "
            f"{name}, and found {patch_size}"
        )
    if missing:
        raise UserError("missing: expected whole images and found a patch_size too")
