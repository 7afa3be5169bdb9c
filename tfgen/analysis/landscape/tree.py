"""The tree of minima: which of them are joined below which energy."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import pdist, squareform
from sklearn.neighbors import kneighbors_graph


class Node(NamedTuple):
    """A join of two groups of minima."""

    first: int
    second: int
    """Numbers of two minima (0 to m - 1), or of earlier nodes (from m)."""
    height: float
    """The lowest barrier between the groups, nats."""


class Basins(NamedTuple):
    """Groups of minima that no barrier above a threshold divides."""

    number: np.ndarray
    """The number of each minimum's basin, [m]; basin 0 is the deepest."""
    deepest: np.ndarray
    """The number of each basin's deepest minimum, [k]."""
    depth: np.ndarray
    """How far it lies below the lowest way out, [k], nats; infinite for the deepest of all."""


def candidates(image: np.ndarray, neighbours: int) -> np.ndarray:
    """Chooses pairs of minima whose barriers to compute: neighbours, and pairs that connect all.

    Args:
        image: minima, [m, ...].
        neighbours: number of nearest neighbours of each.

    Returns:
        int [p, 2], the smaller number first, each pair once.
    """
    flat = image.reshape(len(image), -1)
    if len(flat) < 2:
        return np.empty((0, 2), int)
    # neighbours alone may leave islands; a spanning tree of distances connects them
    near = kneighbors_graph(flat, min(neighbours, len(flat) - 1)).nonzero()
    connecting = minimum_spanning_tree(squareform(pdist(flat))).nonzero()
    pairs = np.concatenate([np.stack(near, axis=1), np.stack(connecting, axis=1)])
    return np.unique(np.sort(pairs, axis=1).astype(int), axis=0)


def joined(energy: np.ndarray, pairs: np.ndarray, barrier: np.ndarray) -> list[Node]:
    """Joins minima into a tree, from the lowest barrier up: single linkage by barriers.

    Args:
        energy: of the minima, [m].
        pairs: of minima, [p, 2]; they connect all.
        barrier: of each pair, [p].

    Returns:
        m - 1 nodes, of rising heights.
    """
    count = len(energy)
    if count < 2:
        return []
    floor = energy.min()
    # scipy takes distances: barriers above the deepest minimum, and more for pairs without one
    distance = np.full((count, count), barrier.max() - floor + 1.0)
    distance[pairs[:, 0], pairs[:, 1]] = barrier - floor
    distance[pairs[:, 1], pairs[:, 0]] = barrier - floor
    np.fill_diagonal(distance, 0.0)
    nodes = []
    for first, second, height, _ in linkage(squareform(distance, checks=False), "single"):
        nodes.append(Node(int(first), int(second), float(height) + floor))
    return nodes


def minimax(count: int, nodes: Sequence[Node]) -> np.ndarray:
    """Returns the height at which any two minima are joined, nats.

    Args:
        count: m, the number of minima.
        nodes: of their tree.

    Returns:
        [m, m], minus infinity on the diagonal.
    """
    heights = np.full((count, count), -np.inf)
    groups = [np.array([i]) for i in range(count)]
    for node in nodes:
        a, b = groups[node.first], groups[node.second]
        heights[np.ix_(a, b)] = node.height
        heights[np.ix_(b, a)] = node.height
        groups.append(np.concatenate([a, b]))
    return heights


def spanning(count: int, pairs: np.ndarray, barrier: np.ndarray) -> np.ndarray:
    """Finds the pairs that alone decide how minima are joined: those of a minimum spanning tree.

    Args:
        count: number of minima.
        pairs: of minima, [p, 2]; they connect all.
        barrier: of each pair, [p].

    Returns:
        bool [p].
    """
    # ranks in place of barriers, from 1: in a sparse matrix a zero stands for no pair
    rank = np.empty(len(pairs))
    rank[np.argsort(barrier, kind="stable")] = np.arange(1, len(pairs) + 1)
    tree = minimum_spanning_tree(coo_matrix((rank, pairs.T), shape=(count, count)).tocsr())
    return np.isin(rank, tree.data)


def basins(energy: np.ndarray, nodes: Sequence[Node], least_depth: float) -> Basins:
    """Groups minima into basins, each deeper than a threshold.

    A group that is shallower belongs to the group that it is first joined with.

    Args:
        energy: of the minima, [m].
        nodes: of their tree.
        least_depth: of a basin, nats, not negative.

    Returns:
        The basins.
    """
    count = len(energy)
    # at a minimum that is its basin's deepest: the lowest energy at which the basin opens
    way_out = np.full(count, np.inf)
    # Groups are numbered as in `nodes`: single minima, then joins. For each group, `inside` lists
    # its basins, of which the first holds the group's deepest minimum; `lowest` is that minimum.
    inside = [[[i]] for i in range(count)]
    lowest = list(range(count))
    for node in nodes:
        deep, shallow = sorted((node.first, node.second), key=lambda group: energy[lowest[group]])
        own, other = inside[deep], inside[shallow]
        # only the shallower group can drown in this join: the deeper one has its way out above
        if node.height - energy[lowest[shallow]] < least_depth:
            own = [own[0] + other[0], *own[1:]]
            other = other[1:]
        else:
            way_out[lowest[shallow]] = node.height
        inside.append(own + other)
        lowest.append(lowest[deep])
    found = sorted(inside[-1] if inside else [], key=lambda members: energy[members].min())
    number = np.empty(count, int)
    for k, members in enumerate(found):
        number[members] = k
    bottoms = [min(members, key=lambda minimum: energy[minimum]) for members in found]
    deepest = np.array(bottoms, int)
    return Basins(number, deepest, way_out[deepest] - energy[deepest])


def purity(group: np.ndarray, label: np.ndarray, least_size: int = 1) -> float:
    """Computes the share of images whose label is the most frequent one of their group.

    Args:
        group: of each image, int [n].
        label: of each image, int [n], not negative.
        least_size: groups with fewer images are left out, with their images.

    Returns:
        In (0, 1]; NaN if no group is large enough.
    """
    counts = [np.bincount(label[group == g]) for g in np.unique(group)]
    counts = [count for count in counts if count.sum() >= least_size]
    if not counts:
        return float("nan")
    most_frequent = sum(count.max() for count in counts)
    return float(most_frequent / sum(count.sum() for count in counts))


def agreement(
    group: np.ndarray, label: np.ndarray, pairs: np.ndarray, barrier: np.ndarray
) -> float:
    """Computes the share of minima with the label of the minimum behind their lowest barrier.

    The label of a minimum is the most frequent one of the images that descend to it.

    Args:
        group: the minimum of each image, int [n]; each of 0 to m - 1 occurs.
        label: of each image, int [n], not negative.
        pairs: of minima, [p, 2], each minimum in some.
        barrier: of each pair, [p].

    Returns:
        In [0, 1].
    """
    counts = [np.bincount(label[group == number]) for number in range(group.max() + 1)]
    usual = np.array([count.argmax() for count in counts])
    ends, other = np.concatenate([pairs, pairs[:, ::-1]]).T
    order = np.argsort(np.concatenate([barrier, barrier]), kind="stable")
    # np.unique gives the first place of each minimum, here that of its lowest barrier
    first = np.unique(ends[order], return_index=True)[1]
    return float(np.mean(usual == usual[other[order][first]]))


def simplified(energy: np.ndarray, nodes: Sequence[Node], found: Basins) -> list[Node]:
    """Returns the tree of basins alone: its leaves are their deepest minima, in their order."""
    rows, columns = np.triu_indices(len(found.deepest), 1)
    heights = minimax(len(energy), nodes)[np.ix_(found.deepest, found.deepest)]
    pairs = np.stack([rows, columns], axis=1)
    return joined(energy[found.deepest], pairs, heights[rows, columns])
