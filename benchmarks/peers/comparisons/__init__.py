"""Works that libraries are compared on, a file each."""

from benchmarks.peers.comparisons.annealing import AnnealedImportance
from benchmarks.peers.comparisons.comparison import OURS, Comparison, drawn
from benchmarks.peers.comparisons.descent_to_minima import DescentToMinima
from benchmarks.peers.comparisons.langevin_chains import LangevinDynamics
from benchmarks.peers.comparisons.learning_iteration import LearningIteration
from benchmarks.peers.comparisons.synthesis_steps import SynthesisSteps
from benchmarks.peers.comparisons.triangle_update import TriangleStep
from tfgen.nets.families import dcgan32, generative_convnet_texture, triangle_mnist

ALL: dict[str, Comparison] = {
    "texture": LangevinDynamics(
        "Langevin dynamics on the texture net, 224x224x3, 16 chains",
        generative_convnet_texture,
        (224, 224, 3),
        16,
        2,
    ),
    "dcgan": LangevinDynamics(
        "Langevin dynamics on a DCGAN energy, 32x32x3, 100 chains", dcgan32, (32, 32, 3), 100, 10
    ),
    "small": LangevinDynamics(
        "Langevin dynamics on a small energy, 28x28x1, 100 chains",
        triangle_mnist,
        (28, 28, 1),
        100,
        20,
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
    "OURS",
    "AnnealedImportance",
    "Comparison",
    "DescentToMinima",
    "LangevinDynamics",
    "LearningIteration",
    "SynthesisSteps",
    "TriangleStep",
    "drawn",
]
