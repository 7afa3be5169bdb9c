"""The mapping of an energy's landscape: from images to minima, barriers and their tree."""

import dataclasses
from typing import NamedTuple

import numpy as np

from tfgen.analysis.landscape import barriers, minima, tree
from tfgen.analysis.landscape.elastic_band import ElasticBand
from tfgen.analysis.minibatch import MinibatchMap
from tfgen.samplers import Descent
from tfgen.types import EnergyFn


class EnergyLandscape(NamedTuple):
    """The minima of an energy that images descend to, and the barriers between them."""

    minima: minima.Minima
    pairs: np.ndarray
    """Numbers of the two minima of each barrier, [p, 2]."""
    straight: np.ndarray
    """The highest energy on the straight line of each pair, [p], nats."""
    barrier: np.ndarray
    """The highest energy on the best path found for each, [p], nats; never above `straight`."""
    bent: np.ndarray
    """Whether an elastic band was tried for each, bool [p]."""
    nodes: list[tree.Node]
    """The tree that joins the minima."""


@dataclasses.dataclass(frozen=True)
class Survey:
    """A way to map landscapes.

    Args:
        step_size: of descents and of elastic bands, in units of x², positive.
        bounds: if given, images stay in this interval.
        descent_steps: of each descent, at most.
        tolerance: the norm of the gradient at which a descent stops, nats per pixel unit.
        radius: root-mean-square difference of pixels below which two minima are one.
        neighbours: of each minimum, to which barriers are computed.
        points: on a straight line, and beads of a band, the ends included.
        band_steps: of each elastic band; in the second half the highest bead climbs.
        bands: the largest number of bands, as a multiple of the number of minima.

    Example:
        >>> from tfgen.data import toy
        >>> mixture = toy.Mixture(components=2, radius=0.5, scale=0.25)
        >>> survey = Survey(step_size=0.03, tolerance=1e-3)
        >>> found = survey.run(mixture.energy, mixture.sample(20, seed=0), MinibatchMap())
        >>> len(found.minima.energy)
        2
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

    def run(
        self, energy: EnergyFn, start: np.ndarray, minibatches: MinibatchMap
    ) -> EnergyLandscape:
        """Maps the landscape of an energy around images.

        Args:
            energy: U.
            start: images to descend from, [n, ...].
            minibatches: how many images are computed at a time.

        Returns:
            The landscape.
        """
        found = minima.find(
            energy,
            start,
            kernel=Descent(self.step_size, self.tolerance, bounds=self.bounds),
            num_steps=self.descent_steps,
            radius=self.radius,
            minibatches=minibatches,
        )
        pairs = tree.candidates(found.image, self.neighbours)
        first, second = found.image[pairs[:, 0]], found.image[pairs[:, 1]]
        straight = np.empty(0)
        if len(pairs):
            straight = barriers.straight(
                energy, first, second, points=self.points, minibatches=minibatches
            )

        def band_barriers(chosen):
            return self._bands(energy, first[chosen], second[chosen], minibatches)

        barrier, bent = self._lowered(found.energy, pairs, straight, band_barriers)
        nodes = tree.joined(found.energy, pairs, barrier)
        return EnergyLandscape(found, pairs, straight, barrier, bent, nodes)

    def _lowered(
        self, energy: np.ndarray, pairs: np.ndarray, straight: np.ndarray, band_barriers
    ) -> tuple[np.ndarray, np.ndarray]:
        """Lowers barriers by elastic bands where that may change the tree.

        Returns:
            The barriers [p], and the pairs for which a band was tried, bool [p].
        """
        barrier, bent = straight.astype(float), np.zeros(len(pairs), bool)
        budget = int(self.bands * len(energy))
        # a barrier that falls may change the tree, so the choice is made anew each time
        while True:
            wanted = self._wanted(energy, pairs, barrier, bent)[: budget - bent.sum()]
            if not len(wanted):
                return barrier, bent
            barrier[wanted] = np.minimum(barrier[wanted], band_barriers(wanted))
            bent[wanted] = True

    def _wanted(
        self, energy: np.ndarray, pairs: np.ndarray, barrier: np.ndarray, bent: np.ndarray
    ) -> np.ndarray:
        """Returns the numbers of the pairs to try a band for next.

        First the pairs that join the tree. When a band was tried for all of these: the pairs that
        might join it at a lower energy, those with the most to gain first.
        """
        if not len(pairs):
            return np.empty(0, int)
        spanning = tree.spanning(len(energy), pairs, barrier)
        on_tree = np.flatnonzero(spanning & ~bent)
        if len(on_tree):
            return on_tree
        heights = tree.minimax(len(energy), tree.joined(energy, pairs, barrier))
        joined = heights[pairs[:, 0], pairs[:, 1]]
        # a barrier is at least the higher end: a pair that is joined at that cannot be lowered
        gain = np.where(bent, 0.0, joined - energy[pairs].max(axis=1))
        order = np.argsort(-gain, kind="stable")
        return order[gain[order] > 0]

    def _bands(
        self, energy: EnergyFn, first: np.ndarray, second: np.ndarray, minibatches: MinibatchMap
    ) -> np.ndarray:
        """Returns the barriers that elastic bands find between images, [p], nats."""
        paths = barriers.bent(
            energy,
            first,
            second,
            kernel=ElasticBand(self.step_size, self.band_steps // 2, self.bounds),
            num_steps=self.band_steps,
            beads=self.points,
            minibatches=minibatches,
        )
        return paths.barrier
