"""Completion in PyTorch, eager, scripted or compiled; or exported to ONNX and run by its runtime.

python -m benchmarks.peers.contenders torch_completion WORKLOAD.npz
    [--way=eager|scripted|compiled|onnxruntime]
"""

import argparse
import logging
import pathlib
import tempfile
import warnings
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn

from benchmarks.peers import contender, workload
from benchmarks.peers.contenders import torch_nets

WAYS = ("eager", "scripted", "compiled", "onnxruntime")
NAMES = ["image", "mask", "noise"]
"""The inputs of a completion."""

Inputs = tuple[torch.Tensor, ...]
Complete = Callable[..., np.ndarray]
"""Fills images in, given arrays in the order of `NAMES`."""


class Completion(nn.Module):
    """Images [b, c, h, w] whose missing pixels are inferred from and generated anew, some rounds.

    Args:
        work: holds the nets, and the noise of each round.
    """

    def __init__(self, work: workload.Workload):
        super().__init__()
        self.inference = torch_nets.Inference(work.nets["inference"])
        self.generator = torch_nets.Generator(work.nets["generator"])
        self.rounds = len(work.arrays["noise"])
        self.eval().requires_grad_(False)

    def forward(self, image, mask, noise):
        """Fills images in.

        Args:
            image: [b, c, h, w] in [-1, 1].
            mask: [b, 1, h, w], 1 where a pixel is known.
            noise: [rounds, latents].
        """
        known = x = mask * image
        for number in range(self.rounds):
            mean, log_var = self.inference(x)
            filled = self.generator(mean + (log_var / 2).exp() * noise[number])
            x = known + (1 - mask) * filled.clamp(-1.0, 1.0)
        return x


def by_torch(way: str, module: nn.Module, inputs: Inputs) -> tuple[str, Complete]:
    """Returns PyTorch's version, and the completion by a way of `WAYS`."""
    run = module
    if way == "scripted":
        frozen = torch.jit.freeze(torch.jit.trace(module, inputs))
        run = torch.jit.optimize_for_inference(frozen)
    if way == "compiled":
        run = torch.compile(module)
    return torch.__version__, lambda *arrays: run(*map(torch.from_numpy, arrays)).numpy()


def by_onnxruntime(module: nn.Module, inputs: Inputs) -> tuple[str, Complete]:
    """Returns ONNX Runtime's version, and the completion by the module in ONNX's format."""
    import onnxruntime

    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "completion.onnx"
        torch.onnx.export(module, inputs, path, input_names=NAMES, dynamo=True, verbose=False)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def complete(*arrays):
        return session.run(None, dict(zip(NAMES, arrays, strict=True)))[0]

    return onnxruntime.__version__, complete


def entry(words: Sequence[str]) -> contender.Entry:
    """Returns the entry, given a workload's file and a way."""
    parser = argparse.ArgumentParser()
    parser.add_argument("workload")
    parser.add_argument("--way", choices=WAYS, default="eager")
    options = parser.parse_args(words)
    # exporters and compilers write much that is no answer
    warnings.simplefilter("ignore")
    logging.disable()
    work = workload.read(options.workload)
    image, mask = (torch_nets.channels_first(work.arrays[name]) for name in ("image", "mask"))
    inputs = (image, mask, torch.tensor(work.arrays["noise"]))
    # arrays go in and come out, as in the exports of tfgen
    arrays = [tensor.numpy() for tensor in inputs]
    torch.set_grad_enabled(False)
    if options.way == "onnxruntime":
        version, complete = by_onnxruntime(Completion(work), inputs)
    else:
        version, complete = by_torch(options.way, Completion(work), inputs)

    def answer():
        return {"image": complete(*arrays).transpose(0, 2, 3, 1)}

    return contender.Entry(version, answer, lambda: complete(*arrays))
