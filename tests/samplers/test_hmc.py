"""Hamiltonian Monte Carlo: its trajectories, its acceptance, what it reports."""

import numpy as np
import pytest
import tensorflow as tf

from tfgen import probability, random
from tfgen.data.toy import Gaussian
from tfgen.samplers import HMC, MALA, run


def test_a_tiny_step_conserves_the_energy_and_is_accepted():
    """1 - acceptance is of the order of ε²."""
    density = Gaussian()
    _, summary = run(
        HMC(1e-3, 5), density.energy, tf.constant(density.sample(50, seed=0)), random.root(0), 5
    )
    assert summary.mean.acceptance.numpy().min() > 0.999


def test_a_huge_step_is_rejected_and_leaves_x():
    density = Gaussian()
    start = tf.constant(density.sample(50, seed=0))
    x, summary = run(HMC(20.0, 5), density.energy, start, random.root(0), 3)
    np.testing.assert_array_equal(x, start)
    assert summary.mean.acceptance.numpy().max() < 1e-6


def test_information_is_of_the_untempered_energy():
    density = Gaussian()
    start = tf.constant(density.sample(50, seed=0))
    x, summary = run(HMC(0.1, 3, temperature=3.0), density.energy, start, random.root(0), 2)
    with tf.GradientTape() as tape:
        tape.watch(x)
        u = density.energy(x)
    norm = np.linalg.norm(tape.gradient(u, x).numpy().reshape(-1, 2), axis=1)
    np.testing.assert_allclose(summary.last.energy, u, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(summary.last.grad_norm, norm, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("num_leapfrog_steps", [1, 4])
def test_proposals_and_acceptances_are_those_of_tensorflow_probability(num_leapfrog_steps):
    """The same momenta under its integrator; with its temperature, divided by the root of T."""
    density, temperature, seed = Gaussian(), 2.0, random.root(5)
    x = tf.constant(density.sample(50, seed=0))
    kernel = HMC(0.2, num_leapfrog_steps, temperature)
    state, info = kernel.step(density.energy, kernel.init(density.energy, x), seed)

    momentum = random.normal(x.shape, random.split(seed)[0])
    root = temperature**0.5
    integrator = probability.mcmc().internal.leapfrog_integrator.SimpleLeapfrogIntegrator(
        lambda x: -density.energy(x) / temperature, [0.2 * root], num_leapfrog_steps
    )
    (end,), (proposal,), log_density, _ = integrator([momentum], [x])

    def log_joint(value, momentum):
        return value - tf.reduce_sum(momentum**2, axis=[1, 2, 3]) / 2

    before = log_joint(-density.energy(x) / temperature, momentum)
    log_ratio = tf.minimum(log_joint(log_density, end) - before, 0.0)
    np.testing.assert_allclose(info.acceptance, tf.exp(log_ratio), rtol=1e-3, atol=1e-5)
    moved = np.any(state.x != x, axis=(1, 2, 3))
    assert moved.sum() > 0
    np.testing.assert_allclose(state.x[moved], proposal[moved], rtol=1e-4, atol=1e-5)


def test_one_leapfrog_step_is_mala():
    density, x = Gaussian(), tf.constant(Gaussian().sample(50, seed=0))
    kernels = MALA(0.3, 2.0), HMC(0.3, 1, 2.0)
    ends = [run(kernel, density.energy, x, random.root(5), 4)[0] for kernel in kernels]
    np.testing.assert_array_equal(*ends)
