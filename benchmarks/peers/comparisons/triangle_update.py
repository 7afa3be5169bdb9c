"""A training step of the divergence triangle's official preset: energy, inference and generator updated in turn.

x = g(z); then each net goes down its own loss by Adam, norms clipped, meeting the others as just updated:

    energy       a (mean U(data) - mean U(x)) / T
    inference    v KL(Q‖P) - a mean log q(z|x)
    generator    v KL(Q‖P) + a (mean U(x) / T - mean log q(z|x))

with KL(Q‖P) = |data - g(z')|² / (2 sigma²) + KL(q(z|data) ‖ N(0, 1)) + constants, z' from q(z|data), drawn anew for
each of the two nets.
"""

import dataclasses
from typing import ClassVar

from benchmarks.peers.comparisons.comparison import OURS, Comparison, drawn
from benchmarks.peers.contenders import tfgen_nets
from benchmarks.peers.workload import Workload
from benchmarks.speed import rates
from benchmarks.speed.triangle_step import PASSES
from tfgen import random
from tfgen.algorithms.divergence_triangle import PRESETS, ROLES
from tfgen.nets.families import triangle_cifar10


@dataclasses.dataclass(frozen=True)
class TriangleStep(Comparison):
    """A step of all three CIFAR-10 nets; what the first one logs is compared: losses, and norms of gradients.

    Args:
        batch: images of a step.
        width: factor on the numbers of filters.
        side: of the images, a multiple of 8.
    """

    batch: int = 100
    width: float = 1.0
    side: int = 32

    contenders: ClassVar = {
        OURS: ["tfgen_triangle"],
        "PyTorch": ["torch_triangle"],
        "PyTorch, channels last": ["torch_triangle", "--channels_last"],
        "PyTorch, compiled": ["torch_triangle", "--compiled"],
        "JAX": ["jax_triangle"],
    }

    @property
    def title(self) -> str:
        return f"A step of the divergence triangle, official preset, {self.side}x{self.side}x3, {self.batch} images"

    def work(self) -> tuple[Workload, float]:
        shape = (self.side, self.side, 3)
        nets = {
            role: drawn(getattr(triangle_cifar10, role)(shape, width=self.width), 0.02, number)
            for number, role in enumerate(ROLES)
        }
        preset = PRESETS["official"]
        constants = {
            name: getattr(preset, name)
            for name in ("sigma", "temperature", "variational", "adversarial")
        }
        constants |= {"width": self.width, "rate": 1e-4, "beta_1": 0.5, "clip_norm": 100.0}
        below = {"energy": shape, "generator": nets["generator"].latent_shape, "inference": shape}
        passes = PASSES["official"]
        operations = self.batch * sum(
            passes[role] * rates.operations(nets[role], below[role]) for role in ROLES
        )
        layers = {role: tfgen_nets.layers_of(net) for role, net in nets.items()}
        arrays = {"images": random.normal((self.batch, *shape), random.root(0)).numpy() / 2}
        arrays |= self._draws(nets["generator"].latent_shape)
        return Workload(layers, constants, arrays), operations

    def _draws(self, latent_shape: tuple[int, ...]) -> dict:
        """What tfgen draws in a step of this seed: z, and the noise of both z'."""
        shape = (self.batch, *latent_shape)
        prior, posterior = random.split(random.root(1))
        noise = {
            f"noise{number}": random.normal(shape, seed)
            for number, seed in enumerate(random.split(posterior))
        }
        return {
            name: draw.numpy()
            for name, draw in ({"z": random.normal(shape, prior)} | noise).items()
        }
