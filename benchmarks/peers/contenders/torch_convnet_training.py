"""Training of the generative ConvNet on patches of a texture in PyTorch.

python -m benchmarks.peers.contenders torch_convnet_training WORKLOAD.npz [--compiled]
    [--channels_last]
"""

import argparse
import functools
from collections.abc import Sequence

import torch

from benchmarks.peers import contender, workload
from benchmarks.peers.contenders import torch_training
from benchmarks.peers.contenders.torch_learning import Learner


class Training(torch_training.Training):
    """Persistent chains and the net that they follow, at one depth or growing."""

    def __init__(self, work: workload.Workload, options: argparse.Namespace):
        super().__init__(work)
        layers = work.nets["energy"]
        optimizer = functools.partial(self.optimizer, "energy")
        side = self.known["patch_size"]
        self.height, self.depth = len(layers), 0
        self.learner = Learner(layers, self.known, optimizer, side=side, options=options)

    def update(self):
        observed = self.batch()
        if self.known["data_noise"]:
            noise = self.draws.normal("data_noise", observed)
            observed = observed + self.known["data_noise"] * noise
        self._grow()

        def draw(number, x):
            del number
            return self.draws.normal("langevin", x)

        start, steps = self._renewed(), self.known["langevin_steps"]
        self.chains = self.learner.sample(self.depth, start, steps=steps, draw=draw)
        return self.learner.descend(self.depth, observed, self.chains)

    def samples(self):
        """Returns the chains after noise-free steps, without their margin."""
        steps, margin = self.known["denoising_steps"], self.known["margin"]
        x = self.learner.sample(self.depth, self.chains, steps=steps, draw=None).clamp(-1, 1)
        return torch_training.without_margin(x, margin)

    def _grow(self) -> None:
        """Adds a layer when it is time; chains start anew under it."""
        every = self.known["layer_iterations"]
        depth = min(self.updates // every + 1, self.height) if every else self.height
        if depth != self.depth:
            side, count = self.known["patch_size"], self.known["chains"]
            self.depth, self.chains = depth, self._mean().repeat(count, 1, side, side)

    def _renewed(self):
        """Returns the chains, some of them from white noise again."""
        x = self.draws.given("chains", lambda: self.chains)
        if not self.known["rejuvenation"] or not self.updates:
            return x
        anew = torch.rand(len(x), 1, 1, 1) < self.known["rejuvenation"]
        return torch.where(anew, self._mean() + self.known["sigma"] * torch.randn_like(x), x)

    def _mean(self):
        return torch.tensor(self.known["image_mean"]).reshape(1, -1, 1, 1)


def entry(words: Sequence[str]) -> contender.Entry:
    """Returns the entry, given a workload's file and options."""
    return torch_training.entered(Training, words)
