"""What a trained model is used for: tasks of a model with an energy alone, of one with latent vectors, of a cascade."""

from tfgen.tasks.cascade import CascadeTasks
from tfgen.tasks.energy import EnergyTasks, cut
from tfgen.tasks.latent import LatentTasks
from tfgen.tasks.posterior import Amortized, Posterior, Sampled, reparameterized
from tfgen.tasks.synthesis import Synthesis

__all__ = [
    "Amortized",
    "CascadeTasks",
    "EnergyTasks",
    "LatentTasks",
    "Posterior",
    "Sampled",
    "Synthesis",
    "cut",
    "reparameterized",
]
