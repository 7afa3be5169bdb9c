"""What a trained model is used for: tasks of a model with an energy alone, of one with latent vectors, of a cascade."""

from tfgen.models.cascade import CascadeTasks
from tfgen.models.energy import EnergyTasks, cut
from tfgen.models.latent import LatentTasks
from tfgen.models.posterior import Amortized, Posterior, Sampled, reparameterized
from tfgen.models.synthesis import Synthesis

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
