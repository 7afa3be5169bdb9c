"""Hamiltonian Monte Carlo behind our Kernel."""

import numpy as np
import tensorflow as tf

from tfgen import random
from tfgen.data.toy import Gaussian
from tfgen.samplers import HMC, run


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
