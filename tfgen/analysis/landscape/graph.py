"""Where the lines of a disconnectivity graph go."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tfgen.analysis.landscape.tree import Node


class Graph(NamedTuple):
    """A tree drawn with energy upwards."""

    place: np.ndarray
    """Of each leaf from left to right, int [k]."""
    upright: np.ndarray
    """Upright lines, one above each leaf, then above each node but the last: (place, from, to), [2 k - 2, 3]."""
    level: np.ndarray
    """Level lines, one a node: (from place, to place, energy), [k - 1, 3]."""


def drawn(energy: np.ndarray, nodes: Sequence[Node]) -> Graph:
    """The disconnectivity graph of minima.

    Args:
        energy: of the leaves, [k].
        nodes: of their tree, k - 1.

    Returns:
        The graph.

    Source: Becker and Karplus, The topology of multidimensional potential energy surfaces, 1997.
    """
    count = len(energy)
    leaves = [[i] for i in range(count)]
    for node in nodes:  # the larger group on the left
        sides = sorted((leaves[node.first], leaves[node.second]), key=len, reverse=True)
        leaves.append(sides[0] + sides[1])
    place = np.empty(count, int)
    place[leaves[-1]] = np.arange(count)
    at, bottom = [float(p) for p in place], [float(u) for u in energy]
    upright, level = np.empty((2 * len(nodes), 3)), np.empty((len(nodes), 3))
    for i, node in enumerate(nodes):
        for side in (node.first, node.second):
            upright[side] = at[side], bottom[side], node.height
        ends = sorted((at[node.first], at[node.second]))
        level[i] = *ends, node.height
        at.append(sum(ends) / 2)
        bottom.append(node.height)
    return Graph(place, upright, level)
