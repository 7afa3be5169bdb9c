"""Checks of arrays that users hand over, in a file or in Python."""

import numpy as np

from tfgen.errors import UserError


def check_values(subject: str, name: str, array: np.ndarray) -> np.ndarray:
    """Returns an array of images as uint8 or float32, if its numbers can be pixels.

    Args:
        subject: what a complaint begins with, such as `dataset npz:a.npz`.
        name: of the array.
        array: [n, ...], uint8, or float in [-1, 1].

    Returns:
        The same numbers, uint8 or float32.

    Raises:
        UserError: if the array has another dtype, or a number that is not finite or out of range.
    """
    if array.dtype == np.uint8:
        return array
    if not np.issubdtype(array.dtype, np.floating):
        raise UserError(f"{subject}: expected {name} to be uint8 or float and found {array.dtype}")
    finite = np.isfinite(array.reshape(len(array), -1)).all(axis=1)  # of each image, to name one
    if not finite.all():
        first = int(np.argmin(finite))
        raise UserError(
            f"{subject}: expected finite numbers and found NaN or infinity in {name}[{first}]"
        )
    largest = np.abs(array).max(initial=0)
    if largest > 1:
        raise UserError(f"{subject}: expected {name} in [-1, 1] and found {largest:.4g}")
    return array.astype(np.float32)


def check_images(image: np.ndarray) -> np.ndarray:
    """Returns the images or clips that a user gave to a Python function, as uint8 or float32.

    Args:
        image: [n, h, w, c] or [n, t, h, w, c], uint8, or float in [-1, 1].

    Returns:
        The same numbers, uint8 or float32.

    Raises:
        UserError: if the shape, the dtype or a value is none of an image's. Floats of which none is
            negative are taken for values in [0, 1].
    """
    image = np.asarray(image)
    if image.ndim == 3:
        raise UserError(
            "image: expected shape [n, h, w, c] and found three axes; give image[..., None] for "
            "grey images"
        )
    if image.ndim not in (4, 5) or not image.size:
        raise UserError(
            "image: expected shape [n, h, w, c], or [n, t, h, w, c] for clips, and found "
            f"{list(image.shape)}"
        )
    if np.issubdtype(image.dtype, np.integer) and image.dtype != np.uint8:
        raise UserError(
            f"image: expected uint8 or float and found {image.dtype}; give "
            "image.astype(numpy.uint8) if its values are 0 to 255"
        )
    if np.issubdtype(image.dtype, np.floating):
        _check_scale(image)
    return check_values("image", "image", image)


def _check_scale(image: np.ndarray) -> None:
    """Refuses floats in [0, 1] or [0, 255], and says how to convert them."""
    low, high = image.min(), image.max()
    if not 0 <= low <= high <= 255 or high == 0:  # also where one is NaN
        return
    cure = "2 * x - 1" if high <= 1 else "x / 127.5 - 1"
    raise UserError(
        f"image: expected floats in [-1, 1] and found values from {low:.4g} to {high:.4g}; give "
        f"{cure}, or uint8"
    )


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
