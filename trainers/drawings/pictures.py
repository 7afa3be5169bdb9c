"""Pictures of batches, for people to look at; of clips they are films, or strips of frames."""

import io
import pathlib
from collections.abc import Callable

import imageio.v3 as iio
import matplotlib.figure
import numpy as np
import skimage.util
from PIL import Image

from tfgen import files
from tfgen.data import preprocess

POSITIONS = 10
"""Number of images between two that are interpolated."""

GAP = 2
"""Width of the white lines of a grid, in pixels."""

FILM = ".gif"
"""The suffix of films."""

MILLISECONDS = 80
"""That a film shows each frame."""

STRIP = 8
"""Frames of a film that a strip shows, at most."""


def sheet(images: np.ndarray) -> np.ndarray:
    """Draws a batch: a grid of images, or a scatter plot of points.

    Args:
        images: [b, h, w, c] in [-1, 1]; images of shape [1, 1, 2] are points in the plane. Or clips
            [b, t, h, w, c].

    Returns:
        uint8 [h', w', c], or a film of such, [t, h', w', c].
    """
    return points(images) if images.shape[1:] == (1, 1, 2) else grid(images)


def points(images: np.ndarray) -> np.ndarray:
    """Draws a scatter plot of points, [b, 1, 1, 2], over the square [-1.5, 1.5]²."""
    figure = matplotlib.figure.Figure(figsize=(4, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(*images.reshape(-1, 2).T, ".", markersize=4, alpha=0.6)
    axes.set(xlim=(-1.5, 1.5), ylim=(-1.5, 1.5), aspect="equal")
    return rendered(figure)


def rendered(figure: matplotlib.figure.Figure) -> np.ndarray:
    """Renders a figure, uint8 [h, w, 3]."""
    with io.BytesIO() as file:
        figure.savefig(file, format="png", dpi=100)
        return iio.imread(file.getvalue())[..., :3]


def grid(images: np.ndarray, columns: int | None = None, side: int = 64) -> np.ndarray:
    """Draws a batch as a grid, with white lines between the images.

    Args:
        images: [b, h, w, c] in [-1, 1]; other values are clipped, and no contrast is stretched. Or
            clips [b, t, h, w, c].
        columns: images in a row; by default about as many as rows.
        side: images smaller than this, in pixels, are enlarged by a whole factor.

    Returns:
        uint8 [h', w', c], or a film of such, [t, h', w', c].
    """
    if images.ndim == 5:
        return np.stack([grid(frame, columns, side) for frame in np.moveaxis(images, 1, 0)])
    batch, height, width, channels = images.shape
    columns = columns or int(np.ceil(np.sqrt(batch)))
    scale = max(1, side // max(height, width))
    enlarged = preprocess.to_uint8(images).repeat(scale, axis=1).repeat(scale, axis=2)
    framed = skimage.util.montage(
        enlarged,
        fill=[255] * channels,
        grid_shape=(-(-batch // columns), columns),
        padding_width=GAP,
        channel_axis=-1,
    )
    return framed[GAP:-GAP, GAP:-GAP]


def heatmap(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Turns maps of values into images: zero is black, the largest of all values is white.

    Args:
        values: [b, h, w, 1], not negative; of clips [b, t, h, w, 1].
        shape: of the images, (b, h, w, c), or of the clips.

    Returns:
        An array of this shape, in [-1, 1].
    """
    return np.broadcast_to(2 * values / max(values.max(), 1e-6) - 1, shape)


def strip(film: np.ndarray) -> np.ndarray:
    """Lays frames of a film side by side, `STRIP` of them at most, from the first to the last.

    Args:
        film: uint8 [t, h, w, c].

    Returns:
        uint8 [h, w', c].
    """
    chosen = np.unique(np.linspace(0, len(film) - 1, STRIP).round().astype(int))
    white = np.full((film.shape[1], 2 * GAP, film.shape[3]), 255, np.uint8)
    parts = [part for number in chosen for part in (film[number], white)]
    return np.concatenate(parts[:-1], axis=1)


def gif(film: np.ndarray) -> bytes:
    """Encodes a film [t, h, w, c], uint8, as an animated GIF that begins anew at its end."""
    frames = [Image.fromarray(frame[..., 0] if frame.shape[-1] == 1 else frame) for frame in film]
    with io.BytesIO() as file:
        options = {"append_images": frames[1:], "duration": MILLISECONDS, "loop": 0}
        frames[0].save(file, format="GIF", save_all=True, **options)
        return file.getvalue()


def png(picture: np.ndarray) -> bytes:
    """Encodes a picture [h, w, c], uint8, as PNG."""
    single = picture.shape[-1] == 1
    return iio.imwrite("<bytes>", picture[..., 0] if single else picture, extension=".png")


def save(path: pathlib.Path, picture: np.ndarray) -> None:
    """Writes a picture [h, w, c], uint8, as PNG; a film [t, h, w, c] as a strip, or as GIF.

    Args:
        path: `.gif` writes a film whole.
        picture: or film.
    """
    if path.suffix == FILM:
        content = gif(picture)
    else:
        content = png(strip(picture) if picture.ndim == 4 else picture)
    with files.written_aside(path) as aside:
        # encoded in memory: on a full disk imageio would print a traceback when it closes its file
        aside.write_bytes(content)


def interpolations(interpolate: Callable[..., np.ndarray], images: np.ndarray) -> np.ndarray:
    """Draws a row for each two neighbouring images: the one, images between, the other.

    Args:
        interpolate: computes images from the keywords `first`, `second` and `position` in [0, 1], a
            batch of each.
        images: [n, h, w, c], n at least 2.

    Returns:
        A picture; see `grid`.
    """
    position = np.linspace(0, 1, POSITIONS, dtype=np.float32)
    rows = []
    for first, second in zip(images[:-1:2], images[1::2], strict=False):
        first, second = first[np.newaxis], second[np.newaxis]
        between = interpolate(
            first=first.repeat(POSITIONS, axis=0),
            second=second.repeat(POSITIONS, axis=0),
            position=position,
        )
        rows += [first, between, second]
    return grid(np.concatenate(rows), columns=POSITIONS + 2)
