"""The likelihood of held-out images under an energy, between two bounds."""

import dataclasses
import math
from collections.abc import Iterator, Mapping

import numpy as np
import tensorflow as tf

from tfgen import random
from tfgen.analysis.ais import Annealing, LogZInterval
from tfgen.analysis.features import BATCH
from tfgen.analysis.minibatch import MinibatchMap
from tfgen.errors import UserError
from tfgen.evaluation.base import Evaluator

LEVELS = 256


@dataclasses.dataclass(frozen=True, kw_only=True)
class Likelihood(Evaluator):
    """Mean log-density of held-out images, with log Z by annealed importance sampling from both sides.

    Yields `log_z_lower` and `log_z_upper` (nats; the upper one holds if the chains that it starts from, training images
    moved under the energy, have come to follow the density), `gap` between them, `temperatures` of the last estimate,
    `reached` (1 if the gap is below the one asked for), `effective` (of the lower bound's chains, how many count),
    `nats_lower` and `nats_upper` (the mean log-density of held-out images by the one and the other bound, with the 95 %
    interval of log Z around them), and of these `bits_per_dim_lower` and `bits_per_dim_upper`: bits a number of
    an image of 256 levels, whose rounding is undone by uniform noise. `uniform_nats` is what every image has under the
    uniform density on [-1, 1]: a model below it knows less than nothing.

    Args:
        num_images: held-out images, at most.
        chains: importance samples each way.
        temperatures: of the first estimate, at least 2; each further one has twice as many.
        most_temperatures: of the last.
        target_gap: between the bounds, nats, at which no more temperatures are tried.

    Source: Neal, Annealed importance sampling, 2001; Grosse, Ghahramani and Adams, Sandwiching the marginal likelihood
        using bidirectional Monte Carlo, 2015.
    """

    num_images: int = 1000
    chains: int = 50
    temperatures: int = 100
    most_temperatures: int = 400
    target_gap: float = 1.0

    def run(self) -> Iterator[tuple[str, float]]:
        if self.temperatures < 2 or self.target_gap < 0:
            raise UserError(
                "likelihood: expected at least 2 temperatures and a target_gap of 0 or more"
            )
        energy, size = self.energy(), math.prod(self.images.shape)
        bounds = self.bounds()
        u = self._energies(energy)
        low, high = bounds.confidence_interval
        yield "log_z_lower", bounds.lower
        yield "log_z_upper", bounds.upper
        yield "gap", bounds.gap
        yield "temperatures", float(bounds.temperatures)
        yield "reached", float(abs(bounds.gap) <= self.target_gap)
        yield "effective", bounds.effective_sample_size
        for name, log_z in (("lower", high), ("upper", low)):
            nats = -float(u.mean()) - log_z
            yield f"nats_{name}", nats
            yield f"bits_per_dim_{name}", bits_per_dim(nats, size)
        yield "uniform_nats", -size * math.log(2)

    def bounds(self) -> LogZInterval:
        """The last bounds of log Z."""
        reference = self.algorithm.tasks.reference
        annealing = Annealing(
            chains=self.chains,
            temperatures=self.temperatures,
            most_temperatures=self.most_temperatures,
            gap=self.target_gap,
            step_size=0.1 / math.sqrt(max(reference.curvature, 1.0)),
            jit=bool(self.algorithm.jit_compile),
        )
        train = self.own("train", self.chains)
        start = tf.constant(train[np.arange(self.chains) % len(train)])
        *_, last = annealing.intervals(
            self.energy(), reference, start.shape[1:], random.root(self.seed), start
        )
        return last

    def verdict(self, values: Mapping[str, float]) -> str:
        gap, temperatures = values["gap"], values["temperatures"]
        if values["reached"]:
            return f"With {temperatures:.0f} temperatures the two bounds of log Z are {gap:.2g} nats apart."
        if gap > 0:
            return f"The temperatures ended at {temperatures:.0f} with the two bounds of log Z {gap:.3g} nats apart."
        return (
            f"The upper bound of log Z came out {-gap:.3g} nats below the lower one: chains from training images do "
            "not reach the density in the steps given. Only log_z_lower holds, and nats_upper with it."
        )

    def _energies(self, energy) -> np.ndarray:
        """U of held-out images whose rounding is undone, [n]."""
        image = self.own("test", self.num_images)
        noise = np.random.default_rng(self.seed).uniform(-1, 1, image.shape) / (LEVELS - 1)
        image = np.clip(image + noise, -1, 1).astype(np.float32)
        return MinibatchMap(BATCH).map("energies", lambda x: (energy(x),), image)[0].astype(float)


def bits_per_dim(nats: float, size: int) -> float:
    """Bits a number of an image of 256 levels that span [-1, 1], from the log-density of images in [-1, 1].

    Args:
        nats: log p(x).
        size: numbers of an image.
    """
    return -nats / (size * math.log(2)) + math.log2((LEVELS - 1) / 2)
