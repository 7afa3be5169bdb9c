"""Compares textures by joint statistics of the responses of oriented filters.

Two textures look alike when these statistics agree (Portilla and Simoncelli, A parametric texture
model based on joint statistics of complex wavelet coefficients, 2000). Deviations: bands keep the
picture's size; correlations are coefficients in [-1, 1], so that groups of statistics compare;
quantiles of the pixels stand in for their skewness and kurtosis.
"""

import dataclasses
import itertools
from collections.abc import Iterator

import numpy as np
from scipy import ndimage

from tfgen.errors import UserError

ORIENTATIONS = 4
"""Number of orientations of the filters."""

REACH = 3
"""Largest displacement of a correlation, in samples of its band."""

QUANTILES = 64
"""Number of quantiles by which pixels are compared."""

FINE, COARSE = 1.0, 4.0
"""Deviations of the blurs, in pixels, that tell grain from details and colour from both."""

WEAKEST = 0.3
"""Least deviation that an axis of colour is divided by, relative to the strongest axis."""

FAINT = 0.1
"""Deviation of a band, relative to the picture's, below which differences hardly count."""

TINY = 1e-8


@dataclasses.dataclass(frozen=True)
class Bands:
    """Responses of the filters of one octave.

    Attributes:
        scale: 0 for the finest octave, frequencies above a quarter of a cycle per pixel.
        response: complex [orientations, h, w, c]; the real part is even, the imaginary part odd.
    """

    scale: int
    response: np.ndarray

    @property
    def magnitude(self) -> np.ndarray:
        """Local energy of the responses, [orientations, h, w, c]."""
        return np.abs(self.response)

    @property
    def picture(self) -> np.ndarray:
        """The octave as a picture: the sum of all orientations, [h, w, c]."""
        return self.response.real.sum(axis=0)


def distances(reference: np.ndarray, images: np.ndarray, *, scales: int) -> dict[str, float]:
    """Computes how far the mean statistics of images are from those of a reference.

    Args:
        reference: [n, h, w, c] in [-1, 1].
        images: [m, h', w', c] in [-1, 1].
        scales: number of octaves; the coarsest must fit into the images four times.

    Returns:
        The root mean square difference within each group of statistics, by the group's name, and
        `all`, the root mean square of the groups. 0 where all statistics agree.

    Raises:
        UserError: if the images are too small for so many octaves.
    """
    least = 2 ** (scales + 2)
    side = min(*reference.shape[1:3], *images.shape[1:3])
    if side < least:
        raise UserError(f"scales: expected images of at least {least} pixels and found {side}")
    colours = Colours.of(reference)
    expected = _mean([dict(statistics(colours.turned(image), scales)) for image in reference])
    found = _mean([dict(statistics(colours.turned(image), scales)) for image in images])
    groups = {
        name: float(np.sqrt(np.mean(np.square(found[name] - expected[name])))) for name in expected
    }
    return groups | {"all": float(np.sqrt(np.mean(np.square(list(groups.values())))))}


def grain(images: np.ndarray) -> float:
    """Computes the power of the finest details of images: what a blur of one pixel removes.

    Args:
        images: [n, h, w, c].

    Returns:
        The mean square over pixels and channels; white noise of variance v has 0.86 v.
    """
    return float(np.mean(np.square(images - _blurred(images, FINE))))


def chroma(images: np.ndarray) -> float:
    """Computes the spread of colour between places of images, brightness left out.

    Args:
        images: [n, h, w, c].

    Returns:
        The standard deviation of what channels differ from their mean in, after a blur of four
        pixels; 0 for grey images.
    """
    coloured = images - images.mean(axis=-1, keepdims=True)
    smooth = _blurred(coloured, COARSE)
    return float(np.sqrt(np.mean(np.var(smooth, axis=(0, 1, 2)))))


def grain_ratio(reference: np.ndarray, images: np.ndarray) -> float:
    """Computes the grain of images relative to a reference's; 1 where they agree."""
    return grain(images) / (grain(reference) + TINY)


def chroma_ratio(reference: np.ndarray, images: np.ndarray) -> float:
    """Computes the chroma of images relative to a reference's; 1 where they agree."""
    return chroma(images) / (chroma(reference) + TINY)


@dataclasses.dataclass(frozen=True)
class Colours:
    """The principal axes of a reference's colours, each scaled to variance 1.

    Attributes:
        mean: [c].
        axes: [c, c], applied from the right.
    """

    mean: np.ndarray
    axes: np.ndarray

    @classmethod
    def of(cls, images: np.ndarray) -> "Colours":
        """Returns the axes of images [n, h, w, c]."""
        pixels = images.reshape(-1, images.shape[-1]).astype(np.float64)
        covariance = np.atleast_2d(np.cov(pixels, rowvar=False))
        variances, vectors = np.linalg.eigh(covariance)
        # the eye does not see a weak axis enlarged to the contrast of the strongest
        scale = np.sqrt(np.maximum(variances, WEAKEST**2 * variances[-1]) + TINY)
        return cls(pixels.mean(axis=0), vectors / scale)

    def turned(self, image: np.ndarray) -> np.ndarray:
        """Returns an image [h, w, c] in these axes."""
        return (image - self.mean) @ self.axes


def bands(image: np.ndarray, scales: int) -> list[Bands]:
    """Filters an image by analytic oriented filters of one octave each.

    Args:
        image: [h, w, c].
        scales: number of octaves.

    Returns:
        The octaves, fine to coarse. Borders are mirrored, so nothing wraps around.
    """
    margin = min(2 ** (scales + 1), min(image.shape[:2]) - 1)
    padded = np.pad(image, ((margin, margin), (margin, margin), (0, 0)), mode="reflect")
    spectrum = np.fft.fft2(padded, axes=(0, 1))
    rows = np.fft.fftfreq(padded.shape[0])[:, None]
    columns = np.fft.fftfreq(padded.shape[1])[None, :]
    octave = np.log2(np.maximum(np.hypot(rows, columns), TINY))
    angle = np.arctan2(rows, columns)
    inner = slice(margin, -margin)
    found = []
    for scale in range(scales):
        # cosine of the logarithm of the frequency, centred at 1/2, 1/4, ... cycles per pixel
        radial = np.cos(np.pi / 2 * np.clip(octave + 1 + scale, -1, 1))
        responses = []
        for number in range(ORIENTATIONS):
            towards = np.cos(angle - np.pi * number / ORIENTATIONS)
            # half of the plane alone makes the response complex: an even and an odd filter
            mask = radial * np.maximum(towards, 0) ** (ORIENTATIONS - 1)
            response = np.fft.ifft2(spectrum * mask[..., None], axes=(0, 1))
            responses.append(response[inner, inner])
        found.append(Bands(scale, np.stack(responses)))
    return found


def statistics(image: np.ndarray, scales: int) -> Iterator[tuple[str, np.ndarray]]:
    """Yields the groups of statistics of an image.

    Args:
        image: [h, w, c], of variance about 1 in each channel.
        scales: number of octaves.

    Yields:
        Names and one-dimensional arrays:
        `pixels`: quantiles of each channel.
        `spectrum`: logarithms of the deviation of each band.
        `repetition`: correlations of each octave with itself, displaced.
        `structure`: the same of local energies: where edges and grain stand together.
        `crossings`: correlations of local energies between orientations and channels.
        `edges`: correlations of local energies and of phases between neighbouring octaves.
    """
    octaves = bands(image, scales)
    levels = (np.arange(QUANTILES) + 0.5) / QUANTILES
    yield "pixels", np.quantile(image, levels, axis=(0, 1)).ravel()
    spread = [np.sqrt(np.mean(np.square(octave.magnitude), axis=(1, 2))) for octave in octaves]
    yield "spectrum", np.log(np.stack(spread) + FAINT).ravel()
    repeated = [_displaced(octave.picture, 2**octave.scale) for octave in octaves]
    yield "repetition", np.concatenate(repeated)
    energies = [
        _displaced(energy, 2**octave.scale) for octave in octaves for energy in octave.magnitude
    ]
    yield "structure", np.concatenate(energies)
    yield "crossings", np.concatenate([_crossings(octave.magnitude) for octave in octaves])
    pairs = itertools.pairwise(octaves)
    yield "edges", np.concatenate([_between(fine, coarse) for fine, coarse in pairs])


def _displaced(channels: np.ndarray, step: int) -> np.ndarray:
    """Correlates each channel [h, w, c] with itself, displaced by multiples of a step."""
    whitened = _standardised(channels)
    height, width = channels.shape[:2]
    found = []
    for down in range(REACH + 1):
        for right in range(-REACH, REACH + 1):
            if down == 0 and right <= 0:
                continue  # nothing, or the mirror image of another displacement
            rows, columns = down * step, abs(right) * step
            if rows >= height or columns >= width:
                continue
            here, there = whitened[: height - rows], whitened[rows:]
            left, moved = slice(0, width - columns), slice(columns, width)
            if right < 0:
                left, moved = moved, left
            found.append(np.mean(here[:, left] * there[:, moved], axis=(0, 1)))
    return np.concatenate(found)


def _crossings(energy: np.ndarray) -> np.ndarray:
    """Correlates local energies [orientations, h, w, c] with each other."""
    stacked = np.moveaxis(energy, 0, -1)
    flat = _standardised(stacked.reshape(*stacked.shape[:2], -1)).reshape(-1, stacked[0, 0].size)
    matrix = flat.T @ flat / len(flat)
    return matrix[np.triu_indices(len(matrix), k=1)]


def _between(fine: Bands, coarse: Bands) -> np.ndarray:
    """Correlates an octave with the next coarser one, by orientation and channel."""
    energies = _standardised_all(fine.magnitude) * _standardised_all(coarse.magnitude)
    # the coarse phase turns half as fast; doubled, it can agree with the fine one along an edge
    doubled = coarse.response**2 / (np.abs(coarse.response) + TINY)
    norm = np.sqrt(
        np.mean(np.abs(fine.response) ** 2, axis=(1, 2))
        * np.mean(np.abs(doubled) ** 2, axis=(1, 2))
    )
    phases = np.mean(fine.response * doubled.conj(), axis=(1, 2)) / (norm + TINY)
    parts = [energies.mean(axis=(1, 2)), phases.real, phases.imag]
    return np.concatenate([part.ravel() for part in parts])


def _standardised(channels: np.ndarray) -> np.ndarray:
    """Returns channels [h, w, c] of mean 0 and deviation 1."""
    return (channels - channels.mean(axis=(0, 1))) / (channels.std(axis=(0, 1)) + TINY)


def _standardised_all(responses: np.ndarray) -> np.ndarray:
    """Returns the channels of each orientation of mean 0 and deviation 1."""
    return np.stack([_standardised(channels) for channels in responses])


def _blurred(images: np.ndarray, deviation: float) -> np.ndarray:
    """Blurs images [n, h, w, c] by a Gaussian, borders mirrored."""
    return ndimage.gaussian_filter(images, (0, deviation, deviation, 0), mode="reflect")


def _mean(found: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Averages statistics over images, by name."""
    return {name: np.mean([one[name] for one in found], axis=0) for name in found[0]}
