"""Markov kernels over an energy, and the loops that run them."""

from tfgen.samplers.adam import Adam
from tfgen.samplers.adaptation import Adapted, adapt
from tfgen.samplers.annealed import Annealed
from tfgen.samplers.base import Info, Kernel
from tfgen.samplers.choice import NAMES, KernelName, SamplingKernel, config, from_config, kernel
from tfgen.samplers.descent import Descent
from tfgen.samplers.hmc import HMC
from tfgen.samplers.langevin import Langevin
from tfgen.samplers.loops import Summary, run, run_from_state, run_sequence
from tfgen.samplers.mala import MALA
from tfgen.samplers.patchwork import Patchwork
from tfgen.samplers.scheduled import Scheduled
from tfgen.samplers.shifted import Shifted
from tfgen.samplers.until import Until

__all__ = [
    "HMC",
    "MALA",
    "NAMES",
    "Adam",
    "Adapted",
    "Annealed",
    "Descent",
    "Info",
    "Kernel",
    "KernelName",
    "Langevin",
    "Patchwork",
    "SamplingKernel",
    "Scheduled",
    "Shifted",
    "Summary",
    "Until",
    "adapt",
    "config",
    "from_config",
    "kernel",
    "run",
    "run_from_state",
    "run_sequence",
]
