"""The Gaussian pieces of a model of points in the plane, and its samples against its density."""

import dataclasses
from collections.abc import Iterator
from typing import Annotated, ClassVar, NamedTuple

import numpy as np
import tensorflow as tf

from tfgen import random
from tfgen.errors import AtLeastOne, Positive, UserError
from tfgen.evaluation import local_modes
from tfgen.evaluation.base import LOWER, NEITHER, DensityEvaluator
from tfgen.models import Model, Target
from tfgen.nets.architectures.top_down import top_down
from tfgen.samplers import MALA, run


class Plane(NamedTuple):
    """A model on a square grid over the plane."""

    axis: np.ndarray
    """[n], the coordinates of the cells' centres, the same along both axes."""
    piece: np.ndarray
    """[n, n], the number of the activation pattern at each cell; rows are the second coordinate."""
    mean: np.ndarray
    """[pieces, 2], B of each piece in pixel units."""
    density: np.ndarray
    """[n, n], the probability of each cell under the model; it sums to 1."""


def check_plane(model: Model) -> None:
    """Raises UserError unless a model has one energy of points in the plane."""
    if model.image_shape != (1, 1, 2) or model.num_classes > 1:
        raise UserError(
            "pieces: expected a model of images 1x1 with 2 channels and one energy and found "
            f"{model.num_classes} classes of images {model.image_shape}"
        )
    local_modes.check_tilted("pieces", model)


def plane(model: Model, *, extent: float, cells: int) -> Plane:
    """Computes the pieces and the density of a model whose images are one pixel of two channels.

    Args:
        model: has one energy, whose net is piecewise linear.
        extent: the grid covers [-extent, extent] along both axes, in pixel units.
        cells: number of cells along a side.

    Returns:
        The pieces and the density on a grid.

    Raises:
        UserError: if the images are of another shape.
    """
    check_plane(model)
    axis = (np.arange(cells) + 0.5) / cells * 2 * extent - extent
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 1, 1, 2).astype(np.float32)
    y = tf.constant((points - model.image_mean) / model.sigma, tf.float32)
    passes = top_down(model.energy_net, y)
    pattern = np.concatenate([d.numpy().reshape(len(points), -1) for d in passes.delta], axis=1)
    _, first, piece = np.unique(pattern, axis=0, return_index=True, return_inverse=True)
    mean = model.image_mean + model.sigma * passes.B.numpy().reshape(-1, 2)[first]
    log_p = _log_density(model.target(), points)
    density = np.exp(log_p - log_p.max()).reshape(cells, cells)
    return Plane(axis, piece.reshape(cells, cells), mean, density / density.sum())


def _log_density(target: Target, points: np.ndarray) -> np.ndarray:
    """Computes -U / T of points, [n]; minus infinity outside of the density's box."""
    log_p = -target.energy(tf.constant(points)).numpy().astype(np.float64)
    if target.distribution.bounds is None:
        return log_p
    low, high = target.distribution.bounds
    inside = ((points >= low) & (points <= high)).all(axis=(1, 2, 3))
    return np.where(inside, log_p, -np.inf)


def sample(model: Model, *, chains: int, num_steps: int, step_size: float, seed: int) -> np.ndarray:
    """Draws samples by MALA, which has no step-size bias, after a warm-up of a fifth of the steps.

    Args:
        model: as for `plane`.
        chains: number of parallel chains, which start from the base distribution.
        num_steps: steps of each chain that are kept.
        step_size: in pixel units.
        seed: of all random numbers.

    Returns:
        [draws, 2].
    """
    target = model.target()
    start_seed, warm_seed, run_seed = random.split(random.root(seed), 3)
    start = target.distribution.sample((chains, *target.image_shape), start_seed)
    kernel = MALA(step_size, bounds=target.distribution.bounds)

    @tf.function(autograph=False)
    def draw(x):
        x, _ = run(kernel, target.energy, x, warm_seed, num_steps // 5)
        return run(kernel, target.energy, x, run_seed, num_steps, keep_every=1)[1].kept

    return draw(start).numpy().reshape(-1, 2)


def histogram(draws: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Returns the share of draws in each cell of a grid, [n, n]; rows are the second coordinate."""
    half = (axis[1] - axis[0]) / 2
    edges = np.append(axis - half, axis[-1] + half)
    return np.histogram2d(draws[:, 1], draws[:, 0], bins=(edges, edges))[0] / len(draws)


def coarse(grid: np.ndarray, cells: int) -> np.ndarray:
    """Sums a grid over blocks, so that `cells` cells are left along a side."""
    block = len(grid) // cells
    return grid.reshape(cells, block, cells, block).sum(axis=(1, 3))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pieces(DensityEvaluator):
    """Number of Gaussian pieces in the plane, and the samples' distance to the exact density.

    Yields `pieces`, the number of activation patterns met on the grid, and `total_variation`, half
    the L1 distance between the samples' histogram and the exact probabilities.

    Args:
        extent: the grid covers [-extent, extent] along both axes, in pixel units.
        cells: cells along a side of the grid that pieces are counted on, a multiple of `bins`.
        bins: bins along a side of the histogram.
        chains: number of parallel chains.
        num_steps: steps of each chain that are kept.
        step_size: of MALA, in pixel units.

    Source: A Theory of Generative ConvNet, section 4.
    """

    needs: ClassVar = frozenset({"energy", "reconstruct"})
    better: ClassVar = {"pieces": NEITHER, "total_variation": LOWER}

    extent: Annotated[float, Positive] = 2.0
    cells: Annotated[int, AtLeastOne] = 400
    bins: Annotated[int, AtLeastOne] = 40
    chains: Annotated[int, AtLeastOne] = 2000
    num_steps: Annotated[int, AtLeastOne] = 1000
    step_size: Annotated[float, Positive] = 0.3

    def check(self) -> None:
        super().check()
        check_plane(self.model)

    def run(self) -> Iterator[tuple[str, float]]:
        exact = plane(self.model, extent=self.extent, cells=self.cells)
        yield "pieces", float(len(exact.mean))
        draws = sample(
            self.model,
            chains=self.chains,
            num_steps=self.num_steps,
            step_size=self.step_size,
            seed=self.seed,
        )
        shares = coarse(histogram(draws, exact.axis), self.bins)
        yield "total_variation", float(np.abs(shares - coarse(exact.density, self.bins)).sum() / 2)
