"""Sliced Wasserstein distance over patches of Laplacian pyramids, and textures to compare with."""

import numpy as np
import skimage.transform

from tfgen.errors import UserError

PATCH = 7
"""Side of a patch, in pixels of its pyramid level."""

QUANTILES = 1024
"""Number of quantiles by which projected patches are compared."""


def laplacian_pyramid(image: np.ndarray, levels: int) -> list[np.ndarray]:
    """Splits an image into bands, each half the size of the one before; they add up to the image.

    Args:
        image: [h, w, c].
        levels: number of levels, at least 1.

    Returns:
        Arrays [h', w', c], fine to coarse; the last is the low-pass rest.
    """
    pyramid = []
    # skimage's pyramid_laplacian leaves the low-pass rest out, and its bands do not add up
    for _ in range(levels - 1):
        coarse = skimage.transform.pyramid_reduce(image, channel_axis=-1)
        fine = skimage.transform.resize(coarse, image.shape, order=1)
        pyramid.append(image - fine)
        image = coarse
    return [*pyramid, image]


def patches(images: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Cuts all patches out of images, or a number of them, drawn without replacement.

    Args:
        images: [n, h, w, c].
        count: number of patches, at most.
        rng: draws the patches.

    Returns:
        [at most count, 49 c].
    """
    # views [n, h', w', c, 7, 7], of which only the chosen ones are copied
    windows = np.lib.stride_tricks.sliding_window_view(images, (PATCH, PATCH), axis=(1, 2))
    places = windows.shape[:3]
    total = int(np.prod(places))
    chosen = np.arange(total)
    if total > count:
        chosen = rng.choice(total, size=count, replace=False)
    found = windows[np.unravel_index(chosen, places)]
    return found.reshape(len(chosen), -1)


def sliced_wasserstein(
    reference: np.ndarray,
    images: np.ndarray,
    *,
    levels: int,
    count: int,
    projections: int,
    seed: int,
) -> list[float]:
    """Computes the distance between two sets of images at each level of their pyramids.

    At each level patches are normalised, channel by channel, by the reference's mean and standard
    deviation. The distance is 1000 times the mean of the one-dimensional Wasserstein-1 distances
    between the patches' projections on random unit vectors.

    Args:
        reference: [n, h, w, c].
        images: [m, h', w', c].
        levels: number of levels; the coarsest must hold a patch.
        count: number of patches of each set at a level, at most.
        projections: number of random directions.
        seed: of the patches and directions.

    Returns:
        The distance at each level, fine to coarse.

    Raises:
        UserError: if the images are too small for so many levels.

    Source: Karras et al., Progressive growing of GANs, 2018, section 5. Deviation: patches are
        normalised by the reference alone.
    """
    side = min(*reference.shape[1:3], *images.shape[1:3])
    least = PATCH * 2 ** (levels - 1)
    if side < least:
        raise UserError(f"levels: expected images of at least {least} pixels and found {side}")
    rng = np.random.default_rng(seed)
    distances = []
    for real, made in zip(_levels(reference, levels), _levels(images, levels), strict=True):
        # the reference's own moments for both, so that a wrong contrast counts as a difference
        mean = real.mean(axis=(0, 1, 2))
        std = real.std(axis=(0, 1, 2)) + 1e-8
        directions = rng.standard_normal((PATCH**2 * real.shape[-1], projections), np.float32)
        directions /= np.linalg.norm(directions, axis=0)
        quantiles = []
        for band in (real, made):
            chosen = patches((band - mean) / std, count, rng)
            quantiles.append(_quantiles(chosen @ directions))
        # in one dimension, the optimal transport pairs equal quantiles
        difference = np.abs(quantiles[0] - quantiles[1])
        distances.append(1e3 * float(difference.mean()))
    return distances


def _levels(images: np.ndarray, levels: int) -> list[np.ndarray]:
    """Returns the pyramids of images, a stack [n, h', w', c] for each level."""
    pyramids = [laplacian_pyramid(image, levels) for image in images.astype(np.float32)]
    return [np.stack(level) for level in zip(*pyramids, strict=True)]


def _quantiles(projected: np.ndarray) -> np.ndarray:
    """Returns `QUANTILES` quantiles of each column, so that sets of different sizes compare."""
    count = len(projected)
    # the middles of equal shares of the probability
    levels = (np.arange(QUANTILES) + 0.5) / QUANTILES
    ranks = np.rint(levels * count - 0.5).astype(int)
    return np.sort(projected, axis=0)[np.clip(ranks, 0, count - 1)]


def crops(images: np.ndarray, shape: tuple[int, int, int], rng: np.random.Generator) -> np.ndarray:
    """Cuts rectangles out of images, at places drawn uniformly from those where they fit.

    Args:
        images: [n, h, w, c].
        shape: count, height and width; a side that exceeds the images' becomes theirs.
        rng: draws the places.

    Returns:
        [count, height, width, c].
    """
    height = min(shape[1], images.shape[1])
    width = min(shape[2], images.shape[2])
    windows = np.lib.stride_tricks.sliding_window_view(images, (height, width), axis=(1, 2))
    # windows are [n, h', w', c, height, width]: draw an image and the place of a corner for each
    chosen = [rng.integers(side, size=shape[0]) for side in windows.shape[:3]]
    return np.moveaxis(windows[tuple(chosen)], 1, -1)


def phase_randomised(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Makes noise with an image's mean and spectrum, that is, with its second-order statistics.

    Args:
        image: [h, w, c].
        rng: draws the phases, the same for all channels.

    Returns:
        [h, w, c].

    Source: Galerne, Gousseau and Morel, Random phase textures, 2011.
    """
    # phases of real white noise: they are uniform, and their symmetry keeps the result real
    phase = np.fft.fft2(rng.standard_normal(image.shape[:2]))
    phase /= np.abs(phase)
    phase[0, 0] = 1  # the mean stays
    # one phase for all channels keeps the correlations between them
    spectrum = np.fft.fft2(image, axes=(0, 1)) * phase[..., None]
    return np.fft.ifft2(spectrum, axes=(0, 1)).real
