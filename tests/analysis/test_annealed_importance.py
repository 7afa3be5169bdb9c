"""The kernel of annealed importance sampling: leapfrog steps, acceptances, weights, costs."""

import numpy as np
import tensorflow as tf

from tfgen import energies, random
from tfgen.analysis.annealed_importance import AnnealedImportance
from tfgen.samplers import run

FIRST, LAST = energies.white_noise(1.0), energies.white_noise(0.5)


def anneal(beta, step_size, leaps=4, first=FIRST):
    return AnnealedImportance(
        first, tf.constant(beta, tf.float32), tf.constant(step_size, tf.float32), leaps
    )


def test_a_move_is_a_leapfrog_trajectory_accepted_by_its_energy():
    """The energy is (1 - β) x²/2 + β 2x² with β = 0.5; expected values in double precision."""
    kernel, seed = anneal([0.0, 0.5], [1.2], leaps=3), random.root(3)
    x = np.linspace(-2, 2, 200).reshape(100, 2).astype(np.float32)
    state, info = kernel.step(LAST, kernel.init(LAST, tf.constant(x)), seed)
    draw, accept = random.split(seed)
    momentum = start = np.float64(random.normal((100, 2), draw))
    there, slope = np.float64(x), 0.5 + 0.5 * 4
    momentum = momentum - 1.2 / 2 * slope * there
    for left in (2, 1, 0):
        there = there + 1.2 * momentum
        momentum = momentum - (1.2 if left else 0.6) * slope * there
    total = [((slope * a**2 + p**2) / 2).sum(axis=1) for a, p in ((x, start), (there, momentum))]
    expected = np.exp(np.minimum(total[0] - total[1], 0))
    np.testing.assert_allclose(info.acceptance, expected, rtol=1e-4)
    accepted = random.uniform((100,), accept).numpy() < expected
    assert 10 < accepted.sum() < 90
    np.testing.assert_allclose(state.x, np.where(accepted[:, None], there, x), atol=1e-5)
    np.testing.assert_allclose(state.log_weight, -0.5 * (2 - 0.5) * (x**2).sum(axis=1), rtol=1e-5)


def test_a_temperature_costs_as_many_passes_as_leaps():
    passes = []

    def counted(x):
        passes.append(1)
        return LAST(x)

    kernel = anneal([0.0, 0.3, 1.0], [0.5, 0.5], leaps=4)
    state = kernel.init(counted, tf.zeros((2, 3)))
    assert len(passes) == 1
    for number in range(2):
        state, _ = kernel.step(counted, state, random.root(number))
    assert len(passes) == 1 + 2 * 4


def test_moves_leave_their_density_invariant_and_weights_of_equal_energies_are_one():
    """20,000 samples of N(0, 1) after ten moves under it.

    Their moments are within 5 standard errors, which fails one time in 10^6.
    """
    n = 20_000
    x, _ = run(
        anneal(np.ones(11), np.full(10, 1.1)),
        FIRST,
        random.normal((n, 1), random.root(0)),
        random.root(1),
        10,
    )
    assert abs(np.mean(x)) < 5 / np.sqrt(n)
    assert abs(np.var(x) - 1) < 5 * np.sqrt(2 / n)
    kernel = anneal(np.linspace(0, 1, 4), np.ones(3))
    state = kernel.init(FIRST, x)
    for number in range(3):
        state, _ = kernel.step(FIRST, state, random.root(number))
    np.testing.assert_array_equal(state.log_weight, np.zeros(n))


def test_moves_to_infinite_energies_are_not_accepted():
    def boxed(x):
        return tf.where(tf.reduce_all(tf.abs(x) < 1, axis=1), tf.reduce_sum(x**2, axis=1), np.inf)

    kernel = anneal([1.0, 1.0], [5.0])
    state, info = kernel.step(boxed, kernel.init(boxed, tf.zeros((50, 2))), random.root(0))
    assert np.abs(state.x).max() < 1
    assert np.isfinite(info.energy).all()
    assert (info.acceptance.numpy() == 0).any()
