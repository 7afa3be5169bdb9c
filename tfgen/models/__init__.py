"""Models: what was learned, how it is sampled, what it can be asked for, and its file on disk."""

from tfgen.models.adversarial import AdversarialModel, JointAdversarialModel
from tfgen.models.base import Model, Sampling, Target
from tfgen.models.cascade import CascadeModel
from tfgen.models.chains import Chains
from tfgen.models.classifier import ClassifierModel
from tfgen.models.discriminative import DiscriminativeModel
from tfgen.models.endpoints import Endpoint, task
from tfgen.models.energy import EnergyModel, without_margin
from tfgen.models.latent import LatentModel
from tfgen.models.posterior import Amortized, Posterior, Sampled, reparameterized
from tfgen.models.pyramid import PyramidModel
from tfgen.models.saved import load
from tfgen.models.synthesis import Synthesis

MODELS = (
    AdversarialModel,
    CascadeModel,
    ClassifierModel,
    DiscriminativeModel,
    EnergyModel,
    JointAdversarialModel,
    LatentModel,
    PyramidModel,
)
"""All classes of models that a file on disk can name."""

__all__ = [
    "MODELS",
    "AdversarialModel",
    "Amortized",
    "CascadeModel",
    "Chains",
    "ClassifierModel",
    "DiscriminativeModel",
    "Endpoint",
    "EnergyModel",
    "JointAdversarialModel",
    "LatentModel",
    "Model",
    "Posterior",
    "PyramidModel",
    "Sampled",
    "Sampling",
    "Synthesis",
    "Target",
    "load",
    "reparameterized",
    "task",
    "without_margin",
]
