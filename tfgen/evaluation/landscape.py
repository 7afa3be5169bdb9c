"""The energy's landscape: how many minima, how deep their basins, how pure."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from tfgen.analysis.landscape import Landscape as Found
from tfgen.analysis.landscape import Survey, tree
from tfgen.analysis.minibatch import MinibatchMap, Progress, no_progress
from tfgen.errors import UserError
from tfgen.evaluation.base import Evaluator


@dataclasses.dataclass(frozen=True, kw_only=True)
class Landscape(Evaluator):
    """Minima that training images descend to, the barriers between them, and the basins that these leave.

    Yields `minima`; `basins` (groups of minima divided by barriers of more than `least_depth`); `depth` (the median
    basin's, but for the deepest of all); `straight_basins` (by barriers on straight lines, as in the paper);
    `lowered` (by how much ways around undercut straight lines, the median of those looked for, nats). Of labelled
    images also `purity` (the share of images of their basin's most frequent class), `purity_shared` (of basins of
    two images or more: a basin of one is pure whatever the energy), `agreement` (the share of minima of the same
    class as the one behind their lowest barrier), and the same by straight lines, `straight_purity` and so on.

    Args:
        num_images: training images that descend, at most.
        least_depth: nats; what is shallower is no basin of its own. 1 is what thermal noise crosses.
        descent_steps: the most of each descent.
        step_size: the largest of descents and bands, in squared pixel units; 0 takes the reference's variance, and .01
            where images live in a box.
        radius: root-mean-square difference of pixels, in pixel units, below which two minima are one.
        neighbours: of each minimum, to which barriers are looked at.
        points: on a straight line, and beads of a band.
        band_steps: of each elastic band.
        bands: the most bands, as a multiple of the number of minima.

    Source: Divergence triangle, section on energy landscape mapping.
    """

    num_images: int = 200
    least_depth: float = 1.0
    descent_steps: int = 1000
    step_size: float = 0.0
    radius: float = 0.02
    neighbours: int = 10
    points: int = 17
    band_steps: int = 60
    bands: float = 2.0

    def run(self) -> Iterator[tuple[str, float]]:
        yield from self.values(self.survey())

    def survey(self, progress: Progress = no_progress) -> Found:
        """The landscape itself.

        Args:
            progress: told how far it is.

        Raises:
            UserError: if the model has no energy, or a parameter is out of its range.
        """
        energy, reference = self.energy(), self.algorithm.tasks.reference
        for name in ("least_depth", "step_size", "bands"):
            if getattr(self, name) < 0:
                raise UserError(
                    f"landscape.{name}: expected 0 or more and found {getattr(self, name)}"
                )
        if self.points < 3:
            raise UserError(f"landscape.points: expected at least 3 and found {self.points}")
        survey = Survey(
            step_size=self.step_size or (1 / reference.curvature if reference.curvature else 0.01),
            bounds=reference.bounds,
            descent_steps=self.descent_steps,
            radius=self.radius,
            neighbours=self.neighbours,
            points=self.points,
            band_steps=self.band_steps,
            bands=self.bands,
        )
        work = MinibatchMap(jit=bool(self.algorithm.jit_compile), progress=progress)
        return survey.run(energy, self.own("train", self.num_images), work)

    def values(self, found: Found) -> Iterator[tuple[str, float]]:
        """What `run` yields of a landscape."""
        energy, member = found.minima.energy, found.minima.member
        yield "minima", float(len(energy))
        basins = tree.basins(energy, found.nodes, self.least_depth)
        yield "basins", float(len(basins.deepest))
        if len(basins.deepest) > 1:
            yield "depth", float(np.median(basins.depth[1:]))
        straight = tree.basins(
            energy, tree.joined(energy, found.pairs, found.straight), self.least_depth
        )
        yield "straight_basins", float(len(straight.deepest))
        if found.bent.any():
            yield "lowered", float(np.median((found.straight - found.barrier)[found.bent]))
        if (label := self.images.train.label) is None:
            return
        label = label[: len(member)]
        kinds = (("", basins, found.barrier), ("straight_", straight, found.straight))
        for prefix, group, barrier in kinds:
            yield f"{prefix}purity", tree.purity(group.number[member], label)
            shared = tree.purity(group.number[member], label, least_size=2)
            if np.isfinite(shared):
                yield f"{prefix}purity_shared", shared
            if len(found.pairs):
                yield f"{prefix}agreement", tree.agreement(member, label, found.pairs, barrier)
