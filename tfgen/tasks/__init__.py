"""What a trained model is used for: tasks of a model with an energy alone, and of one with latent vectors."""

from tfgen.tasks.energy import EnergyTasks, cut
from tfgen.tasks.latent import LatentTasks
from tfgen.tasks.posterior import Amortized, Posterior, Sampled, reparameterized

__all__ = ["Amortized", "EnergyTasks", "LatentTasks", "Posterior", "Sampled", "cut", "reparameterized"]
