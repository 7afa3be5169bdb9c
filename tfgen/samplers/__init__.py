"""Markov kernels over an energy, and the loops that run them."""

from tfgen.samplers.adam import Adam
from tfgen.samplers.annealed import Annealed
from tfgen.samplers.base import Info, Kernel, Summary, evolve, run, run_in_turn
from tfgen.samplers.descent import Descent
from tfgen.samplers.hmc import HMC
from tfgen.samplers.langevin import Langevin
from tfgen.samplers.mala import MALA
from tfgen.samplers.patchwork import Patchwork
from tfgen.samplers.until import Until

__all__ = [
    "HMC",
    "MALA",
    "Adam",
    "Annealed",
    "Descent",
    "Info",
    "Kernel",
    "Langevin",
    "Patchwork",
    "Summary",
    "Until",
    "evolve",
    "run",
    "run_in_turn",
]
