"""Pictures of batches, for people to look at."""

import io
import pathlib
from collections.abc import Callable

import imageio.v3 as iio
import matplotlib.figure
import numpy as np

from tfgen import files
from tfgen.data import preprocess

POSITIONS = 10
"""Images between two."""


def sheet(images: np.ndarray) -> np.ndarray:
    """A batch as people would look at it: a grid of images, or points in a plane.

    Args:
        images: [b, h, w, c] in [-1, 1]; images of two numbers are points.

    Returns:
        uint8 [h', w', c].
    """
    return points(images) if images.shape[1:] == (1, 1, 2) else grid(images)


def points(images: np.ndarray) -> np.ndarray:
    """A scatter plot of images of two numbers, [b, 1, 1, 2], over the square [-1.5, 1.5]²."""
    figure = matplotlib.figure.Figure(figsize=(4, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(*images.reshape(-1, 2).T, ".", markersize=4, alpha=0.6)
    axes.set(xlim=(-1.5, 1.5), ylim=(-1.5, 1.5), aspect="equal")
    return rendered(figure)


def rendered(figure: matplotlib.figure.Figure) -> np.ndarray:
    """A figure as a picture, uint8 [h, w, 3]."""
    with io.BytesIO() as file:
        figure.savefig(file, format="png", dpi=100)
        return iio.imread(file.getvalue())[..., :3]


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
    sheet = np.pad(
        sheet, [[0, rows * columns - batch], [0, gap], [0, gap], [0, 0]], constant_values=255
    )
    sheet = sheet.reshape(rows, columns, *sheet.shape[1:]).transpose(0, 2, 1, 3, 4)
    sheet = sheet.reshape(rows * (scale * height + gap), columns * (scale * width + gap), channels)
    return sheet[:-gap, :-gap]


def white_most(number: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Numbers of pixels as images: black is zero, white the largest of all.

    Args:
        number: [b, h, w, 1], not negative.
        image: of the shape to have, [b, h, w, c].

    Returns:
        [b, h, w, c], in [-1, 1].
    """
    return np.broadcast_to(2 * number / max(number.max(), 1e-6) - 1, image.shape)


def save(path: pathlib.Path, picture: np.ndarray) -> None:
    """Writes a picture [h, w, c], uint8, as PNG."""
    with files.written_aside(path) as aside:
        # by way of memory: on a full disk imageio's own file would print a traceback when it is closed
        aside.write_bytes(
            iio.imwrite(
                "<bytes>", picture[..., 0] if picture.shape[-1] == 1 else picture, extension=".png"
            )
        )


def ways(interpolate: Callable[..., np.ndarray], images: np.ndarray) -> np.ndarray:
    """A row for each two neighbouring images: the one, images on the way, the other.

    Args:
        interpolate: given `first`, `second` and `position` in [0, 1], a batch of each, the images between.
        images: [n, h, w, c], n at least 2.

    Returns:
        One picture; see `grid`.
    """
    rows = []
    for pair in zip(images[:-1:2], images[1::2], strict=False):
        first, second = (end[np.newaxis].repeat(POSITIONS, 0) for end in pair)
        between = interpolate(
            first=first, second=second, position=np.linspace(0, 1, POSITIONS, dtype=np.float32)
        )
        rows += [first[:1], between, second[:1]]
    return grid(np.concatenate(rows), columns=POSITIONS + 2)
