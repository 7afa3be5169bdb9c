"""Preparation of pictures: channels, crop, anti-aliased resize, conversion to and from uint8."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from PIL import Image

from tfgen.errors import UserError

MOST_PIXELS = 2**26
"""Pixels of the largest size that pictures are resized to."""

REDUCING_GAP = 3.0
"""A picture that is more than so many times too large is first averaged over blocks of pixels."""

Labelled = Iterable[tuple[np.ndarray, int | None]]
"""Pictures, each with its label or with None."""

Progress = Callable[[Iterable[Any]], Iterator[Any]]
"""Passes items on as they come, and may show how many came."""


def to_channels(picture: np.ndarray, channels: int | None) -> np.ndarray:
    """Converts a picture to a number of channels.

    Args:
        picture: [h, w] or [h, w, c].
        channels: 1 (grey by Rec. 601 luma), 3, or None to keep the picture's own.

    Returns:
        [h, w, channels].

    Raises:
        UserError: if the picture cannot be converted.
    """
    picture = picture[..., None] if picture.ndim == 2 else picture
    if channels in (None, picture.shape[-1]):
        return picture
    if channels == 3 and picture.shape[-1] == 1:
        return np.repeat(picture, 3, axis=-1)
    if channels == 1 and picture.shape[-1] == 3:
        grey = picture @ np.array([0.299, 0.587, 0.114])  # the luma of Rec. 601
        return _cast(grey, picture.dtype)[..., None]
    raise UserError(
        f"channels: expected {picture.shape[-1]}, as the pictures have, and found {channels}"
    )


def centre_crop(picture: np.ndarray, aspect: float) -> np.ndarray:
    """Cuts the largest centred part that has the given aspect.

    Args:
        picture: [h, w, c].
        aspect: height over width, positive.

    Returns:
        [h', w', c].
    """
    height, width = picture.shape[:2]
    # one of the two stays whole: the side that is too short for the aspect
    rows = min(height, max(1, round(width * aspect)))
    columns = min(width, max(1, round(height / aspect)))
    top, left = (height - rows) // 2, (width - columns) // 2
    return picture[top : top + rows, left : left + columns]


def resize(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resizes bilinearly; a pixel that shrinks is a weighted mean, so that nothing aliases.

    Args:
        picture: [h, w, c], uint8 or another type of numbers.
        size: height, width.

    Returns:
        [*size, c] of the same dtype, with no value beyond the picture's own.

    Raises:
        UserError: if the size has more than `MOST_PIXELS`.
    """
    if picture.shape[:2] == tuple(size):
        return picture
    if size[0] * size[1] > MOST_PIXELS:
        raise UserError(
            f"image_size: expected at most {MOST_PIXELS:,} pixels and found {size[0]}x{size[1]}"
        )
    if picture.dtype == np.uint8 and picture.shape[-1] == 3:
        return _resized(picture, size)
    bands = np.moveaxis(picture, -1, 0)
    if picture.dtype == np.uint8:
        return np.stack([_resized(band, size) for band in bands], axis=-1)
    found = np.stack([_resized(band.astype(np.float32), size) for band in bands], axis=-1)
    return _cast(np.clip(found, picture.min(), picture.max()), picture.dtype)


def _resized(band: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resizes bytes, [h, w] or [h, w, 3], or float32, [h, w]."""
    image = Image.fromarray(np.ascontiguousarray(band))
    sides = (size[1], size[0])
    return np.array(image.resize(sides, Image.Resampling.BILINEAR, reducing_gap=REDUCING_GAP))


def _cast(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Casts to a dtype, to the nearest integer if it is one of integers."""
    return (np.rint(values) if dtype.kind in "ui" else values).astype(dtype)


def prepare(picture: np.ndarray, size: tuple[int, int] | None, channels: int | None) -> np.ndarray:
    """Crops a picture's centre to the wanted aspect, resizes it, and converts its channels.

    Args:
        picture: [h, w] or [h, w, c].
        size: height and width, or None to keep the picture's own.
        channels: 1, 3, or None.

    Returns:
        [h', w', c'].
    """
    picture = picture[..., None] if picture.ndim == 2 else picture
    if size is not None:
        picture = resize(centre_crop(picture, size[0] / size[1]), size)
    return to_channels(picture, channels)


def prepared(
    name: str, pictures: Labelled, size: tuple[int, int] | None, channels: int | None
) -> Iterator[tuple[np.ndarray, int | None]]:
    """Prepares pictures, or the frames of clips, one at a time.

    Args:
        name: of the data set, for complaints.
        pictures: [h, w], [h, w, c] or [t, h, w, c], each with its label or with None.
        size: height and width, or None to keep the pictures' own.
        channels: 1, 3, or None to keep the pictures' own.

    Raises:
        UserError: if their shapes or types differ.
    """
    first: np.ndarray | None = None
    for number, (picture, label) in enumerate(pictures):
        if picture.ndim == 4:
            image = np.stack([prepare(frame, size, channels) for frame in picture])
        else:
            image = prepare(picture, size, channels)
        first = image if first is None else first
        if image.shape != first.shape:
            raise UserError(
                f"dataset {name}: expected all pictures of one shape, {first.shape} as the "
                f"first, and found {image.shape} at number {number}; give an image_size and "
                "channels"
            )
        if image.dtype != first.dtype:
            raise UserError(
                f"dataset {name}: expected all pictures of one type of numbers, {first.dtype} as "
                f"the first, and found {image.dtype} at number {number}"
            )
        yield image, label


def stacked(name: str, pictures: Labelled) -> tuple[np.ndarray, np.ndarray | None]:
    """Stacks pictures.

    Args:
        name: of the data set, for complaints.
        pictures: of one shape, each with its label or with None.

    Returns:
        The pictures [n, h, w, c] or [n, t, h, w, c], and their labels, int64 [n] or None.

    Raises:
        UserError: if there are none.
    """
    images: list[np.ndarray] = []
    labels = []
    for picture, label in pictures:
        images.append(picture)
        labels.append(label)
    if not images:
        raise UserError(f"dataset {name}: expected pictures and found none")
    labelled = None not in labels  # a split of which some have none has none
    return np.stack(images), np.array(labels, np.int64) if labelled else None


def to_unit(image: np.ndarray) -> np.ndarray:
    """Converts uint8 to float32 in [-1, 1], and casts other arrays to float32."""
    values = image.astype(np.float32)
    return values / 127.5 - 1 if image.dtype == np.uint8 else values


def to_uint8(image: np.ndarray) -> np.ndarray:
    """Clips floats to [-1, 1] and converts them to uint8."""
    clipped = np.clip(image, -1, 1)
    return np.rint((clipped + 1) * 127.5).astype(np.uint8)
