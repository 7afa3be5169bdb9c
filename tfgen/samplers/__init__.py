"""Markov kernels over an energy, and the one loop that runs them."""

from tfgen.samplers.base import Info, Kernel, Summary, run
from tfgen.samplers.chains import Chains
from tfgen.samplers.descent import Descent
from tfgen.samplers.hmc import HMC
from tfgen.samplers.langevin import Langevin
from tfgen.samplers.mala import MALA

__all__ = ["HMC", "MALA", "Chains", "Descent", "Info", "Kernel", "Langevin", "Summary", "run"]
