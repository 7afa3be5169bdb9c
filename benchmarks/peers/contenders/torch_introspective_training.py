"""Training of an introspective network on patches of a texture in PyTorch.

python -m benchmarks.peers.contenders torch_introspective_training WORKLOAD.npz [--compiled] [--channels_last]
"""

import argparse
import collections
import copy
import math
from collections.abc import Sequence

import torch
from torch.nn import functional

from benchmarks.peers import contender, workload
from benchmarks.peers.contenders import torch_nets, torch_training
from benchmarks.peers.contenders.torch_synthesis import Synthesis


class Training(torch_training.Training):
    """A classifier, its copies at the ends of stages, and the pseudo-negatives of the last ones."""

    def __init__(self, work: workload.Workload, options: argparse.Namespace):
        super().__init__(work)
        layout = torch_nets.layout_of(options)
        self.net = torch_nets.net_of(work.nets["classifier"]).to(memory_format=layout)
        self.sgd = self.optimizer("discriminator", self.net.parameters())
        self.synthesis = Synthesis(
            torch.compile(self.net) if options.compiled else self.net, self.known, layout
        )
        self.negatives = collections.deque([self.draws.given("start", None)], self.known["memory"])
        self.cascade, self.losses = [], []

    @property
    def finished(self) -> bool:
        return len(self.cascade) >= self.known["stages"]

    def update(self):
        x = self.batch()
        samples = self.draws.given("negatives", lambda: self._drawn(len(x)))
        log_odds = self.net(torch.cat([x, samples])).flatten()
        data, synthesized = log_odds[: len(x)], log_odds[len(x) :]
        loss = (functional.softplus(-data).mean() + functional.softplus(synthesized).mean()) / 2
        self.sgd.zero_grad()
        loss.backward()
        norm = torch.nn.utils.get_total_norm([weight.grad for weight in self.net.parameters()])
        self.sgd.step()
        self.losses.append(loss.item())
        if self._learned():
            self._synthesize()
        return {"cross_entropy": loss.detach(), "discriminator_grad_norm": norm}

    def samples(self):
        """New ones: from noise through all classifiers."""
        shape = (self.known["count"], *self.negatives[0].shape[1:])
        x, net = (
            (self.known["sigma"] * torch.randn(shape)).clamp(-1, 1),
            copy.deepcopy(self.net.state_dict()),
        )
        for number, kept in enumerate(self.cascade):
            self.net.load_state_dict(kept)
            x = self._moved(x, number)
        self.net.load_state_dict(net)
        cut = self.known["padding"]
        return x[:, :, cut : x.shape[2] - cut, cut : x.shape[3] - cut]

    def _drawn(self, count: int):
        """Patches of pseudo-negatives, the likelier the newer."""
        shares = torch.tensor([self.known["recency"] ** -age for age in range(len(self.negatives))])
        ages, which = (
            torch.multinomial(shares, count, replacement=True),
            torch.randint(len(self.negatives[0]), (count,)),
        )
        chosen = [self.negatives[-1 - age][number] for age, number in zip(ages, which, strict=True)]
        return torch_training.patches(torch.stack(chosen), self.known["seen"])

    def _learned(self) -> bool:
        """Whether the stage is over."""
        window, updates = self.known["loss_window"], len(self.losses)
        low = sum(self.losses[-window:]) / window <= self.known["stop_loss"]
        return (updates % window == 0 and low) or updates >= self.known["stage_updates"]

    def _synthesize(self) -> None:
        self.negatives.append(self._moved(self.negatives[-1], len(self.cascade)))
        self.cascade.append(copy.deepcopy(self.net.state_dict()))
        self.losses = []

    def _moved(self, x, stage: int):
        """Textures across the boundary of the classifier, by steps that fall from stage to stage."""
        self.net.eval().requires_grad_(False)
        number = math.ceil(self.known["patches"] * x.shape[2] * x.shape[3] / self.known["area"])
        most = x.shape[2] - self.known["seen"] + 1
        places = (
            torch.randint(most, (len(x), number, 2)).tolist()
            for _ in range(self.known["synthesis_steps"])
        )
        x, _ = self.synthesis.steps(x, places, self.known["decay"] ** stage)
        self.net.train().requires_grad_(True)
        return x


def entry(words: Sequence[str]) -> contender.Entry:
    """Given a workload's file and options."""
    return torch_training.entered(Training, words)
