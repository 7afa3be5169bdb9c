"""Training of the divergence triangle in PyTorch.

python -m benchmarks.peers.contenders torch_triangle_training WORKLOAD.npz [--compiled]
    [--channels_last]
"""

import argparse
from collections.abc import Sequence

import torch
from torch.optim import swa_utils

from benchmarks.peers import contender, workload
from benchmarks.peers.contenders import torch_training
from benchmarks.peers.contenders.torch_triangle import Triangle


class Training(torch_training.Training):
    """The three nets, and a moving average of the generator's weights if there is to be one."""

    def __init__(self, work: workload.Workload, options: argparse.Namespace):
        super().__init__(work)
        self.triangle = Triangle(work, self.optimizer, options)
        self.generator = self.triangle.nets["generator"]
        momentum = self.known["optimizers"]["generator"]["ema"]
        self.average: swa_utils.AveragedModel | None = None
        if momentum:
            follow = swa_utils.get_ema_multi_avg_fn(momentum)
            self.average = swa_utils.AveragedModel(self.generator, multi_avg_fn=follow)

    def update(self):
        images = self.batch()
        like = torch.empty(len(images), self.known["latents"])
        z, *noise = (self.draws.normal(name, like) for name in ("z", "noise0", "noise1"))
        logs = self.triangle.step(images, z, noise)
        if self.average is not None:
            self.average.update_parameters(self.generator)
        return {name: value.detach() for name, value in logs.items()}

    @torch.no_grad()
    def samples(self):
        generator = self.generator if self.average is None else self.average.module
        generator.eval()  # by running statistics, as tfgen samples
        found = generator(torch.randn(self.known["count"], self.known["latents"]))
        generator.train()
        return found


def entry(words: Sequence[str]) -> contender.Entry:
    """Returns the entry, given a workload's file and options."""
    return torch_training.entered(Training, words)
