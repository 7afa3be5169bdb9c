"""Local minima of an energy, found by descent from images."""

from typing import NamedTuple

import numpy as np
from scipy.sparse.csgraph import connected_components
from sklearn.neighbors import NearestNeighbors

from tfgen import random
from tfgen.analysis.minibatch import MinibatchMap
from tfgen.samplers import Descent, run
from tfgen.types import EnergyFn


class Minima(NamedTuple):
    """The different ends of descents, the deepest first."""

    image: np.ndarray
    """The minima, [m, ...]."""
    energy: np.ndarray
    """U at each, [m], nats."""
    member: np.ndarray
    """The number of the minimum that each start descends to, [n]."""
    grad_norm: np.ndarray
    """|dU/dx| at each, [m]: near 0, but on kinks and where the steps did not suffice."""


def find(
    energy: EnergyFn,
    start: np.ndarray,
    *,
    kernel: Descent,
    num_steps: int,
    radius: float,
    minibatches: MinibatchMap,
) -> Minima:
    """Descends from many images and joins the ends that lie within a radius of each other.

    Args:
        energy: U.
        start: images to descend from, [n, ...].
        kernel: steepest descent.
        num_steps: of each descent, at most.
        radius: root-mean-square difference of pixels, in pixel units, below which two ends are one
            minimum. The deepest of its ends stands for it.
        minibatches: how many images descend at a time.

    Returns:
        The minima.

    Source: Divergence triangle, section on energy landscape mapping.
    """

    def descend(x):
        x, summary = run(kernel, energy, x, random.root(0), num_steps)
        return x, energy(x), summary.last.grad_norm

    end, u, grad_norm = minibatches.map("descents", descend, start)
    count, group = _groups(end, radius)
    order = np.argsort(u, kind="stable")
    _, first = np.unique(group[order], return_index=True)
    lowest = order[first]  # the deepest end of each group
    # groups are renumbered by depth: `number[group]` is the minimum's place in the result
    by_depth = np.argsort(u[lowest], kind="stable")
    number = np.empty(count, int)
    number[by_depth] = np.arange(count)
    lowest = lowest[by_depth]
    return Minima(
        image=end[lowest],
        energy=u[lowest].astype(float),
        member=number[group],
        grad_norm=grad_norm[lowest],
    )


def _groups(image: np.ndarray, radius: float) -> tuple[int, np.ndarray]:
    """Returns the number of groups of images that a chain of near ones joins, and each one's."""
    flat = image.reshape(len(image), -1)
    # a root mean square over d numbers is the Euclidean distance over √d
    distance = radius * np.sqrt(flat.shape[1])
    near = NearestNeighbors(radius=distance).fit(flat).radius_neighbors_graph()
    return connected_components(near, directed=False)
