"""Annealed importance sampling of normalising constants relative to the reference."""

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tfgen import energies, random
from tfgen.types import EnergyFn, Seed


def log_partition(
    energy: EnergyFn,
    shape: tuple[int, ...],
    sigma: float,
    mean: np.ndarray,
    seed: Seed,
    *,
    chains: int,
    temperatures: int,
    step_size: float,
    num_leapfrog_steps: int = 4,
    samples: tf.Tensor | None = None,
) -> tf.Tensor:
    """log Z of p(x) = exp f(x) q(x) / Z, from q = N(mean, σ²), whose own constant is known.

    Annealed from q up to p, the expectation of the estimate is at most log Z. Annealed from samples of p
    down to q it is at least log Z, if they follow p.

    Args:
        energy: U, the tilted reference.
        shape: of one x, without the batch axis.
        sigma: the reference's standard deviation, positive.
        mean: the reference's, broadcast to `shape`.
        seed: int32 [2].
        chains: importance samples.
        temperatures: steps from q to p.
        step_size: of Hamiltonian Monte Carlo, in units of x.
        num_leapfrog_steps: gradient evaluations a temperature.
        samples: of p, [chains, *shape]: if given, the annealing goes down from them.

    Returns:
        A scalar, nats.

    Source: Neal, Annealed importance sampling, 2001; `tfp.mcmc.sample_annealed_importance_chain`.
    """
    start_seed, run_seed = random.split(seed)
    reference = energies.white_noise(sigma, mean)
    upward = samples is None
    start = mean + sigma * random.normal((chains, *shape), start_seed) if upward else samples
    first, last = (reference, energy) if upward else (energy, reference)
    _, log_weights, _ = tfp.mcmc.sample_annealed_importance_chain(
        num_steps=temperatures,
        proposal_log_prob_fn=lambda x: -first(x),
        target_log_prob_fn=lambda x: -last(x),
        current_state=start,
        make_kernel_fn=lambda log_prob: tfp.mcmc.HamiltonianMonteCarlo(log_prob, step_size, num_leapfrog_steps),
        seed=run_seed,
    )
    log_ratio = tf.reduce_logsumexp(log_weights) - tf.math.log(float(chains))
    return log_ratio if upward else -log_ratio
