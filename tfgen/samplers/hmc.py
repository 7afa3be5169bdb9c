"""Hamiltonian Monte Carlo: TensorFlow Probability's, behind our Kernel."""

import dataclasses
from typing import Any, NamedTuple

import tensorflow as tf

from tfgen import energies
from tfgen.samplers.base import Info, Kernel
from tfgen.types import EnergyFn, Seed


class State(NamedTuple):
    """The batch and what TensorFlow Probability remembers of it."""

    x: tf.Tensor
    results: Any


@dataclasses.dataclass(frozen=True)
class HMC(Kernel):
    """Leapfrog trajectories, accepted or rejected so that exp(-U / T) is left exactly invariant.

    Args:
        step_size: the leapfrog step in units of x, positive.
        num_leapfrog_steps: gradient evaluations a step, at least 1.
        temperature: T, positive.

    Source: Neal, MCMC using Hamiltonian dynamics, 2011; `tfp.mcmc.HamiltonianMonteCarlo`.
    """

    step_size: float | tf.Tensor
    num_leapfrog_steps: int = 5
    temperature: float = 1.0

    def _kernel(self, energy: EnergyFn) -> Any:
        # here, since it takes seconds, which only those should wait for who sample so
        import tensorflow_probability as tfp

        return tfp.mcmc.HamiltonianMonteCarlo(
            target_log_prob_fn=lambda x: -energy(x) / self.temperature,
            step_size=self.step_size,
            num_leapfrog_steps=self.num_leapfrog_steps,
        )

    def init(self, energy: EnergyFn, x: tf.Tensor) -> State:
        return State(x, self._kernel(energy).bootstrap_results(x))

    def step(self, energy: EnergyFn, state: State, seed: Seed) -> tuple[State, Info]:
        x, results = self._kernel(energy).one_step(state.x, state.results, seed=seed)
        accepted = results.accepted_results
        u = -accepted.target_log_prob * self.temperature
        grad_norm = energies.norm(accepted.grads_target_log_prob[0] * self.temperature)
        acceptance = tf.exp(tf.minimum(results.log_accept_ratio, 0.0))
        return State(tf.ensure_shape(x, state.x.shape), results), Info(u, grad_norm, acceptance)
