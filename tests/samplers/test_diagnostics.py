"""Kept trajectories under the standard diagnostics: R-hat and the effective sample size."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from tfgen import probability, random
from tfgen.data.toy import Gaussian, Mixture
from tfgen.samplers import HMC, MALA, Langevin, run

CHAINS = 16
KERNELS = {"langevin": Langevin(0.1), "mala": MALA(0.15), "hmc": HMC(0.08, 3)}


def trajectory(kernel, energy, start, num_steps, warm=300):
    """[num_steps, chains, 2], after steps that are left out."""

    @tf.function(autograph=False)
    def walk(x):
        x, _ = run(kernel, energy, x, random.root(1), warm)
        return run(kernel, energy, x, random.root(2), num_steps, keep_every=1)[1].kept

    return tf.reshape(walk(tf.constant(start, tf.float32)), [num_steps, len(start), 2])


def effective_size(kept):
    """[chains, 2]: the effective sample size of each chain's numbers."""
    found = probability.mcmc().effective_sample_size(kept, filter_beyond_positive_pairs=True)
    return found.numpy()


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
def test_chains_from_far_apart_agree(kernel):
    """R-hat² - 1 is about χ² / (m - 1) over a chain's effective size; fails with 2e-6."""
    start = 4 * (random.uniform((CHAINS, 1, 1, 2), random.root(0)).numpy() - 0.5)
    kept = trajectory(kernel, Gaussian().energy, start, 2000, warm=500)
    ess = effective_size(kept)
    excess = probability.mcmc().potential_scale_reduction(kept).numpy() ** 2 - 1
    assert np.all(excess < stats.chi2.isf(1e-6, CHAINS - 1) / (CHAINS - 1) / ess.mean(axis=0))


def test_chains_that_never_meet_are_found_out():
    """Chains in different modes: the variance between them is far above that within."""
    density = Mixture(components=CHAINS, radius=5.0, scale=0.08)
    kept = trajectory(MALA(0.08), density.energy, density.means.reshape(-1, 1, 1, 2), 500)
    assert np.all(probability.mcmc().potential_scale_reduction(kept).numpy() > 2)


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
def test_the_mean_of_a_trajectory_is_as_near_as_its_effective_size_says(kernel):
    """2 numbers at 5 standard errors, s² / ESS: fails with a probability of 1e-6.

    A tenth more is for the ESS, which is estimated, and for Langevin's s, which is biased.
    """
    density = Gaussian()
    kept = trajectory(kernel, density.energy, density.sample(CHAINS, seed=0), 2000)
    ess = effective_size(kept).sum(axis=0)
    error = kept.numpy().mean(axis=(0, 1)) - density.mean
    assert np.all(np.abs(error) < 1.1 * 5 * density.scale / np.sqrt(ess))
    assert np.all(ess < 2000 * CHAINS)


def test_hmc_mixes_better_than_langevin_at_equal_cost():
    """Five gradients a step against five steps: some 10 times better, where 2 would pass."""
    density = Gaussian()
    start = density.sample(CHAINS, seed=0)

    def ess(kernel, num_steps):
        kept = trajectory(kernel, density.energy, start, num_steps)
        return effective_size(kept).mean()

    assert ess(HMC(0.1, 5), 400) > 2 * ess(Langevin(0.05), 2000)
