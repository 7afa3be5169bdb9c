"""Completion in PyTorch: eager, scripted or compiled; or exported to ONNX and run by its runtime.

python -m benchmarks.peers.contenders torch_completion WORKLOAD.npz [--way=eager|scripted|compiled|onnxruntime]
"""

import argparse
import logging
import pathlib
import tempfile
import warnings
from collections.abc import Sequence

import torch
from torch import nn

from benchmarks.peers import contender, workload
from benchmarks.peers.contenders import torch_nets


class Completion(nn.Module):
    """Images [b, c, h, w] with what masks [b, 1, h, w] hide filled in, a few times, given noise [rounds, latents]."""

    def __init__(self, work: workload.Workload):
        super().__init__()
        self.inference = torch_nets.Inference(work.nets["inference"])
        self.generator = torch_nets.Generator(work.nets["generator"])
        self.rounds = len(work.arrays["noise"])
        self.eval().requires_grad_(False)

    def forward(self, image, mask, noise):
        known = x = mask * image
        for number in range(self.rounds):
            mean, log_var = self.inference(x)
            filled = self.generator(mean + (log_var / 2).exp() * noise[number])
            x = known + (1 - mask) * filled.clamp(-1.0, 1.0)
        return x


def by_torch(way: str, module: nn.Module, inputs):
    """The library's version, and what answers arrays by an array."""
    if way == "scripted":
        module = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(module, inputs)))
    if way == "compiled":
        module = torch.compile(module)
    return torch.__version__, lambda *arrays: module(*map(torch.from_numpy, arrays)).numpy()


def by_onnxruntime(module: nn.Module, inputs):
    """The same of the module in ONNX's format and its runtime."""
    import onnxruntime

    names = ["image", "mask", "noise"]
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "completion.onnx"
        torch.onnx.export(module, inputs, path, input_names=names, dynamo=True, verbose=False)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return onnxruntime.__version__, lambda *arrays: session.run(
        None, dict(zip(names, arrays, strict=True))
    )[0]


def entry(words: Sequence[str]) -> contender.Entry:
    """Given a workload's file and a way."""
    parser = argparse.ArgumentParser()
    parser.add_argument("workload")
    parser.add_argument(
        "--way", choices=["eager", "scripted", "compiled", "onnxruntime"], default="eager"
    )
    options = parser.parse_args(words)
    warnings.simplefilter("ignore")
    logging.disable()
    work = workload.read(options.workload)
    inputs = [torch_nets.channels_first(work.arrays[name]) for name in ("image", "mask")]
    inputs.append(torch.tensor(work.arrays["noise"]))
    arrays = [tensor.numpy() for tensor in inputs]
    torch.set_grad_enabled(False)
    if options.way == "onnxruntime":
        version, complete = by_onnxruntime(Completion(work), tuple(inputs))
    else:
        version, complete = by_torch(options.way, Completion(work), tuple(inputs))

    def answer():
        return {"image": complete(*arrays).transpose(0, 2, 3, 1)}

    return contender.Entry(version, answer, lambda: complete(*arrays))
