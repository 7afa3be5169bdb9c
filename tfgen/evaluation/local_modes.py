"""Where noise-free descent ends: the energy's memories, and whether they auto-encode exactly."""

import dataclasses
from collections.abc import Iterator
from typing import Annotated, ClassVar, NamedTuple

import numpy as np
import tensorflow as tf

from tfgen import random
from tfgen.errors import AtLeastOne, Positive, UserError
from tfgen.evaluation.base import LOWER, NEITHER, DensityEvaluator
from tfgen.models import Model
from tfgen.samplers import Descent, run

APART = 0.01
"""Modes are different if they differ by more than this share of their norm."""


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


def check_tilted(asker: str, model: Model) -> None:
    """Raises UserError unless a model has one energy, which tilts white noise.

    Such an energy's reconstructions are the means of its Gaussian pieces.

    Args:
        asker: what the error begins with.
        model: to be checked.
    """
    able = model.capabilities()
    tilted = {"energy", "reconstruct"} <= able and model.num_classes == 1
    if not tilted or not model.target().distribution.curvature:
        raise UserError(
            f"{asker}: expected a model with one energy, which tilts white noise, and found a "
            f"{type(model).__name__} with {model.num_classes} classes and the tasks "
            f"{', '.join(sorted(able))}"
        )


def descend(model: Model, start: np.ndarray, *, num_steps: int, tolerance: float) -> Modes:
    """Descends without noise to local modes.

    Args:
        model: whose one energy tilts white noise; see `check_tilted`.
        start: [n, h, w, c].
        num_steps: of each descent, at most.
        tolerance: of |I - B| / |I|.

    Returns:
        The modes.

    Source: A Theory of Generative ConvNet, Proposition 2.
    """
    target = model.target()
    # U / T and the variance sigma² T: each step is the same as of U and sigma²
    variance = 1 / target.distribution.curvature
    size = np.sqrt(np.prod(start.shape[1:])) * np.abs(start).mean()
    kernel = Descent(variance, tolerance=float(tolerance * size / variance / 10), min_step=1e-5)

    @tf.function(autograph=False)
    def settle(x):
        return run(kernel, target.energy, x, random.root(0), num_steps)[0]

    mode = settle(tf.constant(start))
    error = (mode - model.reconstruct(mode)).numpy()
    axes = tuple(range(1, start.ndim))
    norm = np.sqrt((mode.numpy() ** 2).sum(axes))
    relative = np.sqrt((error**2).sum(axes)) / np.maximum(norm, 1e-12)  # a mode may be zero
    return Modes(start, mode.numpy(), relative, relative < tolerance)


@dataclasses.dataclass(frozen=True, kw_only=True)
class LocalModes(DensityEvaluator):
    """Descents from training images: how many end in a mode, and how exactly modes auto-encode.

    Yields `converged`, the share of descents; `relative_error`, the largest |I - B| / |I| of those;
    and `memories`, the number of different modes. Modes closer than 1 % of their norm are one.

    Args:
        num_images: descents, at most.
        num_steps: of each descent, at most.
        tolerance: of |I - B| / |I|.
    """

    needs: ClassVar = frozenset({"energy", "reconstruct"})
    better: ClassVar = {"converged": NEITHER, "relative_error": LOWER, "memories": NEITHER}
    counted: ClassVar = ("train",)

    num_images: Annotated[int, AtLeastOne] = 16
    num_steps: Annotated[int, AtLeastOne] = 5000
    tolerance: Annotated[float, Positive] = 1e-4

    def check(self) -> None:
        super().check()
        check_tilted(self.name(), self.model)

    def run(self) -> Iterator[tuple[str, float]]:
        start = self.images.train.shown(self.num_images)
        modes = descend(self.model, start, num_steps=self.num_steps, tolerance=self.tolerance)
        yield "converged", float(modes.converged.mean())
        if modes.converged.any():
            yield "relative_error", float(modes.relative_error[modes.converged].max())
            yield "memories", float(count_different(modes.mode[modes.converged]))


def count_different(modes: np.ndarray) -> int:
    """Counts modes, [n, ...], those once that are closer than 1 % of their norm."""
    found: list[np.ndarray] = []
    for mode in modes:
        if all(np.linalg.norm(mode - other) > APART * np.linalg.norm(other) for other in found):
            found.append(mode)
    return len(found)
