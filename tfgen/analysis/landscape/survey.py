"""An energy's landscape, from images to basins: minima, barriers, and how they are joined."""

import dataclasses
from typing import NamedTuple

import numpy as np

from tfgen.analysis.landscape import barriers, minima, tree
from tfgen.analysis.minibatch import MinibatchMap
from tfgen.samplers import Descent
from tfgen.types import EnergyFn


class Landscape(NamedTuple):
    """What was found."""

    minima: minima.Minima
    pairs: np.ndarray
    """Pairs of minima whose barriers were looked at, [p, 2]."""
    straight: np.ndarray
    """The highest energy on each pair's straight line, [p], nats."""
    barrier: np.ndarray
    """The highest energy on the best way found, [p], nats; never above `straight`."""
    bent: np.ndarray
    """Whether a way other than the straight line was looked for, booleans [p]."""
    nodes: list[tree.Node]
    """How the minima are joined."""


@dataclasses.dataclass(frozen=True)
class Survey:
    """How a landscape is looked at.

    Args:
        step_size: of descent and of elastic bands, in units of x², positive.
        bounds: if given, images stay in this interval.
        descent_steps: the most of each descent.
        tolerance: the slope at which a descent rests, nats per pixel unit.
        radius: root-mean-square difference of pixels below which two minima are one.
        neighbours: of each minimum, to which barriers are looked at.
        points: on a straight line, and beads of a band, the ends included.
        band_steps: of each elastic band; the second half climbs.
        bands: the most bands, as a multiple of the number of minima.
    """

    step_size: float = 0.01
    bounds: tuple[float, float] | None = None
    descent_steps: int = 1000
    tolerance: float = 1e-2
    radius: float = 0.02
    neighbours: int = 10
    points: int = 17
    band_steps: int = 60
    bands: float = 2.0

    def run(self, energy: EnergyFn, start: np.ndarray, work: MinibatchMap) -> Landscape:
        """The landscape that images show of an energy.

        Args:
            energy: U.
            start: images to descend from, [n, ...].
            work: how many images are worked on at a time.

        Returns:
            The Landscape.
        """
        kernel = Descent(self.step_size, self.tolerance, bounds=self.bounds)
        found = minima.find(
            energy,
            start,
            kernel=kernel,
            num_steps=self.descent_steps,
            radius=self.radius,
            work=work,
        )
        pairs = tree.candidates(found.image, self.neighbours)
        ends = found.image[pairs[:, 0]], found.image[pairs[:, 1]]
        straight = (
            barriers.straight(energy, *ends, points=self.points, work=work)
            if len(pairs)
            else np.empty(0)
        )
        barrier, bent = straight.astype(float), np.zeros(len(pairs), bool)
        budget = int(self.bands * len(found.energy))
        while len(
            wanted := self._wanted(found.energy, pairs, barrier, bent)[: budget - bent.sum()]
        ):
            barrier[wanted] = np.minimum(
                barrier[wanted], self._bands(energy, *(e[wanted] for e in ends), work)
            )
            bent[wanted] = True
        return Landscape(
            found, pairs, straight, barrier, bent, tree.joined(found.energy, pairs, barrier)
        )

    def _wanted(
        self, energy: np.ndarray, pairs: np.ndarray, barrier: np.ndarray, bent: np.ndarray
    ) -> np.ndarray:
        """The pairs to bend next: those that join the tree; when all are, those that might join it lower."""
        if not len(pairs):
            return np.empty(0, int)
        on_tree = np.flatnonzero(tree.spanning(len(energy), pairs, barrier) & ~bent)
        if len(on_tree):
            return on_tree
        # a barrier is at least the higher of its ends: a pair joined no higher than that already cannot matter
        joined = tree.minimax(len(energy), tree.joined(energy, pairs, barrier))[
            pairs[:, 0], pairs[:, 1]
        ]
        gain = np.where(bent, 0.0, joined - energy[pairs].max(axis=1))
        order = np.argsort(-gain, kind="stable")
        return order[gain[order] > 0]

    def _bands(
        self, energy: EnergyFn, first: np.ndarray, second: np.ndarray, work: MinibatchMap
    ) -> np.ndarray:
        kernel = barriers.ElasticBand(self.step_size, self.band_steps // 2, self.bounds)
        ways = barriers.bent(
            energy,
            first,
            second,
            kernel=kernel,
            num_steps=self.band_steps,
            beads=self.points,
            work=work,
        )
        return ways.barrier
