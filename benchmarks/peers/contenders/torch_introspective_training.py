"""Training of an introspective network on patches of a texture in PyTorch.

python -m benchmarks.peers.contenders torch_introspective_training WORKLOAD.npz [--compiled]
    [--channels_last]
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
    """A classifier, its copies at the ends of stages, and the last stages' pseudo-negatives."""

    def __init__(self, work: workload.Workload, options: argparse.Namespace):
        super().__init__(work)
        layout = torch_nets.layout_of(options)
        self.net = torch_nets.net_of(work.nets["classifier"]).to(memory_format=layout)
        self.sgd = self.optimizer("discriminator", self.net.parameters())
        net = torch.compile(self.net) if options.compiled else self.net
        self.synthesis = Synthesis(net, self.known, layout)
        start = self.draws.known("start")
        self.negatives = collections.deque([start], self.known["memory"])
        self.cascade: list[dict] = []
        self.losses: list[float] = []

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
        if self._has_learned():
            self._synthesize()
        return {"cross_entropy": loss.detach(), "discriminator_grad_norm": norm}

    def samples(self):
        """Returns new samples, which go from noise through all classifiers."""
        shape = (self.known["count"], *self.negatives[0].shape[1:])
        x = (self.known["sigma"] * torch.randn(shape)).clamp(-1, 1)
        # the synthesis holds one net, whose weights are exchanged
        present = copy.deepcopy(self.net.state_dict())
        for number, kept in enumerate(self.cascade):
            self.net.load_state_dict(kept)
            x = self._moved(x, number)
        self.net.load_state_dict(present)
        return torch_training.without_margin(x, self.known["padding"])

    def _drawn(self, count: int):
        """Draws patches of pseudo-negatives, newer ones more often."""
        shares = [self.known["recency"] ** -age for age in range(len(self.negatives))]
        ages = torch.multinomial(torch.tensor(shares), count, replacement=True)
        which = torch.randint(len(self.negatives[0]), (count,))
        chosen = [self.negatives[-1 - age][number] for age, number in zip(ages, which, strict=True)]
        return torch_training.patches(torch.stack(chosen), self.known["seen"])

    def _has_learned(self) -> bool:
        """Returns whether the stage is over."""
        window, updates = self.known["loss_window"], len(self.losses)
        if updates >= self.known["stage_updates"]:
            return True
        mean = sum(self.losses[-window:]) / window
        return updates % window == 0 and mean <= self.known["stop_loss"]

    def _synthesize(self) -> None:
        """Ends a stage: keeps new pseudo-negatives and the classifier."""
        self.negatives.append(self._moved(self.negatives[-1], len(self.cascade)))
        self.cascade.append(copy.deepcopy(self.net.state_dict()))
        self.losses = []

    def _moved(self, x, stage: int):
        """Moves textures across the classifier's boundary; steps shrink from stage to stage."""
        # synthesis sees the running statistics, and needs no gradients of weights
        self.net.eval().requires_grad_(False)
        number = math.ceil(self.known["patches"] * x.shape[2] * x.shape[3] / self.known["area"])
        most = x.shape[2] - self.known["seen"] + 1
        size = (len(x), number, 2)
        steps = range(self.known["synthesis_steps"])
        places = (torch.randint(most, size).tolist() for _ in steps)
        x, _ = self.synthesis.steps(x, places, self.known["decay"] ** stage)
        self.net.train().requires_grad_(True)
        return x


def entry(words: Sequence[str]) -> contender.Entry:
    """Returns the entry, given a workload's file and options."""
    return torch_training.entered(Training, words)
