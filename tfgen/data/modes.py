"""Conversion of Pillow's modes to grey or colour of 8 bits, with the transparency apart."""

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, TiffImagePlugin

PLAIN = {
    "1": "L",
    "L": "L",
    "P": "RGB",
    "RGB": "RGB",
    "RGBX": "RGB",
    "CMYK": "RGB",
    "YCbCr": "RGB",
    "LAB": "RGB",
}
"""Modes without transparency, with what they become."""

TRANSPARENT = {
    "LA": "LA",
    "La": "LA",
    "PA": "RGBA",
    "RGBA": "RGBA",
    "RGBa": "RGBA",
}
"""Modes with transparency, with what they become."""

MEANINGS = {
    "F": "Pillow's mode F, floating-point numbers; save 8 or 16 bits a channel",
    "I": "Pillow's mode I, integers of 32 bits or with a sign; save 8 or 16 bits a channel",
}
"""Modes that are refused, in words."""

SAMPLES_PER_PIXEL, PHOTOMETRIC, EXTRA_SAMPLES = 277, 262, 338
"""Tags of TIFF."""

OWN_SAMPLES = {0: 1, 1: 1, 2: 3, 3: 1, 5: 4, 6: 3, 8: 3}
"""Channels of TIFF's photometric interpretations."""

ALPHA = ((1,), (2,))
"""What TIFF calls a single extra channel that is transparency."""


class Colours(NamedTuple):
    """A picture of 8 bits.

    Attributes:
        values: uint8 [h, w] or [h, w, 3].
        alpha: uint8 [h, w]: 0 is transparent and 255 opaque; None: the file has none.
    """

    values: np.ndarray
    alpha: np.ndarray | None


def colours(picture: Image.Image) -> Colours:
    """Converts a picture by its mode and turns it upright.

    Args:
        picture: as Pillow opened it.

    Raises:
        ValueError: if the mode is none of those that stand for grey or colour.
    """
    picture.load()
    # greys of a GIF are colours of its palette, whatever order these are in
    is_grey = picture.mode in ("1", "L") and picture.format != "GIF"
    picture = ImageOps.exif_transpose(picture)
    if picture.mode in PLAIN and "transparency" in picture.info:
        target = "LA" if is_grey else "RGBA"
    elif picture.mode == "L" and not is_grey:
        target = "RGB"
    elif picture.mode in PLAIN or picture.mode in TRANSPARENT:
        target = {**PLAIN, **TRANSPARENT}[picture.mode]
    else:
        raise ValueError(MEANINGS.get(picture.mode, f"Pillow's mode {picture.mode}"))
    if picture.mode == "La":
        picture = picture.convert("LA")
    values = np.array(picture if picture.mode == target else picture.convert(target))
    return split(values, target)


def split(values: np.ndarray, mode: str) -> Colours:
    """Returns the colours and the transparency of an array [h, w, c] or [h, w].

    Args:
        values: uint8.
        mode: L, LA, RGB or RGBA.
    """
    if mode not in ("LA", "RGBA"):
        return Colours(values, None)
    return Colours(values[..., 0] if mode == "LA" else values[..., :3], values[..., -1])


def on_background(values: np.ndarray, alpha: np.ndarray, level: int) -> np.ndarray:
    """Lays a transparent picture on a background.

    Args:
        values: uint8 [h, w] or [h, w, 3].
        alpha: uint8 [h, w], 255 where opaque.
        level: of the background, 0 to 255, in all channels.

    Returns:
        uint8 [h, w] or [h, w, 3].
    """
    share = alpha.astype(np.uint32)
    share = share[..., None] if values.ndim == 3 else share
    # to the nearest level
    laid = (values * share + level * (255 - share) + 127) // 255
    return laid.astype(np.uint8)


def unexplained(picture: Image.Image) -> int:
    """Returns how many channels a TIFF has beside its colours and a declared transparency."""
    if not isinstance(picture, TiffImagePlugin.TiffImageFile):
        return 0
    tags = picture.tag_v2
    own = OWN_SAMPLES.get(tags.get(PHOTOMETRIC, 0), 3)
    extra = tags.get(SAMPLES_PER_PIXEL, own) - own
    is_alpha = extra == 1 and tags.get(EXTRA_SAMPLES) in ALPHA
    return 0 if is_alpha else max(extra, 0)
