"""How well class-conditional energies classify."""

import dataclasses
from collections.abc import Iterator
from typing import Annotated, ClassVar

import numpy as np
import tensorflow as tf
from scipy import optimize, special

from tfgen import random
from tfgen.analysis.ais import Annealing
from tfgen.analysis.minibatch import MinibatchMap
from tfgen.errors import AtLeastOne, UserError
from tfgen.evaluation.base import HIGHER, NEITHER, Evaluator


@dataclasses.dataclass(frozen=True, kw_only=True)
class Accuracy(Evaluator):
    """Share of held-out images whose class is the most probable: p(c|I) ∝ exp(f_c(I) + b_c).

    A classifier has learned its b_c, and yields `accuracy` alone. For class-conditional densities
    exp(-U_c / T) / Z_c, with classes as frequent as ρ_c in training, f_c is -U_c / T, and
    b_c = log ρ_c - log Z_c (Proposition 1 (a)).

    Yields:
        `accuracy_upward`: log Z_c by annealed importance sampling from the reference up, a lower
            bound.
        `accuracy`: log Z_c from chains down, an upper bound if these follow the model. They start
            from the persistent chains, if there are any, and move before they are weighed.
        `log_z_gap`: the largest difference of the two bounds, nats.
        `accuracy_fitted`: the b_c that maximize the likelihood of the training labels.
        `accuracy_unbiased`: b_c = 0.

    Args:
        chains: importance samples of a class in each direction.
        temperatures: steps between the reference and a class's density.

    Source: A Theory of Generative ConvNet, Definitions 1 and 2, Proposition 1.
    """

    better: ClassVar = {"accuracy*": HIGHER, "log_z_gap": NEITHER}

    chains: Annotated[int, AtLeastOne] = 20
    temperatures: Annotated[int, AtLeastOne] = 600

    def check(self) -> None:
        classes = self.model.num_classes
        if classes < 2 or not self.model.capabilities() & {"classify", "energy"}:
            raise UserError(
                "accuracy: expected a model that classifies, or has an energy for each class, and "
                "found one without classes"
            )
        self.labels_of("train")

    def run(self) -> Iterator[tuple[str, float]]:
        label = self.labels_of("test")
        if "classify" in self.model.capabilities():
            classify = self.model.endpoint("classify").traced()
            # the most probable class is that of the largest logit
            probability = classify(image=self.images.test.shown())["probability"]
            yield "accuracy", _accuracy(probability.numpy(), label)
            return
        train_f = self._scores(self.images.train.shown())
        test_f = self._scores(self.images.test.shown())
        train_label = self.labels_of("train")
        frequency = np.bincount(train_label, minlength=self.model.num_classes) / len(train_label)
        log_rho = np.log(frequency)
        down, up = self.log_z()
        yield "accuracy", _accuracy(test_f + log_rho - down, label)
        yield "accuracy_upward", _accuracy(test_f + log_rho - up, label)
        yield "log_z_gap", float(np.max(np.abs(down - up)))
        fitted = fitted_biases(train_f, train_label)
        yield "accuracy_fitted", _accuracy(test_f + fitted, label)
        yield "accuracy_unbiased", _accuracy(test_f, label)

    def _scores(self, images: np.ndarray) -> np.ndarray:
        """Returns -U_c / T of images, [n, classes]: f_c up to what the classes share."""

        def scores(x):
            # -U_c / T holds the reference's energy too, which is the same for all classes
            classes = range(self.model.num_classes)
            targets = [self.model.target(tf.fill(tf.shape(x)[:1], c)) for c in classes]
            return (tf.stack([-target.energy(x) for target in targets], axis=1),)

        return MinibatchMap(jit=self.jit).map("scores", scores, images)[0]

    def log_z(self) -> tuple[np.ndarray, np.ndarray]:
        """Estimates each class's log Z, [classes]: from chains down, and from the reference up."""
        classes, root = self.model.num_classes, random.root(self.seed)
        starts = self.model.chain_starts(self.chains * classes, root)
        found = []
        for number in range(classes):
            target = self.model.target(tf.fill([self.chains], number))
            annealing = Annealing(
                chains=self.chains,
                temperatures=self.temperatures,
                most_temperatures=self.temperatures,
                step_size=target.distribution.first_step_size,
                jit=self.jit,
            )
            intervals = annealing.intervals(
                target.energy,
                target.distribution,
                target.image_shape,
                random.fold_in(root, number),
                starts[number::classes],  # chain i is of class i % classes
            )
            found.append(next(intervals))
        down, up = ([z.upper for z in found], [z.lower for z in found])
        return np.array(down), np.array(up)


def _accuracy(logits: np.ndarray, label: np.ndarray) -> float:
    return float(np.mean(logits.argmax(axis=1) == label))


def fitted_biases(scores: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Fits the b_c of multinomial logistic regression with the scores held fixed.

    The problem is convex.

    Args:
        scores: [n, classes].
        label: int [n].

    Returns:
        [classes], determined up to a constant.
    """
    classes = scores.shape[1]
    one_hot = np.eye(classes)[label]

    def negative_log_likelihood(b):
        log_p = special.log_softmax(scores + b, axis=1)
        loss = -np.mean(log_p[one_hot == 1])
        return loss, np.mean(np.exp(log_p) - one_hot, axis=0)

    return optimize.minimize(negative_log_likelihood, np.zeros(classes), jac=True).x
