"""Whether long chains stay where short ones end: a density, or a short-run generator."""

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from sklearn.decomposition import PCA

from tfgen import probability, random
from tfgen.analysis.minibatch import MinibatchMap
from tfgen.errors import UserError
from tfgen.evaluation.base import Evaluator
from tfgen.samplers import MALA, Kernel, Langevin, run
from tfgen.types import EnergyFn

FACTORS = (1, 10, 100)
TUNINGS, TUNING_STEPS, ACCEPTANCE = 30, 20, 0.57
"""Of the corrected chains' step; to the acceptance that is best in high dimension (Roberts and Rosenthal, 1998)."""
AXES = 4
KEPT = 200


class Course(NamedTuple):
    """What chains went through."""

    ends: list[np.ndarray]
    """Images after 1, 10 and 100 times the short run's steps, [chains, h, w, c] each."""
    kept: np.ndarray
    """Images of the last nine tenths, [kept, chains, h, w, c]."""
    acceptance: float
    """Mean over these."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mixing(Evaluator):
    """The same energy sampled for 1, 10 and 100 times a short run, plainly and with a Metropolis correction.

    Chains start from the persistent ones that training left, or else where the model's samples start. Yields
    `energy_data` (of held-out images) and, for `plain` (the model's own Langevin dynamics) and `corrected` (MALA
    with a step tuned first; where images live in a box, by way of their logits): `energy_KIND_1x`, `_10x` and
    `_100x` (means, nats), `drift_KIND` (of the mean from 1x to 100x, in standard deviations over the chains at
    100x), `rhat_KIND` (the largest potential scale reduction of the energy and of four principal axes of the
    training images, over the last nine tenths) and `ess_KIND` (the least effective sample size of these, of all
    chains together); and `acceptance_corrected`, `step_size_corrected`.

    Args:
        chains: parallel ones, at least 2.
        num_steps: of a short run; 0 takes the model's Langevin steps between two updates, or 20 where it takes none.

    Source: Nijkamp, Hill, Zhu and Wu, Learning non-convergent non-persistent short-run MCMC toward energy-based model,
        2019; Gelman and Rubin, Inference from iterative simulation using multiple sequences, 1992.
    """

    chains: int = 16
    num_steps: int = 0

    def run(self) -> Iterator[tuple[str, float]]:
        if self.chains < 2:
            raise UserError(f"mixing.chains: expected at least 2 and found {self.chains}")
        energy, tasks = self.energy(), self.algorithm.tasks
        reference, start = tasks.reference, self._start()
        yield "energy_data", float(self._mean(energy, self.own("test", 1000)))
        step_size = 0.1 / math.sqrt(max(reference.curvature, 1.0))
        plain = getattr(tasks, "kernel", None) or Langevin(step_size, bounds=reference.bounds)
        yield from self._values("plain", energy, self._course(plain, energy, start, tf.identity))
        free, logits = reference.unconstrained_energy(energy), reference.unconstrain(start)
        corrected = self._tuned(free, logits, float(plain.step_size))
        course = self._course(corrected, free, logits, reference.constrain)
        yield from self._values("corrected", energy, course)
        yield "acceptance_corrected", course.acceptance
        yield "step_size_corrected", corrected.step_size

    def verdict(self, values: Mapping[str, float]) -> str:
        plain, corrected = values["drift_plain"], values["drift_corrected"]
        nats = values["energy_plain_100x"] - values["energy_plain_1x"]
        mixed = f"R-hat {values['rhat_plain']:.2f} plain, {values['rhat_corrected']:.2f} corrected"
        if abs(plain) > 1 or abs(corrected) > 1:
            where = "sink below" if nats < 0 else "climb above"
            return (
                f"A short-run generator: chains a hundred times as long {where} where short ones end, by "
                f"{abs(nats):.3g} nats plain ({mixed})."
            )
        if max(values["rhat_plain"], values["rhat_corrected"]) > 1.1:
            return f"Long chains stay where short ones end, but they do not mix: a density only around each ({mixed})."
        return f"A density: long chains stay where short ones end, and they mix ({mixed})."

    @property
    def short_steps(self) -> int:
        """Of a short run."""
        return self.num_steps or getattr(self.algorithm, "langevin_steps", 20)

    def _start(self) -> tf.Tensor:
        """Persistent chains, or else images of the model's size that its samples start from, [chains, h, w, c]."""
        if (persistent := getattr(self.algorithm, "chains", None)) is not None:
            return tf.gather(persistent.state.value, tf.range(self.chains) % persistent.num)
        generate = self.algorithm.endpoints()["generate"]
        given = {"count": self.chains, "seed": random.root(self.seed), "num_steps": 0}
        given = {
            name: tf.constant(value) for name, value in given.items() if name in generate.inputs
        }
        image = generate.traced()(**given)
        wanted = (self.chains, *self.algorithm.tasks.image_shape)
        if image["image"].shape == wanted:
            return image["image"]
        # samples are cut at their border, or larger than what the energy sees
        return self.algorithm.tasks.reference.sample(wanted, random.root(self.seed))

    def _course(
        self,
        kernel: Kernel,
        energy: EnergyFn,
        x: tf.Tensor,
        image: Callable[[tf.Tensor], tf.Tensor],
    ) -> Course:
        """Chains at 1, 10 and 100 times the short run's steps."""
        short, middle, long = (int(n) * self.short_steps for n in np.diff((0, *FACTORS)))
        every = max(1, long // KEPT)

        @tf.function(autograph=False)
        def move(x, seed, num_steps):
            return run(kernel, energy, x, seed, num_steps)[0]

        @tf.function(autograph=False)
        def follow(x, seed):
            return run(kernel, energy, x, seed, long, every)

        seeds = random.split(random.root(self.seed), 3)
        first = move(x, seeds[0], tf.constant(short))
        second = move(first, seeds[1], tf.constant(middle))
        third, summary = follow(second, seeds[2])
        ends = [image(x).numpy() for x in (first, second, third)]
        kept = summary.kept
        images = tf.reshape(image(tf.reshape(kept, [-1, *kept.shape[2:]])), kept.shape)
        return Course(ends, images.numpy(), float(tf.reduce_mean(summary.mean.acceptance)))

    def _tuned(self, energy: EnergyFn, x: tf.Tensor, step_size: float) -> MALA:
        """The correction with steps that are accepted about as often as is best."""

        @tf.function(autograph=False)
        def tried(x, step_size, seed):
            x, summary = run(MALA(step_size), energy, x, seed, TUNING_STEPS)
            return x, tf.reduce_mean(summary.mean.acceptance)

        for number in range(TUNINGS):
            seed = random.fold_in(random.root(self.seed), -1 - number)
            x, acceptance = tried(x, tf.constant(step_size, tf.float32), seed)
            step_size *= math.exp(float(acceptance) - ACCEPTANCE)
        return MALA(step_size)

    def _values(self, kind: str, energy: EnergyFn, course: Course) -> Iterator[tuple[str, float]]:
        u = [MinibatchMap().map("energies", lambda x: (energy(x),), end)[0] for end in course.ends]
        for factor, energies in zip(FACTORS, u, strict=True):
            yield f"energy_{kind}_{factor}x", float(energies.mean())
        yield f"drift_{kind}", float((u[-1].mean() - u[0].mean()) / max(u[-1].std(), 1e-6))
        followed = self._followed(energy, course.kept)
        rhat = probability.mcmc().potential_scale_reduction(followed, independent_chain_ndims=1)
        yield f"rhat_{kind}", float(tf.reduce_max(rhat))
        effective = probability.mcmc().effective_sample_size(followed, cross_chain_dims=1)
        yield f"ess_{kind}", float(tf.reduce_min(effective))

    def _followed(self, energy: EnergyFn, kept: np.ndarray) -> np.ndarray:
        """The energy and principal axes of images, [kept, chains, 1 + axes]."""
        flat = kept.reshape(-1, *kept.shape[2:])
        u = MinibatchMap().map("energies", lambda x: (energy(x),), flat)[0]
        train = self.own("train", 1000).reshape(-1, math.prod(kept.shape[2:]))
        axes = PCA(min(AXES, *train.shape)).fit(train).transform(flat.reshape(len(flat), -1))
        return np.column_stack([u, axes]).astype(np.float32).reshape(*kept.shape[:2], -1)

    @staticmethod
    def _mean(energy: EnergyFn, image: np.ndarray) -> float:
        return MinibatchMap().map("energies", lambda x: (energy(x),), image)[0].mean()
