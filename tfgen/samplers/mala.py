"""The Metropolis-adjusted Langevin algorithm (MALA)."""

import dataclasses
from typing import Annotated

from tfgen.errors import Positive
from tfgen.samplers.base import Interval, Scalar
from tfgen.samplers.metropolis import Metropolis


@dataclasses.dataclass(frozen=True)
class MALA(Metropolis):
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
    def num_leapfrog_steps(self) -> int:
        return 1
