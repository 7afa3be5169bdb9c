"""Hamiltonian Monte Carlo (HMC)."""

import dataclasses
from typing import Annotated

import tensorflow as tf

from tfgen.errors import AtLeastOne, Positive
from tfgen.samplers import metropolis
from tfgen.samplers.base import Info, Interval, Kernel, Scalar
from tfgen.samplers.langevin import Langevin
from tfgen.samplers.metropolis import State
from tfgen.types import EnergyFn, Seed


@dataclasses.dataclass(frozen=True)
class HMC(Kernel):
    """Leapfrog trajectories, accepted or rejected so that exp(-U / T) is left exactly invariant.

    Momenta are drawn from N(0, T), so that one leapfrog step is MALA at the same step size.

    Args:
        step_size: the leapfrog step in units of x, positive.
        num_leapfrog_steps: gradient evaluations a step, at least 1.
        temperature: T, positive.
        bounds: if given, x stays in this interval: starts are clamped to it, trajectories bounce
            off its ends, and exp(-U / T) restricted to the box is left exactly invariant.

    Source: Neal, MCMC using Hamiltonian dynamics, 2011; the best acceptance: Beskos et al., Optimal
        tuning of the hybrid Monte Carlo algorithm, 2013.
    """

    step_size: Annotated[Scalar, Positive]
    num_leapfrog_steps: Annotated[int, AtLeastOne] = 5
    temperature: Annotated[Scalar, Positive] = 1.0
    bounds: Interval | None = None

    @property
    def target_acceptance(self) -> float:
        return 0.651

    @property
    def reports_new_point(self) -> bool:
        return True

    def init(self, energy: EnergyFn, x: tf.Tensor) -> State:
        return metropolis.init(energy, x, self.bounds)

    def step(self, energy: EnergyFn, state: State, seed: Seed) -> tuple[State, Info]:
        return metropolis.move(
            energy,
            state,
            seed,
            step_size=self.step_size,
            temperature=self.temperature,
            num_leapfrog_steps=self.num_leapfrog_steps,
            bounds=self.bounds,
        )

    def noise_free(self) -> Langevin:
        return Langevin(self.step_size, temperature=0.0, bounds=self.bounds)

    def scaled(self, step: Scalar = 1.0, temperature: Scalar = 1.0) -> "HMC":
        return dataclasses.replace(
            self, step_size=self.step_size * step, temperature=self.temperature * temperature
        )
