"""The works that libraries are compared on, one in each module."""

from benchmarks.peers.comparisons.annealing import AnnealedImportance
from benchmarks.peers.comparisons.comparison import Comparison
from benchmarks.peers.comparisons.descent_to_minima import DescentToMinima
from benchmarks.peers.comparisons.langevin_chains import LangevinDynamics
from benchmarks.peers.comparisons.learning_iteration import LearningIteration
from benchmarks.peers.comparisons.synthesis_steps import SynthesisSteps
from benchmarks.peers.comparisons.triangle_update import TriangleStep
from tfgen.nets.families import dcgan32, generative_convnet_texture, triangle_mnist

ALL: dict[str, Comparison] = {
    "texture": LangevinDynamics(
        net="the texture net",
        family=generative_convnet_texture,
        shape=(224, 224, 3),
        chains=16,
        times=2,
    ),
    "dcgan": LangevinDynamics(
        net="a DCGAN energy",
        family=dcgan32,
        shape=(32, 32, 3),
        chains=100,
        times=10,
    ),
    "small": LangevinDynamics(
        net="a small energy",
        family=triangle_mnist,
        shape=(28, 28, 1),
        chains=100,
        times=20,
    ),
    "triangle": TriangleStep(),
    "learning": LearningIteration(),
    "synthesis": SynthesisSteps(),
    "annealing": AnnealedImportance(),
    "descent": DescentToMinima(),
}
"""By the names of `--workloads`."""

__all__ = [
    "ALL",
    "AnnealedImportance",
    "Comparison",
    "DescentToMinima",
    "LangevinDynamics",
    "LearningIteration",
    "SynthesisSteps",
    "TriangleStep",
]
