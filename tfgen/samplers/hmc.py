"""Hamiltonian Monte Carlo (HMC)."""

import dataclasses
from typing import Annotated

from tfgen.errors import AtLeastOne, Positive
from tfgen.samplers.base import Interval, Scalar
from tfgen.samplers.metropolis import Metropolis


@dataclasses.dataclass(frozen=True)
class HMC(Metropolis):
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
