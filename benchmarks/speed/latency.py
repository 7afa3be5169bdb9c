"""Measures how long an exported model takes to complete one image, beside other libraries.

    python -m benchmarks.speed.latency [--rounds=200] [--workloads=digit,face] [--page=PAGE]

A divergence triangle with drawn weights is exported by `export.main`. Its SavedModel's signature
and its LiteRT file fill the lower half of an image as `complete` does: four rounds of inferring and
generating, and no steps under the energy. PyTorch and ONNX Runtime do the same with the same nets.
Each contender is a process that stays warm. All are given the same noise, which the SavedModel
draws from the seed, and answers are checked equal first. NumPy arrays go in and come out, in the
layout that a library prefers. `make bench-costs` sets up the peers' environment.
"""

import pathlib
import statistics
import tempfile
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from absl import flags as absl_flags
from tqdm import tqdm

from benchmarks.peers import workload
from benchmarks.peers.contenders import tfgen_nets
from benchmarks.speed import machine, options, processes, rates
from experiments import command_flags, pages, runs
from tfgen import random
from tfgen.errors import UserError
from tfgen.version import __version__
from trainers.run import commands, flags
from trainers.run.experiment import Experiment

TOLERANCE = 1e-4
"""Root mean square difference of completed images, whose pixels are in [-1, 1]."""

SAVED_MODEL, LITE = "SavedModel", "LiteRT"
PEERS = {
    "PyTorch, eager": "eager",
    "PyTorch, scripted": "scripted",
    "PyTorch, compiled": "compiled",
    "ONNX Runtime": "onnxruntime",
}
"""The values of `--way` of the contender `torch_completion`."""

COLUMNS = (
    "contender",
    "milliseconds",
    "90 % within",
    "SavedModel's speed relative to it",
    "LiteRT's",
)


class Case(NamedTuple):
    """An image to complete, and the nets that complete it.

    Attributes:
        title: its heading on the page.
        nets: the family of nets.
        shape: height, width, channels of the image.
    """

    title: str
    nets: str
    shape: tuple[int, int, int]


CASES = {
    "digit": Case("One image of 28x28x1, the nets for MNIST", "triangle_mnist", (28, 28, 1)),
    "face": Case("One image of 64x64x3, the nets for CelebA", "triangle_celeba64", (64, 64, 3)),
}


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    place = command_flags.place(values, "benchmarks.speed.latency")
    options.define_rounds(place, 200, "Timed completions of each.")
    absl_flags.DEFINE_list("workloads", list(CASES), f"Some of {','.join(CASES)}.", **place)
    options.define_width(place)
    options.define_timing(place)
    options.define_python(place)
    options.define_page(place)


def main(values: absl_flags.FlagValues) -> None:
    """Exports, times everything, and prints the tables."""
    command_flags.require_known("workloads", values.workloads, CASES)
    options.require_python(values, "bench-costs")
    options.pin(values)
    parts = [caption(values)]
    for name in tqdm(values.workloads, unit="workload"):
        parts += [f"## {CASES[name].title}", report(compare(CASES[name], values))]
    pages.publish("latency", "\n\n".join(parts), values.page)


def compare(case: Case, values: absl_flags.FlagValues) -> processes.Timed:
    """Times all contenders on one case."""
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        trained = model(case, values.width, directory / "run")
        workdir, output = f"--workdir={trained.workdir}", f"--output={directory / 'export'}"
        runs.call("export.main", workdir, "--nomeasure", output)
        # the export and the workload hold the same weights
        workload.write(directory / "workload.npz", work_of(trained))
        contenders = commands_of(directory, values.python)
        return processes.timed(contenders, check, rounds=values.rounds, clock=values.clock)


def model(case: Case, width: float, workdir: pathlib.Path) -> Experiment:
    """Makes an untrained triangle with drawn weights, and a checkpoint that can be exported.

    Args:
        case: names the nets and the shape of images.
        width: factor on the numbers of filters.
        workdir: of the run.
    """
    height, _, channels = case.shape
    words = [
        "--algorithm=divergence_triangle",
        f"--nets={case.nets}",
        "--dataset=digits",
        "--max_images=10",
        f"--image_size={height}",
        f"--channels={channels}",
        f"--workdir={workdir}",
        *(f"--{role}.width={width}" for role in ("energy", "generator", "inference")),
    ]
    values = absl_flags.FlagValues()
    flags.define(values)
    made = Experiment(flags.parse(["", *words], values))
    # untrained weights would let next to nothing of the image through
    for number, role in enumerate(("generator", "inference")):
        tfgen_nets.draw(role, made.algorithm.nets[role], number=number)
    made.claim()
    made.save(keep=1)
    return made


def work_of(trained: Experiment) -> workload.Workload:
    """Returns what all contenders are given.

    Args:
        trained: what `model` returned.

    Returns:
        The nets, an image, a mask of its upper half, noise, and the seed that draws this noise.
    """
    learned = trained.algorithm.model
    image = trained.images.test.as_float()[:1]
    mask = np.ones((*image.shape[:3], 1), np.float32)
    mask[:, image.shape[1] // 2 :] = 0  # the lower half is hidden
    seed = tf.expand_dims(random.root(0), 0)  # a served row has a seed of its own
    shape = (1, *learned.generator.latent_shape)
    noise = []
    for number in range(learned.completion_rounds):
        noise.append(random.normal(shape, random.fold_in(seed, number)))
    nets = {}
    for role in ("inference", "generator"):
        nets[role] = tfgen_nets.layers_of(role, learned.nets[role])
    arrays = {"image": image, "mask": mask, "noise": np.concatenate(noise), "seed": seed.numpy()}
    return workload.Workload(nets, {}, arrays)


def commands_of(directory: pathlib.Path, python: str) -> dict[str, list[str]]:
    """Returns the command that starts each contender.

    Args:
        directory: holds the workload and the export.
        python: the peers' interpreter.
    """
    file, exported = str(directory / "workload.npz"), directory / "export"
    saved_model = exported / "saved_model" / "divergence_triangle" / "1"
    lite = exported / "tflite" / "complete.tflite"
    module = "tfgen_completion"
    found = {
        SAVED_MODEL: processes.command_of(module, file, f"--saved_model={saved_model}"),
        LITE: processes.command_of(module, file, f"--tflite={lite}"),
    }
    for name, way in PEERS.items():
        found[name] = processes.command_of("torch_completion", file, f"--way={way}", python=python)
    return found


def check(outputs: processes.Outputs) -> None:
    """Raises UserError unless all contenders completed the image alike."""
    expected = outputs[SAVED_MODEL]["image"]
    for name, found in outputs.items():
        error = np.sqrt(np.mean((found["image"] - expected) ** 2))
        if not error < TOLERANCE:
            raise UserError(
                f"{name}: expected the {SAVED_MODEL}'s completion and found one that differs by "
                f"{error:.1e}"
            )


def caption(values: absl_flags.FlagValues) -> str:
    """Returns the heading, and what was run where."""
    words = [f"--rounds={values.rounds}", f"--workloads={','.join(values.workloads)}"]
    if values.width != 1:
        words.append(f"--width={values.width:g}")
    words += options.timing_words(values)
    return (
        "# Latency of exported models\n\n"
        f"Command: `python -m benchmarks.speed.latency {' '.join(words)}`; tfgen {__version__}, "
        f"{machine.summary()}, float32. Completion of one image whose lower half is hidden, in "
        "four rounds. Every contender is a warm process of its own; images agreed to "
        f"{TOLERANCE:g} first. Medians and 90th percentiles of {values.rounds} interleaved "
        "completions; ratios are medians of those within a round."
    )


def report(timed: processes.Timed) -> str:
    """Returns one case's table in Markdown."""
    seconds, versions = timed
    rows = []
    for name, times in seconds.items():
        median, tail = 1e3 * statistics.median(times), 1e3 * np.quantile(times, 0.9)
        row = [f"{name} {versions[name]}", f"{median:.2f}", f"{tail:.2f}"]
        for ours in (SAVED_MODEL, LITE):
            row.append(f"{rates.median_ratio(times, seconds[ours]):.2f}")
        rows.append(row)
    return pages.table(COLUMNS, rows)


if __name__ == "__main__":
    commands.run(main, define, __doc__)
