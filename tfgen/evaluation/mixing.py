"""Whether long chains stay where short ones end: a density, or a short-run generator."""

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, ClassVar, NamedTuple

import numpy as np
import tensorflow as tf
from sklearn.decomposition import PCA

from tfgen import probability, random
from tfgen.errors import AtLeastOne, Range
from tfgen.evaluation.base import HIGHER, LOWER, NEITHER, DensityEvaluator
from tfgen.samplers import MALA, Kernel, Langevin, run
from tfgen.types import EnergyFn, Image

FACTORS = (1, 10, 100)

SHORT = 20
"""Steps of a short run of a model whose training took none."""

TUNINGS, TUNING_STEPS = 30, 20

AXES = 4
"""Principal axes of the training images that chains are followed along."""

KEPT = 200
"""Images of each chain that are kept, at least."""


class Course(NamedTuple):
    """The images that chains went through."""

    ends: list[np.ndarray]
    """After 1, 10 and 100 times the short run's steps, [chains, h, w, c] each."""
    kept: np.ndarray
    """Of the last nine tenths, [kept, chains, h, w, c]."""
    acceptance: float
    """Mean over the last nine tenths."""


class Chains(NamedTuple):
    """A way to move images under a density."""

    kernel: Kernel
    energy: EnergyFn
    """Of what the kernel moves."""
    start: tf.Tensor
    """What the kernel moves, [chains, ...]."""
    to_image: Callable[[tf.Tensor], Image]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mixing(DensityEvaluator):
    """The density sampled for 1, 10 and 100 times a short run, plainly and with a correction.

    Chains start from the persistent ones that training left, or else where the model's samples
    start. `plain` is the model's own dynamics. `corrected` is MALA, whose step is tuned first.
    Where images live in a box, it moves their logits.

    Yields `energy_data`, the mean U / T of held-out images, and for each KIND:
        `energy_KIND_1x`, `_10x` and `_100x`: means of U / T, nats.
        `drift_KIND`: of the mean from 1x to 100x, in standard deviations over the chains at 100x.
        `rhat_KIND`: the largest potential scale reduction of the energy and of four principal axes
            of the training images, over the last nine tenths.
        `ess_KIND`: the smallest effective sample size of these, of all chains together.
        `acceptance_corrected`, `step_size_corrected`: of the tuned chains.

    Args:
        chains: number of parallel chains.
        num_steps: of a short run; None takes the model's own between two updates of training, or
            20 where it takes none.

    Source: Nijkamp, Hill, Zhu and Wu, Learning non-convergent non-persistent short-run MCMC toward
        energy-based model, 2019; Gelman and Rubin, Inference from iterative simulation using
        multiple sequences, 1992.
    """

    better: ClassVar = {
        "rhat_*": LOWER,
        "ess_*": HIGHER,
        "energy_*": NEITHER,
        "drift_*": NEITHER,
        "acceptance_*": NEITHER,
        "step_size_*": NEITHER,
    }

    chains: Annotated[int, Range(least=2)] = 16
    num_steps: Annotated[int | None, AtLeastOne] = None

    def run(self) -> Iterator[tuple[str, float]]:
        held_out = self.images.test.shown(1000)
        yield "energy_data", float(self.energies(held_out).mean())
        yield from self._values("plain", self.course(self.plain()))
        corrected = self.course(self.corrected())
        yield from self._values("corrected", corrected)
        yield "acceptance_corrected", corrected.acceptance
        yield "step_size_corrected", float(self.tuned.step_size)

    def verdict(self, values: Mapping[str, float]) -> str:
        plain, corrected = values["drift_plain"], values["drift_corrected"]
        nats = values["energy_plain_100x"] - values["energy_plain_1x"]
        rhats = values["rhat_plain"], values["rhat_corrected"]
        mixed = f"R-hat {rhats[0]:.2f} plain, {rhats[1]:.2f} corrected"
        if abs(plain) > 1 or abs(corrected) > 1:
            where = "sink below" if nats < 0 else "climb above"
            return (
                f"A short-run generator: chains a hundred times as long {where} where short ones "
                f"end, by {abs(nats):.3g} nats plain ({mixed})."
            )
        if max(rhats) > 1.1:
            return (
                "Long chains stay where short ones end, but they do not mix: a density only around "
                f"each ({mixed})."
            )
        return f"A density: long chains stay where short ones end, and they mix ({mixed})."

    def protocol(self):
        return super().protocol() | {"num_steps": self.short_steps}

    @property
    def short_steps(self) -> int:
        """The number of steps of a short run."""
        if self.num_steps is not None:
            return self.num_steps
        sampling = self.model.sampling
        return (sampling and sampling.learning_steps) or SHORT

    @functools.cached_property
    def start(self) -> Image:
        """The images that chains start from, [chains, h, w, c]."""
        return self.model.chain_starts(self.chains, random.root(self.seed))

    def plain(self) -> Chains:
        """Returns chains of the model's own dynamics, or of Langevin's where it has none."""
        sampling = self.model.sampling
        if sampling is None:
            distribution = self.target.distribution
            kernel = Langevin(distribution.first_step_size, bounds=distribution.bounds)
            return Chains(kernel, self.target.energy, self.start, tf.identity)
        # the kernel divides U by T itself
        return Chains(sampling.kernel, self.model.energy_fn(), self.start, tf.identity)

    def corrected(self) -> Chains:
        """Returns chains that leave the density exactly invariant, their step tuned."""
        # in a box most proposals would cross a wall: chains move in a space without bounds
        distribution = self.target.distribution
        start = distribution.unconstrain(self.start)
        return Chains(self.tuned, self._free_energy, start, distribution.constrain)

    def course(self, chains: Chains) -> Course:
        """Runs chains for 1, 10 and 100 times the short run's steps."""
        kernel, energy, start, to_image = chains
        # steps from the start to 1x, from there to 10x, and on to 100x
        parts = np.diff((0, *FACTORS)) * self.short_steps
        short, middle, long = (int(part) for part in parts)
        every = max(1, long // KEPT)

        @tf.function(autograph=False)
        def move(x, seed, num_steps):
            return run(kernel, energy, x, seed, num_steps)[0]

        @tf.function(autograph=False)
        def follow(x, seed):
            return run(kernel, energy, x, seed, long, every)

        seeds = random.split(random.root(self.seed), 3)
        first = move(start, seeds[0], tf.constant(short))
        second = move(first, seeds[1], tf.constant(middle))
        third, summary = follow(second, seeds[2])
        ends = [to_image(x).numpy() for x in (first, second, third)]
        kept = summary.kept
        images = to_image(tf.reshape(kept, [-1, *start.shape[1:]]))
        acceptance = float(tf.reduce_mean(summary.mean.acceptance))
        return Course(ends, images.numpy().reshape(kept.shape), acceptance)

    @property
    def _free_energy(self) -> EnergyFn:
        return self.target.distribution.unconstrained_energy(self.target.energy)

    @functools.cached_property
    def tuned(self) -> MALA:
        """The correction, with steps that are accepted about as often as is best."""
        energy, x = self._free_energy, self.target.distribution.unconstrain(self.start)

        @tf.function(autograph=False)
        def tried(x, step_size, seed):
            x, summary = run(MALA(step_size), energy, x, seed, TUNING_STEPS)
            return x, tf.reduce_mean(summary.mean.acceptance)

        # a first guess; tuning changes it by orders of magnitude
        step_size = self.target.distribution.first_step_size
        for number in range(TUNINGS):
            # negative numbers: those from 0 on are the seeds of the chains that are measured
            seed = random.fold_in(random.root(self.seed), -1 - number)
            x, acceptance = tried(x, tf.constant(step_size, tf.float32), seed)
            step_size *= math.exp(float(acceptance) - MALA(step_size).target_acceptance)
        return MALA(step_size)

    def _values(self, kind: str, course: Course) -> Iterator[tuple[str, float]]:
        first, *_, last = u = [self.energies(end) for end in course.ends]
        for factor, energies in zip(FACTORS, u, strict=True):
            yield f"energy_{kind}_{factor}x", float(energies.mean())
        yield f"drift_{kind}", float((last.mean() - first.mean()) / max(last.std(), 1e-6))
        followed = self._followed(course.kept)
        mcmc = probability.mcmc()
        rhat = mcmc.potential_scale_reduction(followed, independent_chain_ndims=1)
        yield f"rhat_{kind}", float(tf.reduce_max(rhat))
        effective = mcmc.effective_sample_size(followed, cross_chain_dims=1)
        yield f"ess_{kind}", float(tf.reduce_min(effective))

    def _followed(self, kept: np.ndarray) -> np.ndarray:
        """Returns the energy and principal axes of kept images, [kept, chains, 1 + axes]."""
        count, chains, *shape = kept.shape
        flat = kept.reshape(count * chains, *shape)
        train = self.images.train.shown(1000).reshape(-1, math.prod(shape))
        pca = PCA(min(AXES, *train.shape)).fit(train)
        along = pca.transform(flat.reshape(len(flat), -1))
        # axes common to all models of one data set, so that their values can be compared
        followed = np.column_stack([self.energies(flat), along]).astype(np.float32)
        return followed.reshape(count, chains, -1)
