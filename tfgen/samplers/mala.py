"""The Metropolis-adjusted Langevin algorithm (MALA)."""

import dataclasses
from typing import Annotated

import tensorflow as tf

from tfgen.errors import Positive
from tfgen.samplers import metropolis
from tfgen.samplers.base import Info, Interval, Kernel, Scalar
from tfgen.samplers.langevin import Langevin
from tfgen.samplers.metropolis import State
from tfgen.types import EnergyFn, Seed


@dataclasses.dataclass(frozen=True)
class MALA(Kernel):
    """A Langevin proposal, accepted or rejected so that exp(-U / T) is left exactly invariant.

    Args:
        step_size: ε in units of x, positive.
        temperature: T, positive.
        bounds: if given, x stays in this interval: starts are clamped to it, proposals bounce off
            its ends, and exp(-U / T) restricted to the box is left exactly invariant.

    Source: Roberts and Tweedie, Exponential convergence of Langevin distributions, 1996; the best
        acceptance: Roberts and Rosenthal, Optimal scaling of discrete approximations to Langevin
        diffusions, 1998.
    """

    step_size: Annotated[Scalar, Positive]
    temperature: Annotated[Scalar, Positive] = 1.0
    bounds: Interval | None = None

    @property
    def target_acceptance(self) -> float:
        return 0.574

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
            num_leapfrog_steps=1,
            bounds=self.bounds,
        )

    def noise_free(self) -> Langevin:
        return Langevin(self.step_size, temperature=0.0, bounds=self.bounds)

    def scaled(self, step: Scalar = 1.0, temperature: Scalar = 1.0) -> "MALA":
        return dataclasses.replace(
            self, step_size=self.step_size * step, temperature=self.temperature * temperature
        )
