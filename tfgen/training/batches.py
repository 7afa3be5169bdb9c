"""Batches of examples, from whatever a user hands to `fit`."""

import math
from typing import Any, cast

import numpy as np
import tensorflow as tf

from tfgen import random
from tfgen.data import examples
from tfgen.errors import UserError
from tfgen.types import Batch

ORDER = -1
"""What the root seed is folded with for the order of examples; updates fold in from 0 up."""


def of_arrays(
    image: np.ndarray, label: np.ndarray | None, batch_size: int, seed: int, start: int
) -> tuple[tf.data.Dataset, int]:
    """Returns a stream of batches of an array, and the number of them in an epoch.

    Args:
        image: [n, h, w, c], uint8, or floats in [-1, 1].
        label: integers [n], or None.
        batch_size: examples a batch, at least 1.
        seed: of their order.
        start: batches that were taken before.

    Raises:
        UserError: if the arrays are of another rank or range.
    """
    found = examples.from_arrays(image, label)
    order = random.fold_in(random.root(seed), ORDER)
    return found.batches(batch_size, order, start=start), math.ceil(len(found) / batch_size)


def as_batch(data: Any) -> Batch:
    """Returns what a stream gives as a batch.

    Args:
        data: a `Batch`, images, or a pair of images and classes.

    Raises:
        UserError: if it is none of these, or the images are not floats.
    """
    # Keras hands the pairs of a stream over as tuples, and a single array as a tuple of one
    if isinstance(data, tuple) and len(data) in (1, 2):
        names = ("image", "label")
        data = dict(zip(names, data, strict=False))
    if isinstance(data, tf.Tensor):
        data = {"image": data}
    if not isinstance(data, dict) or "image" not in data:
        raise UserError(
            "x: expected images, pairs of images and classes, or batches by name with an `image`, "
            f"and found {type(data).__name__}"
        )
    if not data["image"].dtype.is_floating:
        raise UserError(
            "x: expected a stream of images as floats in [-1, 1] and found "
            f"{data['image'].dtype.name}"
        )
    return cast(Batch, data)


def parts(batch: Batch, count: int) -> list[Batch]:
    """Returns a batch cut into parts of equal size, in their order.

    Raises:
        UserError: if it has no such parts.
    """
    if count == 1:
        return [batch]
    size, rest = divmod(batch["image"].shape[0], count)
    if rest or not size:
        raise UserError(
            f"accumulate: expected a divisor of the {size * count + rest} examples of a batch and "
            f"found {count}"
        )
    cuts = [slice(number * size, (number + 1) * size) for number in range(count)]
    tensors = cast(dict[str, tf.Tensor], batch)
    return [cast(Batch, {name: value[cut] for name, value in tensors.items()}) for cut in cuts]
