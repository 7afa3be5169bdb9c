"""How well class-conditional energies classify."""

import dataclasses
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from scipy import optimize, special

from tfgen import random
from tfgen.analysis.ais import Annealing
from tfgen.errors import UserError
from tfgen.evaluation.base import Evaluator


@dataclasses.dataclass(frozen=True, kw_only=True)
class Accuracy(Evaluator):
    """Share of held-out images whose class is the most probable under p(c|I) ∝ exp(f_c(I) + b_c).

    A classifier has learned its b_c: `accuracy`. For class-conditional densities b_c = log ρ_c - log Z_c
    (Proposition 1 (a)), log Z_c by annealed importance sampling: from the reference up (`accuracy_upward`,
    a lower bound of log Z_c) and from the persistent chains down (`accuracy`, an upper one if they follow the
    model). `accuracy_fitted` takes the b_c that maximise the likelihood of the training labels,
    `accuracy_unbiased` b_c = 0. `log_z_gap` is the largest difference of the two bounds, nats.

    Args:
        chains: importance samples a class each way, at most as many as it has persistent chains.
        temperatures: steps between the reference and a class's density.

    Source: A Theory of Generative ConvNet, Definitions 1 and 2, Proposition 1.
    """

    chains: int = 20
    temperatures: int = 600

    def run(self) -> Iterator[tuple[str, float]]:
        algorithm = self.algorithm
        if getattr(algorithm, "num_classes", 1) < 2:
            raise UserError("--metrics: accuracy expects a model with an energy for each class")
        test = self.images.test
        if hasattr(algorithm, "logits"):
            yield (
                "accuracy",
                _accuracy(algorithm.logits(tf.constant(test.whole())).numpy(), test.label),
            )
            return
        classes = algorithm.num_classes
        train_f, test_f = (self._scores(x.whole(), classes) for x in (self.images.train, test))
        log_rho = np.log(
            np.bincount(self.images.train.label, minlength=classes) / len(self.images.train)
        )
        down, up = self._log_z(classes)
        yield "accuracy", _accuracy(test_f + log_rho - down, test.label)
        yield "accuracy_upward", _accuracy(test_f + log_rho - up, test.label)
        yield "log_z_gap", float(np.max(np.abs(down - up)))
        yield (
            "accuracy_fitted",
            _accuracy(test_f + _fit_biases(train_f, self.images.train.label), test.label),
        )
        yield "accuracy_unbiased", _accuracy(test_f, test.label)

    def _scores(self, images: np.ndarray, classes: int) -> np.ndarray:
        """f_c(I) up to what the classes share, [n, classes]."""
        x = tf.constant(images)
        return np.stack(
            [-self.algorithm.density(tf.fill([len(images)], c))(x).numpy() for c in range(classes)],
            axis=1,
        )

    def _log_z(self, classes: int) -> tuple[np.ndarray, np.ndarray]:
        """Bounds of each class's log Z: from the persistent chains down, and from the reference up."""
        algorithm, chains = self.algorithm, self.algorithm.chains.state.value
        count = min(self.chains, chains.shape[0] // classes)
        annealing = Annealing(
            chains=count,
            temperatures=self.temperatures,
            most_temperatures=self.temperatures,
            step_size=0.1 * algorithm.sigma,
            jit=bool(algorithm.jit_compile),
        )
        found = []
        for c in range(classes):
            samples = tf.gather(chains, tf.range(count) * classes + c)
            density, seed = (
                algorithm.density(tf.fill([count], c)),
                random.fold_in(random.root(self.seed), c),
            )
            found += annealing.intervals(
                density, algorithm.tasks.reference, samples.shape[1:], seed, samples, exact=True
            )
        return np.array([b.upper for b in found]), np.array([b.lower for b in found])


def _accuracy(logits: np.ndarray, label: np.ndarray) -> float:
    return float(np.mean(logits.argmax(axis=1) == label))


def _fit_biases(scores: np.ndarray, label: np.ndarray) -> np.ndarray:
    """The b_c of multinomial logistic regression with the scores held fixed: a convex problem."""
    one_hot = np.eye(scores.shape[1])[label]

    def negative_log_likelihood(b):
        log_p = special.log_softmax(scores + b, axis=1)
        return -np.mean(log_p[one_hot == 1]), np.mean(np.exp(log_p) - one_hot, axis=0)

    return optimize.minimize(negative_log_likelihood, np.zeros(scores.shape[1]), jac=True).x
