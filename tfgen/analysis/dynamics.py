"""How films move and look: statistics of clips that do not depend on when something happens."""

import itertools
from typing import NamedTuple

import numpy as np

FLOOR = 1e-7
"""Power, in pixel units squared, that is added to spectra: below what 8 bits resolve."""


class Statistics(NamedTuple):
    """What is measured of clips; averages over clips, places and colours, but for `mean`.

    Attributes:
        motion: mean square of the difference between a frame and the next.
        temporal: power of these differences at each frequency in time, [t // 2].
        spatial: power of frames at each frequency in space, by octaves, [octaves].
        mean: the mean frame, [h, w, c].
        spread: standard deviation over time of each pixel, [h, w, c].
    """

    motion: float
    temporal: np.ndarray
    spatial: np.ndarray
    mean: np.ndarray
    spread: np.ndarray


def statistics(clips: np.ndarray) -> Statistics:
    """Computes the statistics of clips.

    Args:
        clips: [n, t, h, w, c] in [-1, 1], at least 3 frames each.
    """
    x = clips.astype(np.float64)
    differences = np.diff(x, axis=1)
    frames = x.reshape(-1, *x.shape[2:])
    return Statistics(
        motion=float((differences**2).mean()),
        temporal=_temporal(differences),
        spatial=_spatial(frames),
        mean=frames.mean(axis=0),
        spread=frames.std(axis=0),
    )


def distances(found: Statistics, wanted: Statistics) -> dict[str, float]:
    """Compares the statistics of clips with those of others, of the same sizes.

    Args:
        found: of the clips to judge.
        wanted: of those that they should be like.

    Returns:
        `motion`, the ratio of the motions: 1 as much, 0 frozen. The others are 0 where the clips
        are alike: `temporal` and `spatial`, the mean absolute differences of the logarithms of the
        spectra; `mean` and `spread`, root mean square differences in pixel units.
    """
    return {
        "motion": found.motion / max(wanted.motion, FLOOR),
        "temporal": _log_distance(found.temporal, wanted.temporal),
        "spatial": _log_distance(found.spatial, wanted.spatial),
        "mean": _rms(found.mean - wanted.mean),
        "spread": _rms(found.spread - wanted.spread),
    }


def novelty(clips: np.ndarray, known: np.ndarray) -> float:
    """Computes how far clips are from the nearest of those that are known, on average.

    Args:
        clips: [n, t, h, w, c].
        known: [m, t, h, w, c].

    Returns:
        A root mean square in pixel units; 0 for copies.
    """
    nearest = [min(float(((clip - other) ** 2).mean()) for other in known) for clip in clips]
    return float(np.mean(np.sqrt(nearest)))


def _temporal(differences: np.ndarray) -> np.ndarray:
    """Returns the power of differences [n, t, ...] at each frequency but zero."""
    length = differences.shape[1]
    window = np.hanning(length + 2)[1:-1]
    window /= np.sqrt((window**2).sum())
    shape = (1, length, *[1] * (differences.ndim - 2))
    power = np.abs(np.fft.rfft(differences * window.reshape(shape), axis=1)) ** 2
    return power.mean(axis=(0, *range(2, power.ndim)))[1:]


def _spatial(frames: np.ndarray) -> np.ndarray:
    """Returns the power of frames [n, h, w, c] in octaves of frequency, the lowest first."""
    height, width = frames.shape[1:3]
    power = np.abs(np.fft.fft2(frames, axes=(1, 2))) ** 2 / (height * width)
    power = power.mean(axis=(0, 3))
    rows, columns = np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None]
    frequency = np.sqrt(rows**2 + columns**2)
    octaves = max(1, int(np.log2(min(height, width))) - 1)
    edges = [0.0, *(0.5 / 2**number for number in reversed(range(1, octaves))), 1.0]
    bands = [(frequency > low) & (frequency <= high) for low, high in itertools.pairwise(edges)]
    return np.array([power[band].mean() for band in bands if band.any()])


def _log_distance(found: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.abs(np.log(found + FLOOR) - np.log(wanted + FLOOR)).mean())


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt((values**2).mean()))
