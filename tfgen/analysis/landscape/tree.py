"""The disconnectivity graph: which minima are joined below which energy."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import pdist, squareform
from sklearn.neighbors import kneighbors_graph


class Node(NamedTuple):
    """Two groups of minima that are joined at an energy."""

    first: int
    second: int
    """Numbers of minima (0 to m - 1), or of earlier nodes (from m)."""
    height: float
    """The least highest energy on ways between the groups, nats."""


class Basins(NamedTuple):
    """Groups of minima that nothing higher than a threshold divides."""

    number: np.ndarray
    """The basin of each minimum, [m]; numbered from the deepest."""
    deepest: np.ndarray
    """The deepest minimum of each, [k]."""
    depth: np.ndarray
    """How far each lies below the first way out, [k], nats; infinite for the deepest of all."""


def candidates(image: np.ndarray, neighbours: int) -> np.ndarray:
    """Pairs of minima whose barriers are worth knowing: near ones, and what it takes to connect all.

    Args:
        image: minima, [m, ...].
        neighbours: of each.

    Returns:
        int [p, 2], the smaller number first, each pair once.
    """
    flat = image.reshape(len(image), -1)
    if len(flat) < 2:
        return np.empty((0, 2), int)
    near = kneighbors_graph(flat, min(neighbours, len(flat) - 1)).nonzero()
    connecting = minimum_spanning_tree(squareform(pdist(flat))).nonzero()
    pairs = np.concatenate([np.stack(ends, axis=1) for ends in (near, connecting)])
    return np.unique(np.sort(pairs, axis=1).astype(int), axis=0)


def joined(energy: np.ndarray, pairs: np.ndarray, barrier: np.ndarray) -> list[Node]:
    """Single linkage by barriers: the groups of minima, joined from the lowest barrier up.

    Args:
        energy: of the minima, [m].
        pairs: [p, 2], which connect all minima.
        barrier: of each pair, [p].

    Returns:
        m - 1 nodes, of rising heights.
    """
    count = len(energy)
    if count < 2:
        return []
    floor = energy.min()
    # scipy wants distances: barriers above the deepest minimum; pairs never looked at are joined after all others
    table = np.full((count, count), barrier.max() - floor + 1.0)
    table[pairs[:, 0], pairs[:, 1]] = table[pairs[:, 1], pairs[:, 0]] = barrier - floor
    np.fill_diagonal(table, 0.0)
    return [
        Node(int(a), int(b), float(h) + floor)
        for a, b, h, _ in linkage(squareform(table, checks=False), "single")
    ]


def minimax(count: int, nodes: Sequence[Node]) -> np.ndarray:
    """The height at which any two minima are joined, [m, m]; minus infinity on the diagonal."""
    heights = np.full((count, count), -np.inf)
    groups = [np.array([i]) for i in range(count)]
    for node in nodes:
        a, b = groups[node.first], groups[node.second]
        heights[np.ix_(a, b)] = node.height
        heights[np.ix_(b, a)] = node.height
        groups.append(np.concatenate([a, b]))
    return heights


def spanning(count: int, pairs: np.ndarray, barrier: np.ndarray) -> np.ndarray:
    """Which pairs alone decide how all minima are joined: those of a minimum spanning tree, booleans [p]."""
    # ranks from 1 keep the order of the barriers, and none is zero, which would stand for no pair
    rank = np.empty(len(pairs))
    rank[np.argsort(barrier, kind="stable")] = np.arange(1, len(pairs) + 1)
    tree = minimum_spanning_tree(coo_matrix((rank, pairs.T), shape=(count, count)).tocsr())
    return np.isin(rank, tree.data)


def basins(energy: np.ndarray, nodes: Sequence[Node], least_depth: float) -> Basins:
    """Groups of minima, each deeper than a threshold: what is shallower belongs to what it first joins.

    Args:
        energy: of the minima, [m].
        nodes: of their tree.
        least_depth: nats, not negative.

    Returns:
        The basins.
    """
    count = len(energy)
    bottom = list(energy)  # of each group, minima first
    inside = [[[i]] for i in range(count)]  # the basins of each group, its deepest first
    out = dict.fromkeys(
        range(count), np.inf
    )  # the first way out of the basin whose bottom is minimum i
    lowest = list(range(count))
    for node in nodes:
        deep, shallow = sorted((node.first, node.second), key=lambda g: bottom[g])
        own, other = inside[deep], inside[shallow]
        if node.height - bottom[shallow] < least_depth:
            own = [own[0] + other[0], *own[1:]]
            other = other[1:]
        else:
            out[lowest[shallow]] = node.height
        inside.append([*own, *other])
        bottom.append(bottom[deep])
        lowest.append(lowest[deep])
    found = sorted(inside[-1] if inside else [], key=lambda members: energy[members].min())
    number = np.empty(count, int)
    for k, members in enumerate(found):
        number[members] = k
    deepest = np.array([members[int(np.argmin(energy[members]))] for members in found], int)
    depth = np.array([out[i] - energy[i] for i in deepest])
    return Basins(number, deepest, depth)


def purity(group: np.ndarray, label: np.ndarray, least_size: int = 1) -> float:
    """The share of images whose label is their group's most frequent one.

    Args:
        group: of each image, int [n].
        label: of each image, int [n], not negative.
        least_size: smaller groups are left out, with their images.

    Returns:
        In (0, 1]; NaN if no group is large enough.
    """
    counts = [np.bincount(label[group == g]) for g in np.unique(group)]
    counts = [c for c in counts if c.sum() >= least_size]
    return (
        float(sum(c.max() for c in counts) / sum(c.sum() for c in counts))
        if counts
        else float("nan")
    )


def agreement(
    group: np.ndarray, label: np.ndarray, pairs: np.ndarray, barrier: np.ndarray
) -> float:
    """The share of minima whose most frequent label is that of the minimum behind their lowest barrier.

    Args:
        group: the minimum of each image, int [n], all of 0 to m - 1 among them.
        label: of each image, int [n], not negative.
        pairs: of minima, [p, 2], each minimum in some.
        barrier: of each pair, [p].

    Returns:
        In [0, 1].
    """
    usual = np.array([np.bincount(label[group == g]).argmax() for g in range(group.max() + 1)])
    ends, other = np.concatenate([pairs, pairs[:, ::-1]]).T
    order = np.argsort(np.concatenate([barrier, barrier]), kind="stable")
    first = np.unique(ends[order], return_index=True)[1]  # the lowest barrier of each minimum
    return float(np.mean(usual == usual[other[order][first]]))


def simplified(energy: np.ndarray, nodes: Sequence[Node], found: Basins) -> list[Node]:
    """The tree of basins alone: its leaves are their deepest minima, in the order of the basins."""
    rows, columns = np.triu_indices(len(found.deepest), 1)
    heights = minimax(len(energy), nodes)[np.ix_(found.deepest, found.deepest)]
    return joined(energy[found.deepest], np.stack([rows, columns], axis=1), heights[rows, columns])
