"""The layout of a disconnectivity graph."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tfgen.analysis.landscape.tree import Node


class Graph(NamedTuple):
    """Lines of a tree that is drawn with energy upwards."""

    place: np.ndarray
    """The place of each leaf, from left to right, int [k]."""
    upright: np.ndarray
    """Upright lines as (place, low, high), [2 k - 2, 3].

    First one above each leaf, then one above each node but the last.
    """
    level: np.ndarray
    """Level lines as (from place, to place, energy), one a node, [k - 1, 3]."""


def layout(energy: np.ndarray, nodes: Sequence[Node]) -> Graph:
    """Lays out the disconnectivity graph of minima, larger groups on the left.

    Args:
        energy: of the leaves, [k].
        nodes: of their tree, k - 1.

    Returns:
        The lines of the graph.

    Source: Becker and Karplus, The topology of multidimensional potential energy surfaces, 1997.
    """
    place = np.argsort(_order(len(energy), nodes))  # the inverse of the permutation
    # of leaves first, then of nodes
    middle, bottom = [float(p) for p in place], [float(u) for u in energy]
    upright = np.empty((2 * len(nodes), 3))
    level = np.empty((len(nodes), 3))
    for i, node in enumerate(nodes):
        for child in (node.first, node.second):
            upright[child] = middle[child], bottom[child], node.height
        left, right = sorted((middle[node.first], middle[node.second]))
        level[i] = left, right, node.height
        middle.append((left + right) / 2)
        bottom.append(node.height)
    return Graph(place, upright, level)


def _order(count: int, nodes: Sequence[Node]) -> list[int]:
    """Returns the numbers of the leaves from left to right."""
    leaves = [[i] for i in range(count)]
    for node in nodes:
        larger, smaller = sorted((leaves[node.first], leaves[node.second]), key=len, reverse=True)
        leaves.append(larger + smaller)
    return leaves[-1]
