"""Sliced Wasserstein distance over the patches of Laplacian pyramids, and textures to compare with."""

import numpy as np
import skimage.transform

from tfgen.errors import UserError

PATCH = 7
"""Side of a patch, in pixels of its level."""


def laplacian_pyramid(image: np.ndarray, levels: int) -> list[np.ndarray]:
    """Band-passed versions of an image, each half the size of the one before; the last is the low-pass rest.

    Args:
        image: [h, w, c].
        levels: how many, at least 1.

    Returns:
        Arrays [h', w', c], fine to coarse.
    """
    pyramid = []
    for _ in range(levels - 1):
        coarse = skimage.transform.pyramid_reduce(image, channel_axis=-1)
        fine = skimage.transform.resize(coarse, image.shape, order=1)
        pyramid.append(image - fine)
        image = coarse
    return [*pyramid, image]


def patches(images: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """All patches of all images, or as many of them, drawn without replacement.

    Args:
        images: [n, h, w, c].
        count: the most patches.
        rng: draws.

    Returns:
        [at most count, 49 c].
    """
    windows = np.lib.stride_tricks.sliding_window_view(images, (PATCH, PATCH), axis=(1, 2))
    places = windows.shape[:3]
    total = int(np.prod(places))
    chosen = rng.choice(total, size=count, replace=False) if total > count else np.arange(total)
    return windows[np.unravel_index(chosen, places)].reshape(len(chosen), -1)


def sliced_wasserstein(
    reference: np.ndarray,
    images: np.ndarray,
    *,
    levels: int,
    count: int,
    projections: int,
    seed: int,
) -> list[float]:
    """The distance of two sets of images, level by level of their pyramids.

    At each level patches are normalised, channel by channel, by the reference's mean and standard
    deviation; the distance is the mean of the one-dimensional Wasserstein-1 distances of their projections
    on random unit vectors, times 1000.

    Args:
        reference: [n, h, w, c].
        images: [m, h', w', c].
        levels: of the pyramids; the coarsest must hold a patch.
        count: the most patches a level of each set.
        projections: random directions.
        seed: of the patches and directions.

    Returns:
        A distance a level, fine to coarse.

    Raises:
        UserError: if the images are too small for so many levels.

    Source: Karras et al., Progressive growing of GANs, 2018, section 5; here normalised by the reference alone.
    """
    side = min(min(x.shape[1:3]) for x in (reference, images))
    if side < PATCH * 2 ** (levels - 1):
        raise UserError(
            f"levels: expected images of at least {PATCH * 2 ** (levels - 1)} pixels and found {side}"
        )
    rng = np.random.default_rng(seed)
    ours, theirs = (_levels(x.astype(np.float32), levels) for x in (reference, images))
    distances = []
    for a, b in zip(ours, theirs, strict=True):
        mean, std = a.mean(axis=(0, 1, 2)), a.std(axis=(0, 1, 2)) + 1e-8
        directions = rng.standard_normal((PATCH**2 * a.shape[-1], projections), np.float32)
        directions /= np.linalg.norm(directions, axis=0)
        a, b = (_quantiles(patches((x - mean) / std, count, rng) @ directions) for x in (a, b))
        distances.append(1e3 * float(np.abs(a - b).mean()))
    return distances


def _levels(images: np.ndarray, levels: int) -> list[np.ndarray]:
    return [
        np.stack(level)
        for level in zip(*(laplacian_pyramid(i, levels) for i in images), strict=True)
    ]


def _quantiles(projected: np.ndarray) -> np.ndarray:
    """1024 quantiles of each column: what sets of different sizes are compared by."""
    ranks = (np.arange(1024) + 0.5) / 1024 * len(projected) - 0.5
    return np.sort(projected, axis=0)[np.clip(np.rint(ranks).astype(int), 0, len(projected) - 1)]


def crops(images: np.ndarray, shape: tuple[int, int, int], rng: np.random.Generator) -> np.ndarray:
    """Rectangles of images, drawn uniformly from the places where they fit.

    Args:
        images: [n, h, w, c].
        shape: count, height and width; a side that exceeds the images' becomes theirs.
        rng: draws.

    Returns:
        [count, height, width, c].
    """
    height, width = (min(sides) for sides in zip(shape[1:], images.shape[1:3], strict=True))
    windows = np.lib.stride_tricks.sliding_window_view(images, (height, width), axis=(1, 2))
    chosen = [rng.integers(side, size=shape[0]) for side in windows.shape[:3]]
    return np.moveaxis(windows[tuple(chosen)], 1, -1)


def phase_randomised(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Noise with an image's mean and spectrum: all that second-order statistics tell of it.

    Args:
        image: [h, w, c].
        rng: draws the phases, the same for all channels.

    Returns:
        [h, w, c].

    Source: Galerne, Gousseau and Morel, Random phase textures, 2011.
    """
    phase = np.fft.fft2(rng.standard_normal(image.shape[:2]))
    phase /= np.abs(phase)
    phase[0, 0] = 1
    return np.fft.ifft2(np.fft.fft2(image, axes=(0, 1)) * phase[..., None], axes=(0, 1)).real
