"""Checks of arrays that users hand over in Python."""

import numpy as np

from tfgen.data import arrays
from tfgen.errors import UserError


def check_images(image: np.ndarray) -> np.ndarray:
    """Returns the images or clips that a user gave to a Python function, as uint8 or float32.

    Args:
        image: [n, h, w, c] or [n, t, h, w, c], uint8, or float in [-1, 1].

    Returns:
        The same numbers, uint8 or float32; floats that rounding carried beyond are clipped.

    Raises:
        UserError: if the shape, the dtype or a value is none of an image's. Floats of which none is
            negative are taken for values in [0, 1], and bytes up to 1 for such, too.
    """
    image = np.asarray(image)
    _check_shape(image)
    if np.issubdtype(image.dtype, np.integer) and image.dtype != np.uint8:
        raise UserError(
            f"image: expected uint8 or float and found {image.dtype}; give "
            "image.astype(numpy.uint8) if its values are 0 to 255"
        )
    if image.dtype == np.uint8:
        if image.max() == 1:
            raise UserError(
                "image: expected bytes from 0 to 255 and found 0 and 1 alone; give 255 * image"
            )
        return image
    if not np.issubdtype(image.dtype, np.floating):
        raise UserError(f"image: expected uint8 or float and found {image.dtype}")
    _check_scale(image)
    return np.clip(image, -1, 1).astype(np.float32)


def _check_shape(image: np.ndarray) -> None:
    if image.ndim == 3:
        raise UserError(
            "image: expected shape [n, h, w, c] and found three axes; give image[..., None] for "
            "grey images, image[None] for one image in colour"
        )
    if image.ndim not in (4, 5) or not image.size:
        raise UserError(
            "image: expected shape [n, h, w, c], or [n, t, h, w, c] for clips, and found "
            f"{list(image.shape)}"
        )
    if arrays.is_channels_first(image.shape):
        raise UserError(
            f"image: expected channels last, [n, h, w, c], and found {list(image.shape)}; give "
            "numpy.moveaxis(image, -3, -1)"
        )


def _check_scale(image: np.ndarray) -> None:
    """Refuses floats in [0, 1] or [0, 255], and says how to convert them."""
    finite = np.isfinite(image.reshape(len(image), -1)).all(axis=1)  # of each image, to name one
    if not finite.all():
        first = int(np.argmin(finite))
        raise UserError(
            f"image: expected finite numbers and found NaN or infinity in image[{first}]"
        )
    low, high = image.min(), image.max()
    if 0 <= low <= high <= 255 and high > 0:
        cure = "2 * x - 1" if high <= 1 + arrays.SLACK else "x / 127.5 - 1"
        raise UserError(
            f"image: expected floats in [-1, 1] and found values from {low:.4g} to {high:.4g}; "
            f"give {cure}, or uint8"
        )
    if max(-low, high) > 1 + arrays.SLACK:
        raise UserError(f"image: expected image in [-1, 1] and found {max(-low, high):.6g}")


def check_labels(label: np.ndarray, count: int) -> np.ndarray:
    """Returns the labels that a user gave to a Python function, as int64.

    Args:
        label: [n], integers from 0.
        count: n, the number of images.

    Raises:
        UserError: if the number of labels, their dtype or a value is another.
    """
    label = np.asarray(label)
    if label.shape != (count,):
        raise UserError(f"label: expected shape [{count}] and found {list(label.shape)}")
    if not np.issubdtype(label.dtype, np.integer):
        raise UserError(f"label: expected integers and found {label.dtype}")
    if label.min() < 0:
        raise UserError(f"label: expected integers from 0 and found {label.min()}")
    return label.astype(np.int64)
