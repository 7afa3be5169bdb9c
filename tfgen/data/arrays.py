"""Checks of arrays and labels: of every data set, and of what users hand over in Python."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from tfgen.data import reading
from tfgen.data.reading import Reading
from tfgen.errors import UserError

SLACK = 1e-5
"""How far rounding may carry a number out of a range, in units of half the range."""

SIDE = 4
"""Sides up to this are too short to tell channels from pixels."""

Pictures = Iterator[tuple[np.ndarray, Any]]
"""Pictures [h, w], [h, w, c] or clips [t, h, w, c], each with its label or None."""


def checked(
    subject: str, pictures: Pictures, stated: Reading = reading.PLAIN
) -> Iterator[tuple[np.ndarray, int | None]]:
    """Yields pictures as uint8, or as float32 in [-1, 1], if that is what their numbers can be.

    Args:
        subject: what a complaint begins with, such as `dataset npz:a.npz`.
        pictures: numbers as a source has them.
        stated: its value range, if any, is mapped to these.

    Raises:
        UserError: if a picture or a label is none. After the last picture, if all values together
            suggest another range than the one that they would be taken for.
    """
    values = _Values(subject, stated.value_range)
    for number, (picture, label) in enumerate(pictures):
        yield values.picture(number, picture), _label(subject, number, label)
    values.check_scale()


class _Values:
    """The numbers of a data set as they pass by.

    Args:
        subject: what a complaint begins with.
        value_range: as the user states it.
    """

    def __init__(self, subject: str, value_range: tuple[float, float] | None):
        self.subject = subject
        self.range = value_range
        self.least, self.most = np.inf, -np.inf
        self.are_floats = False

    def picture(self, number: int, picture: np.ndarray) -> np.ndarray:
        """Returns a picture as uint8 or float32."""
        name = f"image[{number}]"
        check_shape(self.subject, name, picture)
        if picture.dtype.kind not in "buif":
            raise UserError(f"{self.subject}: expected numbers and found {picture.dtype} in {name}")
        self.are_floats = picture.dtype.kind == "f"
        if self.are_floats and not np.isfinite(picture).all():
            raise UserError(
                f"{self.subject}: expected finite numbers and found NaN or infinity in {name}"
            )
        if self.range is not None:
            return _from_range(self.subject, name, picture, self.range)
        if self.are_floats or self.most <= 1:
            self.least = min(self.least, float(picture.min()))
            self.most = max(self.most, float(picture.max()))
        return check_values(self.subject, name, picture)

    def check_scale(self) -> None:
        """Raises UserError if all numbers are those of another range."""
        if self.range is not None:
            return
        if self.are_floats and 0 <= self.least < self.most:
            raise UserError(
                f"{self.subject}: expected floats in [-1, 1] and found {self.least:.4g} to "
                f"{self.most:.4g}, as of values in [0, 1]; give --value_range=0,1 for these, or "
                "--value_range=-1,1"
            )
        if not self.are_floats and self.most == 1:
            raise UserError(
                f"{self.subject}: expected bytes from 0 to 255 and found 0 and 1 alone; give "
                "--value_range=0,1"
            )


def check_shape(subject: str, name: str, picture: np.ndarray) -> None:
    """Raises UserError unless an array has the shape of a grey or colour picture, or of a clip."""
    shape = list(picture.shape)
    if picture.ndim not in (2, 3, 4) or not picture.size:
        raise UserError(
            f"{subject}: expected {name} of shape [h, w], [h, w, c] or [t, h, w, c] and found "
            f"{shape}"
        )
    if picture.ndim == 2 or shape[-1] in (1, 3):
        return
    if is_channels_first(picture.shape):
        raise UserError(
            f"{subject}: expected channels last, [h, w, c], and found {shape} in {name}; move "
            "them by numpy.moveaxis(image, -3, -1)"
        )
    cure = "; leave transparency out by image[..., :-1]" if shape[-1] in (2, 4) else ""
    raise UserError(
        f"{subject}: expected 1 or 3 channels and found {shape[-1]} in {name}, of shape {shape}"
        f"{cure}"
    )


def is_channels_first(shape: tuple[int, ...]) -> bool:
    """Tells whether a shape is [..., c, h, w], with 1 or 3 channels and sides above `SIDE`."""
    return shape[-1] not in (1, 3) and shape[-3] in (1, 3) and min(shape[-2:]) > SIDE


def _from_range(
    subject: str, name: str, picture: np.ndarray, limits: tuple[float, float]
) -> np.ndarray:
    """Maps numbers from a stated range: integers to uint8, floats to [-1, 1]."""
    low, high = limits
    unit = (picture.astype(np.float64) - low) / (high - low)
    least, most = unit.min(), unit.max()
    if least < -SLACK / 2 or most > 1 + SLACK / 2:
        raise UserError(
            f"{subject}: expected {name} in [{low:g}, {high:g}], by --value_range, and found "
            f"{picture.min():.6g} to {picture.max():.6g}"
        )
    unit = np.clip(unit, 0, 1)
    if picture.dtype.kind == "f":
        return (2 * unit - 1).astype(np.float32)
    return np.rint(unit * 255).astype(np.uint8)


def check_values(subject: str, name: str, array: np.ndarray) -> np.ndarray:
    """Returns an array of finite numbers as uint8 or float32, if these can be pixels.

    Args:
        subject: what a complaint begins with, such as `dataset npz:a.npz`.
        name: of the array.
        array: uint8, or float in [-1, 1]; beyond these by rounding is clipped.

    Returns:
        The same numbers, uint8 or float32.

    Raises:
        UserError: if the array has another dtype, or a number that is out of range.
    """
    if array.dtype == np.uint8:
        return array
    low, high = array.min(), array.max()
    if array.dtype.kind != "f":
        raise UserError(
            f"{subject}: expected {name} to be uint8 or float and found {array.dtype}, {low} to "
            f"{high}; give --value_range={_likely(float(low), float(high))}"
        )
    if low < -1 - SLACK or high > 1 + SLACK:
        found = high if high > 1 + SLACK else low
        raise UserError(
            f"{subject}: expected {name} in [-1, 1] and found {found:.6g}; give "
            f"--value_range={_likely(float(low), float(high))}"
        )
    return np.clip(array, -1, 1).astype(np.float32)


def _likely(low: float, high: float) -> str:
    """Returns the usual range that holds some numbers, as the flag takes it."""
    tops = (1, 255, 4095, 65535)
    top = next((top for top in tops if low >= 0 and high <= top), None)
    return "LOW,HIGH, the numbers that stand for black and white" if top is None else f"0,{top}"


def _label(subject: str, number: int, label: Any) -> int | None:
    """Returns a picture's label as an integer."""
    if label is None:
        return None
    (found,) = check_labels(subject, f"label[{number}]", np.asarray(label)[np.newaxis])
    return int(found)


def check_labels(subject: str, name: str, label: np.ndarray) -> np.ndarray:
    """Returns labels as int64.

    Args:
        subject: what a complaint begins with.
        name: of the array.
        label: [n], integers from 0.

    Raises:
        UserError: if they are no integers, negative, one-hot, or too large to count classes.
    """
    if label.ndim != 1:
        raise UserError(
            f"{subject}: expected {name} to hold one integer a picture and found shape "
            f"{list(label.shape)}; of one-hot labels give label.argmax(axis=-1)"
        )
    if label.dtype.kind not in "iu":
        raise UserError(
            f"{subject}: expected {name} to hold integers and found {label.dtype}; number the "
            "classes from 0, such as by numpy.unique(label, return_inverse=True)[1]"
        )
    low, high = int(label.min(initial=0)), int(label.max(initial=0))
    if low < 0:
        raise UserError(
            f"{subject}: expected {name} to hold integers from 0 and found {low}; leave out "
            "pictures without a class"
        )
    if high > np.iinfo(np.int32).max:
        raise UserError(f"{subject}: expected {name} to number the classes from 0 and found {high}")
    return label.astype(np.int64)
