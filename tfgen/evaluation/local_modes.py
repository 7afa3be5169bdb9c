"""Where noise-free descent ends: the memories of the energy, and whether they auto-encode exactly."""

import dataclasses
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tfgen import random
from tfgen.errors import UserError
from tfgen.evaluation.base import Evaluator
from tfgen.models import EnergyTasks
from tfgen.samplers import Descent, run
from tfgen.training.algorithm import Algorithm


class Modes(NamedTuple):
    """The ends of descents, and how well they reconstruct themselves."""

    start: np.ndarray
    """[n, h, w, c]"""
    mode: np.ndarray
    """[n, h, w, c]"""
    relative_error: np.ndarray
    """|I - B| / |I|, [n]"""
    converged: np.ndarray
    """[n], whether the gradient vanished; elsewhere the descent rests on a kink of the energy."""


def descend(algorithm: Algorithm, start: np.ndarray, *, num_steps: int, tolerance: float) -> Modes:
    """Noise-free descent to local modes.

    Args:
        algorithm: its `tasks` are an energy's, without classes.
        start: [n, h, w, c].
        num_steps: the most steps.
        tolerance: of |I - B| / |I|.

    Returns:
        The modes.

    Source: A Theory of Generative ConvNet, Proposition 2.
    """
    tasks = algorithm.tasks
    density = tasks.density(None)
    size = np.sqrt(np.prod(start.shape[1:])) * np.abs(start).mean()
    kernel = Descent(
        tasks.sigma**2, tolerance=float(tolerance * size / tasks.sigma**2 / 10), min_step=1e-5
    )
    settle = tf.function(
        lambda x: run(kernel, density, x, random.root(0), num_steps)[0], autograph=False
    )
    mode = settle(tf.constant(start))
    error = (mode - tasks.reconstruct(mode)).numpy()
    axes = (1, 2, 3)
    relative = np.sqrt((error**2).sum(axes)) / np.sqrt((mode.numpy() ** 2).sum(axes))
    return Modes(start, mode.numpy(), relative, relative < tolerance)


@dataclasses.dataclass(frozen=True, kw_only=True)
class LocalModes(Evaluator):
    """Descents from training images: how many end in a mode, and how exactly modes auto-encode.

    Yields `converged` (share of descents), `relative_error` (largest |I - B| / |I| of those) and
    `memories` (different modes, closer than 1 % of their norm counted once).

    Args:
        num_images: descents, at most.
        num_steps: the most steps of each.
        tolerance: of |I - B| / |I|.
    """

    num_images: int = 16
    num_steps: int = 5000
    tolerance: float = 1e-4

    def run(self) -> Iterator[tuple[str, float]]:
        if (
            not isinstance(getattr(self.algorithm, "tasks", None), EnergyTasks)
            or self.algorithm.num_classes > 1
        ):
            raise UserError("--metrics: local_modes expects a model with one energy")
        height, width, _ = self.images.shape
        start = self.images.train.whole()[: self.num_images, :height, :width]
        modes = descend(self.algorithm, start, num_steps=self.num_steps, tolerance=self.tolerance)
        yield "converged", float(modes.converged.mean())
        if modes.converged.any():
            yield "relative_error", float(modes.relative_error[modes.converged].max())
            yield "memories", float(_count(modes.mode[modes.converged]))


def _count(modes: np.ndarray) -> int:
    found: list[np.ndarray] = []
    for mode in modes:
        if all(np.linalg.norm(mode - other) > 0.01 * np.linalg.norm(other) for other in found):
            found.append(mode)
    return len(found)
