"""Measures the lattice that convolutions with strides leave in synthesized images."""

import numpy as np

PERIODS = (2, 3, 4)
"""Pixels, in each direction, after which a lattice repeats."""

TINY = 1e-12


def strength(images: np.ndarray) -> float:
    """Computes how far the power of the finest details is tied to places modulo a small period.

    A lattice puts more of this power on some rows than on others. Where rows are alike, the sum of
    the power with a phase that turns once a period is near 0. It need not show as a peak of the
    spectrum, since the details themselves have all frequencies.

    Args:
        images: [n, h, w, c], sides above 4.

    Returns:
        The length of that sum relative to the sum without phases, for the period where it is
        largest; the mean over images and both directions. In [0, 1]: 0 without details.
    """
    grey = images.mean(axis=-1)
    found = [_by_period(view) for image in grey for view in (image, image.T)]
    return float(np.max(np.mean(found, axis=0)))


def _by_period(image: np.ndarray) -> list[float]:
    """Returns the strength of a lattice of columns, [h, w], for each of the periods."""
    details = image[:, 1:-1] - (image[:, 2:] + image[:, :-2]) / 2
    power = np.sum(details**2, axis=0)
    columns = np.arange(len(power))
    return [
        float(np.abs(np.sum(power * np.exp(-2j * np.pi * columns / period))) / (power.sum() + TINY))
        for period in PERIODS
    ]
