"""A step of the divergence triangle in PyTorch, eager or with its nets compiled.

python -m benchmarks.peers.contenders torch_triangle WORKLOAD.npz [--compiled] [--channels_last]
"""

import argparse
import math
from collections.abc import Callable, Sequence

import torch

from benchmarks.peers import contender, workload
from benchmarks.peers.contenders import torch_nets

NETS: dict[str, Callable[..., torch.nn.Module]] = {
    "energy": torch_nets.Energy,
    "inference": torch_nets.Inference,
    "generator": torch_nets.Generator,
}
EPSILON = 1e-7 / (1 - 0.999) ** 0.5
"""Adam's epsilon that equals Keras's at the first step.

Keras adds 1e-7 to the root of a second moment that is not bias-corrected.
"""


class Triangle:
    """The three nets and their optimizers.

    Args:
        work: holds the nets' layers and the objective's constants.
        optimizer: makes a role's optimizer, given the role and parameters.
        options: compiled, channels_last.
    """

    def __init__(
        self,
        work: workload.Workload,
        optimizer: Callable[..., torch.optim.Optimizer],
        options: argparse.Namespace,
    ):
        self.known, layout = work.constants, torch_nets.layout_of(options)
        self.nets, self.optimizers = {}, {}
        for role, make in NETS.items():
            net = make(work.nets[role]).to(memory_format=layout)
            self.optimizers[role] = optimizer(role, net.parameters())
            self.nets[role] = torch.compile(net) if options.compiled else net

    def step(self, images, z, noise) -> dict[str, torch.Tensor]:
        """Updates each net, and returns what is logged.

        Args:
            images: of the data, [b, c, h, w].
            z: latents of the prior, [b, d].
            noise: of the posterior, for the inference net and for the generator, like z.
        """
        variational, adversarial = self.known["variational"], self.known["adversarial"]
        self._only("generator")
        x = self.nets["generator"](z)
        generated = x.detach()  # a constant for the two other nets

        self._only("energy")
        u, u_x = self._energy(images), self._energy(generated)
        logs = self._descend("energy", adversarial * (u - u_x))

        self._only("inference")
        _, kl_q_p = self._kl_q_p(images, noise[0])
        latent_nll = self._latent_nll(z, generated)
        logs |= self._descend("inference", variational * kl_q_p + adversarial * latent_nll)

        self._only("generator")
        decoded, kl_q_p = self._kl_q_p(images, noise[1])
        kl_p_pi = self._energy(x) + self._latent_nll(z, x)
        logs |= self._descend("generator", variational * kl_q_p + adversarial * kl_p_pi)
        error = ((images - decoded) ** 2).mean()
        logs |= {"kl_q_p": kl_q_p, "latent_nll": latent_nll, "reconstruction_error": error}
        return logs | {"energy_data": u, "energy_samples": u_x}

    def _only(self, role: str) -> None:
        """Asks for gradients of this net's weights alone."""
        for name, net in self.nets.items():
            net.requires_grad_(name == role)

    def _descend(self, role: str, loss) -> dict[str, torch.Tensor]:
        """Makes a step of one net, and returns the norm of its gradient."""
        optimizer = self.optimizers[role]
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.nets[role].parameters(), self.known["clip_norm"])
        optimizer.step()
        return {f"{role}_grad_norm": norm}

    def _energy(self, x):
        """Computes the mean of U / T."""
        return self.nets["energy"](x).mean() / self.known["temperature"]

    def _kl_q_p(self, images, noise):
        """Computes what is decoded from the posterior, and KL(Q‖P)."""
        mean, log_var = self.nets["inference"](images)
        decoded = self.nets["generator"](mean + (log_var / 2).exp() * noise)
        prior = (mean**2 + log_var.exp() - log_var - 1).sum(1).mean() / 2
        variance = self.known["sigma"] ** 2
        error = (images - decoded) ** 2 / variance + math.log(2 * math.pi * variance)
        return decoded, prior + error.sum(dim=(1, 2, 3)).mean() / 2

    def _latent_nll(self, z, x):
        """Computes the mean of -log q(z|x)."""
        mean, log_var = self.nets["inference"](x)
        quadratic = (z - mean) ** 2 / (log_var.exp() + 1e-6)
        return (quadratic + log_var + math.log(2 * math.pi)).sum(1).mean() / 2


def entry(words: Sequence[str]) -> contender.Entry:
    """Returns the entry, given a workload's file and options."""
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
        logs = triangle.step(images, z, noise)
        return {name: value.detach().numpy() for name, value in logs.items()}

    def run():
        z, *noise = torch.randn(3, *work.arrays["z"].shape)
        return float(triangle.step(images, z, noise)["kl_q_p"])

    return contender.Entry(torch.__version__, answer, run)
