"""The energy's landscape: how many minima, how deep their basins, how pure."""

import dataclasses
from collections.abc import Iterator
from typing import Annotated, ClassVar

import numpy as np

from tfgen.analysis.landscape import EnergyLandscape, Survey, tree
from tfgen.analysis.minibatch import MinibatchMap, Progress, no_progress
from tfgen.errors import AtLeastOne, NotNegative, Positive, Range
from tfgen.evaluation.base import HIGHER, NEITHER, ScoreEvaluator

BOX_STEP = 0.01
"""The largest step where images live in a box and no reference bends the energy."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Landscape(ScoreEvaluator):
    """Minima that training images descend to, the barriers between them, and the basins.

    Energies are U / T, in nats.

    Yields:
        `minima`: how many.
        `basins`: groups of minima that barriers of more than `least_depth` divide.
        `depth`: the median basin's, the deepest of all left out.
        `straight_basins`: by barriers on straight lines, as in the paper.
        `lowered`: how far elastic bands undercut straight lines, the median, nats.
        `purity`: the share of images that have their basin's most frequent class. This and all that
            follow are yielded of labelled images alone.
        `purity_shared`: the same of basins of two images or more, since a basin of one is pure.
        `agreement`: the share of minima that have the class of the one behind their lowest barrier.
        `straight_purity` and so on: the same by straight lines.

    Args:
        num_images: training images that descend, at most.
        least_depth: nats; what is shallower is no basin of its own. Thermal noise crosses 1 nat.
        descent_steps: of each descent, at most.
        step_size: the largest of descents and bands, in squared pixel units. None takes the
            reference's variance, and .01 where images live in a box without white noise.
        radius: root-mean-square difference of pixels, in pixel units, below which two minima are
            one.
        neighbours: of each minimum, to which barriers are computed.
        points: on a straight line, and beads of a band.
        band_steps: of each elastic band.
        bands: the largest number of bands, as a multiple of the number of minima.

    Source: Divergence triangle, section on energy landscape mapping.
    """

    better: ClassVar = {
        "*purity*": HIGHER,
        "*agreement": HIGHER,
        "minima": NEITHER,
        "*basins": NEITHER,
        "depth": NEITHER,
        "lowered": NEITHER,
    }
    counted: ClassVar = ("train",)

    num_images: Annotated[int, AtLeastOne] = 200
    least_depth: Annotated[float, NotNegative] = 1.0
    descent_steps: Annotated[int, AtLeastOne] = 1000
    step_size: Annotated[float | None, Positive] = None
    radius: Annotated[float, NotNegative] = 0.02
    neighbours: Annotated[int, AtLeastOne] = 10
    points: Annotated[int, Range(least=3)] = 17
    band_steps: Annotated[int, AtLeastOne] = 60
    bands: Annotated[float, NotNegative] = 2.0

    def run(self) -> Iterator[tuple[str, float]]:
        yield from self.values(self.survey())

    def survey(self, progress: Progress = no_progress) -> EnergyLandscape:
        """Maps the landscape.

        Args:
            progress: told how far it is.
        """
        distribution = self.target.distribution
        step_size = self.step_size
        if step_size is None:
            step_size = 1 / distribution.curvature if distribution.curvature else BOX_STEP
        survey = Survey(
            step_size=step_size,
            bounds=distribution.bounds,
            descent_steps=self.descent_steps,
            radius=self.radius,
            neighbours=self.neighbours,
            points=self.points,
            band_steps=self.band_steps,
            bands=self.bands,
        )
        start = self.images.train.shown(self.num_images)
        minibatches = MinibatchMap(jit=self.jit, progress=progress)
        return survey.run(self.target.energy, start, minibatches)

    def values(self, found: EnergyLandscape) -> Iterator[tuple[str, float]]:
        """Yields what `run` yields of a landscape."""
        energy = found.minima.energy
        basins = tree.basins(energy, found.nodes, self.least_depth)
        straight_nodes = tree.joined(energy, found.pairs, found.straight)
        straight = tree.basins(energy, straight_nodes, self.least_depth)
        yield "minima", float(len(energy))
        yield "basins", float(len(basins.deepest))
        if len(basins.deepest) > 1:
            yield "depth", float(np.median(basins.depth[1:]))
        yield "straight_basins", float(len(straight.deepest))
        if found.bent.any():
            yield "lowered", float(np.median((found.straight - found.barrier)[found.bent]))
        if self.images.train.label is not None:  # a landscape needs no classes
            yield from self._of_classes("", found, basins, found.barrier)
            yield from self._of_classes("straight_", found, straight, found.straight)

    def _of_classes(
        self, prefix: str, found: EnergyLandscape, basins: tree.Basins, barrier: np.ndarray
    ) -> Iterator[tuple[str, float]]:
        """Yields how well basins and barriers tell the classes apart."""
        member = found.minima.member
        label = self.labels_of("train")[: len(member)]
        basin = basins.number[member]
        yield f"{prefix}purity", tree.purity(basin, label)
        shared = tree.purity(basin, label, least_size=2)
        if np.isfinite(shared):
            yield f"{prefix}purity_shared", shared
        if len(found.pairs):
            yield f"{prefix}agreement", tree.agreement(member, label, found.pairs, barrier)
