"""Films: animated pictures by Pillow, all others by PyAV."""

import pathlib

import numpy as np
from PIL import Image, ImageSequence

from tfgen.data import modes, reading
from tfgen.data.decode import Decoder
from tfgen.data.reading import Reading
from tfgen.errors import UserError

ANIMATED = ("GIF", "PNG", "WEBP", "TIFF")
"""Formats of pictures whose frames make a film."""

MOST_PIXELS = 2**30
"""Pixels of all frames together that are decoded."""


def frames(subject: str, path: pathlib.Path, stated: Reading = reading.PLAIN) -> np.ndarray:
    """Decodes all frames of a film.

    Args:
        subject: what a complaint begins with, such as `dataset video:a.gif`.
        path: of the file.
        stated: what the user states about the pictures.

    Returns:
        uint8 [t, h, w, c].

    Raises:
        UserError: if the file cannot be decoded, or is longer than `MOST_PIXELS`.
    """
    decoder = Decoder(subject, stated)
    with decoder.answered(path):
        try:
            found = _animated(decoder, path)
        except Image.UnidentifiedImageError:
            found = _film(subject, path)
    if not found:
        raise UserError(f"{subject}: expected frames and found none in {path}")
    deepest = max(frame.ndim for frame in found)
    # of an animation whose first frame alone is grey
    grown = [np.stack([f] * 3, -1) if f.ndim < deepest else f for f in found]
    return np.stack(grown) if deepest == 3 else np.stack(grown)[..., None]


def _animated(decoder: Decoder, path: pathlib.Path) -> list[np.ndarray]:
    """Returns the frames of a picture that moves."""
    with Image.open(path, formats=ANIMATED) as picture:
        found: list[np.ndarray] = []
        for frame in ImageSequence.Iterator(picture):
            _check_length(decoder.subject, path, len(found) + 1, frame.size)
            found.append(decoder.opaque(path, modes.colours(frame.copy())))
        return found


def _film(subject: str, path: pathlib.Path) -> list[np.ndarray]:
    """Returns the frames of a film that PyAV reads."""
    try:
        import av
    except ImportError as error:
        raise UserError(
            f"{subject}: expected an .npz of clips or an animated GIF, PNG, WebP or TIFF, and "
            f"found {path}; other films need PyAV, the extra `video` (pip install av)"
        ) from error
    found: list[np.ndarray] = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            _check_length(subject, path, len(found) + 1, (frame.width, frame.height))
            found.append(frame.to_ndarray(format="rgb24"))
    return found


def _check_length(subject: str, path: pathlib.Path, count: int, size: tuple[int, int]) -> None:
    width, height = size
    if count * width * height > MOST_PIXELS:
        raise UserError(
            f"{subject}: expected at most {MOST_PIXELS:,} pixels in all frames and found more in "
            f"{path}; cut the film, or give an .npz of smaller clips"
        )
