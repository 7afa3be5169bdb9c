"""The local minima of an energy that images descend to."""

from typing import NamedTuple

import numpy as np
from scipy.sparse.csgraph import connected_components
from sklearn.neighbors import NearestNeighbors

from tfgen import random
from tfgen.analysis.minibatch import MinibatchMap
from tfgen.samplers import Descent, run
from tfgen.types import EnergyFn


class Minima(NamedTuple):
    """Where descents end, each place once, the deepest first."""

    image: np.ndarray
    """[m, ...]"""
    energy: np.ndarray
    """U there, [m], nats."""
    member: np.ndarray
    """The minimum that each start descends to, [n]."""
    slope: np.ndarray
    """|dU/dx| there, [m]: near 0 but on kinks, or where the steps did not suffice."""


def find(
    energy: EnergyFn,
    start: np.ndarray,
    *,
    kernel: Descent,
    num_steps: int,
    radius: float,
    work: MinibatchMap,
) -> Minima:
    """Steepest descent from many images; ends within a radius of each other are one minimum.

    Args:
        energy: U.
        start: [n, ...].
        kernel: how images descend.
        num_steps: the most steps of each.
        radius: root-mean-square difference of pixels, in pixel units, below which two ends are joined.
        work: how many descend at a time.

    Returns:
        The minima.

    Source: Divergence triangle, section on energy landscape mapping.
    """

    def descend(x):
        x, summary = run(kernel, energy, x, random.root(0), num_steps)
        return x, energy(x), summary.last.grad_norm

    end, u, slope = work.map("descents", descend, start)
    flat = end.reshape(len(end), -1)
    near = (
        NearestNeighbors(radius=radius * np.sqrt(flat.shape[1])).fit(flat).radius_neighbors_graph()
    )
    count, group = connected_components(near, directed=False)
    order = np.argsort(u, kind="stable")
    _, first = np.unique(group[order], return_index=True)
    lowest = order[first]  # of each group
    rank = np.argsort(u[lowest], kind="stable")
    number = np.empty(count, int)
    number[rank] = np.arange(count)
    lowest = lowest[rank]
    return Minima(end[lowest], u[lowest].astype(float), number[group], slope[lowest])
