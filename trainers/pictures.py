"""Pictures of batches, for people to look at."""

import pathlib

import imageio.v3 as iio
import numpy as np

from tfgen.data import preprocess
from trainers import files


def grid(images: np.ndarray, columns: int | None = None, side: int = 64) -> np.ndarray:
    """A batch on one sheet, small images enlarged pixel by pixel.

    Args:
        images: [b, h, w, c] in [-1, 1], clipped, never stretched.
        columns: images a row; about a square by default.
        side: images smaller than this are enlarged by a whole factor.

    Returns:
        uint8 [h', w', c].
    """
    batch, height, width, channels = images.shape
    columns = columns or int(np.ceil(np.sqrt(batch)))
    rows = -(-batch // columns)
    sheet = preprocess.to_uint8(images)
    scale = max(1, side // max(height, width))
    sheet = sheet.repeat(scale, axis=1).repeat(scale, axis=2)
    gap = 2
    sheet = np.pad(sheet, [[0, rows * columns - batch], [0, gap], [0, gap], [0, 0]], constant_values=255)
    sheet = sheet.reshape(rows, columns, *sheet.shape[1:]).transpose(0, 2, 1, 3, 4)
    sheet = sheet.reshape(rows * (scale * height + gap), columns * (scale * width + gap), channels)
    return sheet[:-gap, :-gap]


def save(path: pathlib.Path, picture: np.ndarray) -> None:
    """Writes a picture [h, w, c], uint8, as PNG."""
    with files.written_aside(path) as aside:
        iio.imwrite(aside, picture[..., 0] if picture.shape[-1] == 1 else picture, extension=".png")
