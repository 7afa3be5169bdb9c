"""How long an exported model takes to complete one image, beside the same nets in PyTorch and ONNX Runtime.

    python -m benchmarks.speed.latency [--rounds=200] [--workloads=digit,face] [--page=benchmarks/results.md]

A divergence triangle with drawn weights is exported as `export.main` does it; its SavedModel's signature and its LiteRT
file fill the lower half of an image as `complete` has it: inferred, generated and looked at again four times, no steps
under the energy. Each contender is a process that stays warm; all are given the same noise (the SavedModel draws it
itself, from the seed) and answers are checked equal first. Arrays of NumPy go in and come out, in the layout that a
library likes. `make bench-costs` sets up the peers' environment.
"""

import os
import pathlib
import platform
import statistics
import tempfile
from typing import NamedTuple

import numpy as np
from absl import flags as absl_flags
from tqdm import tqdm

from benchmarks.peers import workload
from benchmarks.peers.comparisons.comparison import drawn
from benchmarks.peers.contenders import tfgen_nets
from benchmarks.speed import options, processes
from experiments import pages
from experiments.tables import call
from tfgen import random
from tfgen.errors import UserError
from tfgen.version import __version__
from trainers.run import checkpoints, commands, flags
from trainers.run.experiment import Experiment

TOLERANCE = 1e-4
"""Of completed images, whose pixels are in [-1, 1], root mean square."""

OURS = "SavedModel"
PEERS = {
    "PyTorch, eager": "eager",
    "PyTorch, scripted": "scripted",
    "PyTorch, compiled": "compiled",
    "ONNX Runtime": "onnxruntime",
}
"""The ways of `torch_completion`."""


class Case(NamedTuple):
    """What is completed."""

    title: str
    nets: str
    shape: tuple[int, int, int]


CASES = {
    "digit": Case("One image of 28x28x1, the nets for MNIST", "triangle_mnist", (28, 28, 1)),
    "face": Case("One image of 64x64x3, the nets for CelebA", "triangle_celeba64", (64, 64, 3)),
}


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = {"flag_values": values, "module_name": "benchmarks.speed.latency"}
    absl_flags.DEFINE_integer("rounds", 200, "Timed completions of each.", lower_bound=1, **where)
    absl_flags.DEFINE_list("workloads", list(CASES), f"Some of {','.join(CASES)}.", **where)
    absl_flags.DEFINE_float(
        "width", 1.0, "Factor on the numbers of filters.", lower_bound=0.02, **where
    )
    options.define_timing(where)
    options.define_python(where)
    options.define_page(where)


def main(values: absl_flags.FlagValues) -> None:
    """Exports, times everything and prints the tables."""
    for name in set(values.workloads) - set(CASES):
        raise UserError(f"--workloads: expected some of {', '.join(CASES)} and found {name}")
    options.require_python(values, "bench-costs")
    options.pin(values)
    tables = [compare(CASES[name], values) for name in tqdm(values.workloads, unit="workload")]
    text = "\n\n".join([header(values), *tables])
    print(text)
    if values.page:
        pages.put(pathlib.Path(values.page), "latency", text)


def compare(case: Case, values: absl_flags.FlagValues) -> str:
    """One workload's table."""
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        trained = model(case, values.width, directory / "run")
        call(
            "export.main",
            f"--workdir={directory / 'run'}",
            "--nomeasure",
            f"--output={directory / 'export'}",
        )
        workload.write(directory / "workload.npz", work_of(trained))
        with processes.started(commands_of(directory, values.python)) as contenders:
            check(
                {
                    name: c.outputs(directory / "answer.npz")["image"]
                    for name, c in contenders.items()
                }
            )
            seconds = processes.interleaved(contenders, values.rounds, values.clock)
            versions = {name: c.version for name, c in contenders.items()}
    return report(case.title, seconds, versions)


def model(case: Case, width: float, workdir: pathlib.Path) -> Experiment:
    """An untrained triangle with drawn weights and its checkpoint, which can be exported."""
    height, _, channels = case.shape
    given = absl_flags.FlagValues()
    flags.define(given)
    words = [
        "--algorithm=divergence_triangle",
        f"--nets={case.nets}",
        "--dataset=digits",
        "--max_images=10",
    ]
    words += [f"--image_size={height}", f"--channels={channels}", f"--workdir={workdir}"]
    words += [f"--{role}.width={width}" for role in ("energy", "generator", "inference")]
    made = Experiment(flags.parse(["", *words], given))
    for number, net in enumerate((made.algorithm.generator, made.algorithm.inference)):
        drawn(net, number=number)
    made.claim()
    checkpoints.save(made.checkpoints, 0, made.state, 1)
    return made


def work_of(trained: Experiment) -> workload.Workload:
    """What all contenders are given: the nets, an image, a mask of its upper half, noise and its seed."""
    algorithm = trained.algorithm
    image = trained.images.test.whole()[:1]
    mask = np.ones((*image.shape[:3], 1), np.float32)
    mask[:, image.shape[1] // 2 :] = 0
    seed = random.root(0)[np.newaxis]  # a row's own
    latents = (1, *algorithm.generator.latent_shape)
    rounds = range(algorithm.tasks.completion_rounds)
    noise = np.concatenate([random.normal(latents, random.fold_in(seed, i)) for i in rounds])
    nets = {
        name: tfgen_nets.layers_of(getattr(algorithm, name)) for name in ("inference", "generator")
    }
    return workload.Workload(
        nets, {}, {"image": image, "mask": mask, "noise": noise, "seed": seed.numpy()}
    )


def commands_of(directory: pathlib.Path, python: str) -> dict[str, list[str]]:
    """What starts each contender."""
    file, exported = str(directory / "workload.npz"), directory / "export"
    saved_model = exported / "saved_model" / "divergence_triangle" / "1"
    found = {
        OURS: processes.command_of("tfgen_completion", file, f"--saved_model={saved_model}"),
        "LiteRT": processes.command_of(
            "tfgen_completion", file, f"--tflite={exported / 'tflite' / 'complete.tflite'}"
        ),
    }
    for name, way in PEERS.items():
        found[name] = processes.command_of("torch_completion", file, f"--way={way}", python=python)
    return found


def check(images: dict[str, np.ndarray]) -> None:
    """Raises UserError unless all completed the image alike."""
    for name, image in images.items():
        error = np.sqrt(np.mean((image - images[OURS]) ** 2))
        if not error < TOLERANCE:
            raise UserError(
                f"{name}: expected the {OURS}'s completion and found one that differs by {error:.1e}"
            )


def header(values: absl_flags.FlagValues) -> str:
    """What was run, and where."""
    given = [f"--rounds={values.rounds}", f"--workloads={','.join(values.workloads)}"]
    given += [f"--width={values.width:g}"] if values.width != 1 else []
    given += options.said(values)
    return (
        "# Latency of exported models\n\n"
        f"Command: `python -m benchmarks.speed.latency {' '.join(given)}`; tfgen {__version__}, {platform.machine()}, "
        f"{len(os.sched_getaffinity(0))} processors, float32. Completion of one image whose lower half is hidden, in "
        f"four rounds; every contender in a warm process of its own; images agreed to {TOLERANCE:g} first. Medians and "
        f"90th percentiles of {values.rounds} interleaved completions; ratios are medians of those within a round."
    )


def report(title: str, seconds: dict[str, list[float]], versions: dict[str, str]) -> str:
    """One workload's table as Markdown."""
    lines = [
        f"## {title}",
        "",
        "| contender | milliseconds | 90 % within | SavedModel's speed relative to it | LiteRT's |",
        "|---|---|---|---|---|",
    ]
    for name, times in seconds.items():
        relative = [
            statistics.median(s / o for s, o in zip(times, seconds[ours], strict=True))
            for ours in (OURS, "LiteRT")
        ]
        lines.append(
            f"| {name} {versions[name]} | {1e3 * statistics.median(times):.2f} | {1e3 * np.quantile(times, 0.9):.2f} "
            f"| {relative[0]:.2f} | {relative[1]:.2f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    commands.run(main, define, __doc__)
