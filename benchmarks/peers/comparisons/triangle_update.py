"""A training step of the divergence triangle's official preset: three nets updated in turn.

x = g(z); then each net descends its own loss by Adam, norms clipped, meeting the others as just
updated:

    energy       a (mean U(data) - mean U(x)) / T
    inference    v KL(Q‖P) - a mean log q(z|x)
    generator    v KL(Q‖P) + a (mean U(x) / T - mean log q(z|x))

with KL(Q‖P) = |data - g(z')|² / (2 sigma²) + KL(q(z|data) ‖ N(0, 1)) + constants, and z' drawn
from q(z|data), anew for the inference net and for the generator.
"""

import dataclasses
from typing import ClassVar

import numpy as np

from benchmarks.peers.comparisons.comparison import Comparison, by_torch
from benchmarks.peers.contenders import tfgen_nets
from benchmarks.peers.workload import Workload
from benchmarks.speed import triangle_step
from benchmarks.speed.options import OURS
from tfgen import random
from tfgen.algorithms.divergence_triangle import PRESETS, ROLES


@dataclasses.dataclass(frozen=True)
class TriangleStep(Comparison):
    """A step of all three CIFAR-10 nets.

    What the first step logs is compared: losses, and norms of gradients.

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
        **by_torch("torch_triangle"),
        "JAX": ["jax_triangle"],
    }

    @property
    def title(self) -> str:
        return (
            f"A step of the divergence triangle, official preset, {self.side}x{self.side}x3, "
            f"{self.batch} images"
        )

    def work(self) -> tuple[Workload, float]:
        shape = (self.side, self.side, 3)
        nets = {}
        for number, role in enumerate(ROLES):
            net = triangle_step.BUILDERS[role](shape, width=self.width)
            nets[role] = tfgen_nets.draw(role, net, scale=0.02, number=number)
        preset = PRESETS["official"]
        constants = {
            "sigma": preset.sigma,
            "temperature": preset.temperature,
            "variational": preset.variational,
            "adversarial": preset.adversarial,
            "width": self.width,
            "rate": 1e-4,
            "beta_1": 0.5,
            "clip_norm": 100.0,
        }
        layers = {role: tfgen_nets.layers_of(role, net) for role, net in nets.items()}
        images = random.normal((self.batch, *shape), random.root(0)).numpy() / 2
        arrays = {"images": images} | self._draws(nets["generator"].latent_shape)
        operations = self.batch * triangle_step.operations_of("official", nets)
        return Workload(layers, constants, arrays), operations

    def _draws(self, latent_shape: tuple[int, ...]) -> dict[str, np.ndarray]:
        """Returns what tfgen draws in a step of this seed: z, and the noise of both z'."""
        shape = (self.batch, *latent_shape)
        prior, posterior = random.split(random.root(1))
        draws = {"z": random.normal(shape, prior).numpy()}
        for number, seed in enumerate(random.split(posterior)):
            draws[f"noise{number}"] = random.normal(shape, seed).numpy()
        return draws
