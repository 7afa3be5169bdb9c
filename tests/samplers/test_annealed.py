"""Annealed noise: its scale at every step, its independence, what it does not change."""

import numpy as np
import pytest
import tensorflow as tf

from tfgen import random
from tfgen.data.toy import Gaussian
from tfgen.samplers import Adam, Annealed, Descent, Langevin, run

SEED = random.root(0)
START = tf.zeros([10_000, 1, 1, 2])
SPREAD = 5 * np.sqrt(2 / 20_000)
"""Five standard errors of a variance of 20,000 draws, a share of it: exceeded with 6e-7."""


def level(x):
    """No slope anywhere."""
    return 0 * tf.reduce_sum(x, axis=[1, 2, 3])


def increments(kernel, steps):
    """Each step's move where there is no slope, [steps, 20,000]."""
    kept = run(kernel, level, START, SEED, steps, keep_every=1)[1].kept.numpy()
    return np.diff(kept, axis=0, prepend=START.numpy()[None]).reshape(steps, -1)


@pytest.mark.parametrize("decay", [1.0, 0.7])
def test_the_noises_standard_deviation_falls_by_the_decay_at_every_step(decay):
    """Five variances at 5 standard errors: fails with a probability of 3e-6."""
    found = increments(Annealed(Adam(0.1), noise=0.4, decay=decay), 5)
    for step, moves in enumerate(found):
        assert abs(np.mean(moves**2) / (0.4 * decay**step) ** 2 - 1) < SPREAD


def test_no_two_steps_draw_the_same_noise():
    """Ten correlations of 20,000 independent pairs at 5 / √n: fails with probability 6e-6."""
    correlations = np.corrcoef(increments(Annealed(Adam(0.1), noise=0.4, decay=0.9), 5))
    assert np.abs(correlations[~np.eye(5, dtype=bool)]).max() < 5 / np.sqrt(20_000)


def test_the_kernels_own_noise_and_the_added_one_are_independent():
    """Then variances add, 0.3² + 0.4²; one draw used twice would give 0.7². Fails with 6e-7."""
    moves = increments(Annealed(Langevin(0.3), noise=0.4), 1)
    assert abs(np.mean(moves**2) / 0.25 - 1) < SPREAD


@pytest.mark.parametrize(
    "kernel", [Adam(0.1), Langevin(0.1, temperature=0.0)], ids=["adam", "descent"]
)
def test_no_noise_is_the_kernel_itself(kernel):
    x = random.normal([5, 1, 1, 2], SEED)
    ends = [run(k, Gaussian().energy, x, SEED, 6)[0] for k in (kernel, Annealed(kernel, noise=0.0))]
    np.testing.assert_array_equal(*ends)


def test_the_next_step_goes_on_from_the_noisy_x_with_the_kernels_own_state():
    """By hand: Adam keeps its means, and takes its slope where the noise has led."""
    kernel, energy, x = Adam(0.1), Gaussian().energy, random.normal([5, 1, 1, 2], SEED)
    inner = kernel.init(energy, x)
    for i in range(3):
        own, noise = random.split(random.fold_in(SEED, i))
        inner, info = kernel.step(energy, inner, own)
        inner = inner._replace(x=inner.x + 0.2 * 0.5**i * random.normal(x.shape, noise))
    found, summary = run(Annealed(kernel, noise=0.2, decay=0.5), energy, x, SEED, 3)
    np.testing.assert_allclose(found, inner.x, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(summary.last.energy, info.energy, rtol=1e-4)


def test_bounds_hold_after_the_noise_too_and_are_reached():
    kernel = Annealed(Adam(0.1, bounds=(-0.25, 0.75)), noise=0.5, bounds=(-0.25, 0.75))
    kept = run(kernel, level, START[:50], SEED, 20, keep_every=1)[1].kept.numpy()
    assert (kept.min(), kept.max()) == (-0.25, 0.75)


def test_it_has_finished_when_its_kernel_has():
    """Descent rests at the bottom, where its first step leads; the noise is tiny."""

    def bowl(x):
        return tf.reduce_sum(x**2, axis=[1, 2, 3]) / 2

    kernel = Descent(1.0, tolerance=1e-5)
    _, summary = run(
        Annealed(kernel, noise=1e-9), bowl, random.normal([3, 2, 2, 1], SEED), SEED, 50
    )
    assert summary.num_steps == 1
