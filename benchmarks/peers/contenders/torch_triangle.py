"""A step of the divergence triangle in PyTorch, eager or with its nets compiled.

python -m benchmarks.peers.contenders torch_triangle WORKLOAD.npz [--compiled] [--channels_last]
"""

import argparse
import math
from collections.abc import Sequence

import torch

from benchmarks.peers import contender, workload
from benchmarks.peers.contenders import torch_nets

NETS = {
    "energy": torch_nets.Energy,
    "inference": torch_nets.Inference,
    "generator": torch_nets.Generator,
}
EPSILON = 1e-7 / (1 - 0.999) ** 0.5
"""Of Adam: Keras has 1e-7 beside the root of a mean that is not yet corrected; at the first step this is as much."""


class Triangle:
    """The three nets and their optimizers.

    Args:
        work: holds the nets' layers and the objective's constants.
        optimizer: what makes a role's optimizer, given the role and parameters.
        options: compiled, channels_last.
    """

    def __init__(self, work: workload.Workload, optimizer, options: argparse.Namespace):
        self.known, layout = work.constants, torch_nets.layout_of(options)
        self.nets = {
            role: make(work.nets[role]).to(memory_format=layout) for role, make in NETS.items()
        }
        self.optimizers = {
            role: optimizer(role, net.parameters()) for role, net in self.nets.items()
        }
        if options.compiled:
            self.nets = {role: torch.compile(net) for role, net in self.nets.items()}

    def step(self, images, z, noise) -> dict[str, torch.Tensor]:
        """Updates each net; noise is a pair, as z."""
        variational, adversarial = self.known["variational"], self.known["adversarial"]
        self._only("generator")
        x = self.nets["generator"](z)
        dreamt = x.detach()

        self._only("energy")
        u, u_x = self._density(images), self._density(dreamt)
        logs = self._descend("energy", adversarial * (u - u_x))

        self._only("inference")
        _, q_p = self._q_p(images, noise[0])
        p_q = self._p_q(z, dreamt)
        logs |= self._descend("inference", variational * q_p + adversarial * p_q)

        self._only("generator")
        decoded, q_p = self._q_p(images, noise[1])
        p_pi = self._density(x) + self._p_q(z, x)
        logs |= self._descend("generator", variational * q_p + adversarial * p_pi)
        error = ((images - decoded) ** 2).mean()
        logs |= {"kl_q_p": q_p, "latent_nll": p_q, "reconstruction_error": error}
        return logs | {"energy_data": u, "energy_samples": u_x}

    def _only(self, role: str) -> None:
        """Gradients are asked of the weights of this net alone."""
        for name, net in self.nets.items():
            net.requires_grad_(name == role)

    def _descend(self, role: str, loss) -> dict[str, torch.Tensor]:
        """A step of one net, and the norm of its gradient."""
        optimizer = self.optimizers[role]
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.nets[role].parameters(), self.known["clip_norm"])
        optimizer.step()
        return {f"{role}_grad_norm": norm}

    def _density(self, x):
        """Mean U / T."""
        return self.nets["energy"](x).mean() / self.known["temperature"]

    def _q_p(self, images, noise):
        """What is decoded from the posterior, and KL(Q‖P)."""
        mean, log_var = self.nets["inference"](images)
        decoded = self.nets["generator"](mean + (log_var / 2).exp() * noise)
        prior = (mean**2 + log_var.exp() - log_var - 1).sum(1).mean() / 2
        variance = self.known["sigma"] ** 2
        error = (images - decoded) ** 2 / variance + math.log(2 * math.pi * variance)
        return decoded, prior + error.sum(dim=(1, 2, 3)).mean() / 2

    def _p_q(self, z, x):
        """Mean -log q(z|x)."""
        mean, log_var = self.nets["inference"](x)
        quadratic = (z - mean) ** 2 / (log_var.exp() + 1e-6)
        return (quadratic + log_var + math.log(2 * math.pi)).sum(1).mean() / 2


def entry(words: Sequence[str]) -> contender.Entry:
    """Given a workload's file and options."""
    options = torch_nets.arguments(words)
    work = workload.read(options.workload)
    known = work.constants

    def adam(role, parameters):
        del role
        return torch.optim.Adam(parameters, known["rate"], (known["beta_1"], 0.999), eps=EPSILON)

    triangle = Triangle(work, adam, options)
    images = torch_nets.channels_first(work.arrays["images"], torch_nets.layout_of(options))
    z, *noise = (torch.tensor(work.arrays[name]) for name in ("z", "noise0", "noise1"))

    def answer():
        return {
            name: value.detach().numpy() for name, value in triangle.step(images, z, noise).items()
        }

    def run():
        z, *noise = torch.randn(3, *work.arrays["z"].shape)
        return float(triangle.step(images, z, noise)["kl_q_p"])

    return contender.Entry(torch.__version__, answer, run)
