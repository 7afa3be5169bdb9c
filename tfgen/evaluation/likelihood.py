"""The likelihood of held-out images under an energy, between two bounds."""

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Protocol

import numpy as np
import tensorflow as tf

from tfgen import random
from tfgen.analysis import levels
from tfgen.analysis.ais import Annealing, LogZInterval
from tfgen.data.examples import Images
from tfgen.errors import AtLeastOne, NotNegative, Range
from tfgen.evaluation.base import HIGHER, LOWER, NEITHER, DensityEvaluator

COUNTED = 1000
"""Training images whose levels are counted, at most."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Likelihood(DensityEvaluator):
    """Mean log-density of held-out images, with log Z by annealed importance sampling.

    The density is exp(-U / T) / Z. The upper bound of log Z holds if the chains that it starts
    from, training images moved under the energy, have come to follow the density.

    Yields:
        `log_z_lower` and `log_z_upper`: the bounds, nats; `gap`: between them.
        `temperatures`: of the last estimate; `reached`: 1 if its gap is below the one asked for.
        `effective`: how many of the lower bound's chains count.
        `nats_lower` and `nats_upper`: the mean log-density by either bound, with the 95 % interval
            of log Z around them.
        `bits_per_dim_lower` and `bits_per_dim_upper`: the same in bits a number of an image, whose
            rounding to levels is undone by uniform noise.
        `uniform_nats`: of the uniform density on [-1, 1]. A model below it knows less than nothing.

    Args:
        num_images: held-out images, at most.
        chains: importance samples in each direction.
        temperatures: of the first estimate; each further one has twice as many.
        most_temperatures: of the last estimate.
        target_gap: between the bounds, nats, at which no more temperatures are tried.
        levels: that numbers of images were rounded to. None takes the data's own, which the
            protocol states.

    Source: Neal, Annealed importance sampling, 2001; Grosse, Ghahramani and Adams, Sandwiching the
        marginal likelihood using bidirectional Monte Carlo, 2015.
    """

    better: ClassVar = {
        "nats_*": HIGHER,
        "bits_per_dim_*": LOWER,
        "uniform_nats": NEITHER,
        "log_z_*": NEITHER,
        "gap": NEITHER,
        "temperatures": NEITHER,
        "reached": NEITHER,
        "effective": NEITHER,
    }
    counted: ClassVar = ("test",)

    num_images: Annotated[int, AtLeastOne] = 1000
    chains: Annotated[int, AtLeastOne] = 50
    temperatures: Annotated[int, Range(least=2)] = 100
    most_temperatures: Annotated[int, Range(least=2)] = 400
    target_gap: Annotated[float, NotNegative] = 1.0
    levels: Annotated[int | None, Range(least=2)] = None

    def run(self) -> Iterator[tuple[str, float]]:
        bounds, size = self.bounds(), math.prod(self.target.image_shape)
        number = levels_of(self)
        held_out = self.images.test.shown(self.num_images)
        u = self.energies(self._dequantized(held_out))
        low, high = bounds.confidence_interval
        yield "log_z_lower", bounds.lower
        yield "log_z_upper", bounds.upper
        yield "gap", bounds.gap
        yield "temperatures", float(bounds.temperatures)
        yield "reached", float(abs(bounds.gap) <= self.target_gap)
        yield "effective", bounds.effective_sample_size
        # the larger log Z is, the lower are all densities
        for name, log_z in (("lower", high), ("upper", low)):
            nats = -float(u.mean()) - log_z
            yield f"nats_{name}", nats
            yield f"bits_per_dim_{name}", levels.bits_per_dim(nats, held_out, number)
        yield "uniform_nats", -size * math.log(2)

    def bounds(self) -> LogZInterval:
        """Estimates log Z from both sides, with as many temperatures as it takes."""
        target = self.target
        annealing = Annealing(
            chains=self.chains,
            temperatures=self.temperatures,
            most_temperatures=self.most_temperatures,
            gap=self.target_gap,
            step_size=target.distribution.first_step_size,
            jit=self.jit,
        )
        train = self.images.train.shown(self.chains)
        # few training images take turns
        start = tf.constant(train[np.arange(self.chains) % len(train)])
        *_, last = annealing.intervals(
            target.energy,
            target.distribution,
            target.image_shape,
            random.root(self.seed),
            start,
        )
        return last

    def verdict(self, values: Mapping[str, float]) -> str:
        gap, temperatures = values["gap"], values["temperatures"]
        if values["reached"]:
            return (
                f"With {temperatures:.0f} temperatures the two bounds of log Z are {gap:.2g} nats "
                "apart."
            )
        if gap > 0:
            return (
                f"The temperatures ended at {temperatures:.0f} with the two bounds of log Z "
                f"{gap:.3g} nats apart."
            )
        return (
            f"The upper bound of log Z came out {-gap:.3g} nats below the lower one: chains from "
            "training images do not reach the density in the steps given. Only log_z_lower holds, "
            "and nats_upper with it."
        )

    def _dequantized(self, image: np.ndarray) -> np.ndarray:
        """Returns images whose rounding to levels is undone by noise, [n, h, w, c]."""
        return levels.dequantized(image, levels_of(self), np.random.default_rng(self.seed))

    def protocol(self) -> dict[str, Any]:
        return super().protocol() | {"levels": levels_of(self)}


class Leveled(Protocol):
    """A measurement of images whose numbers were rounded to levels."""

    @property
    def images(self) -> Images: ...
    @property
    def levels(self) -> int | None: ...


def levels_of(evaluator: Leveled) -> int:
    """Returns the levels that a measurement is told, or counts those of its data."""
    if evaluator.levels is not None:
        return evaluator.levels
    return levels.count_levels(evaluator.images.train.shown(COUNTED))
