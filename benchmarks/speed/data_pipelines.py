"""Images a second of the data pipeline alone, beside PyTorch's DataLoader and Grain."""

import pathlib
import statistics
import tempfile
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from absl import flags as absl_flags

from benchmarks.peers import workload
from benchmarks.speed import processes, rates
from benchmarks.speed.options import OURS
from experiments import pages
from tfgen.errors import UserError


class Case(NamedTuple):
    """What a pipeline is given.

    Attributes:
        title: its name in the table.
        pictures: shape of all pictures [n, h, w, c].
        patch_size: side of the patches that are cut; None leaves pictures whole.
        batch_size: images of a batch.
    """

    title: str
    pictures: tuple[int, int, int, int]
    patch_size: int | None
    batch_size: int


CASES = {
    "whole": Case(
        title="4000 images of 64x64x3, 100 a batch",
        pictures=(4000, 64, 64, 3),
        patch_size=None,
        batch_size=100,
    ),
    "patches": Case(
        title="patches of 64x64 from 200 pictures of 256x256x3, 20 a batch",
        pictures=(200, 256, 256, 3),
        patch_size=64,
        batch_size=20,
    ),
}
PEERS = {
    "PyTorch's DataLoader": ["torch_pipeline"],
    "PyTorch's DataLoader, 2 workers": ["torch_pipeline", "--workers=2"],
    "Grain": ["grain_pipeline"],
    "Grain, 2 threads": ["grain_pipeline", "--threads=2"],
}
"""The contender's module and options of each library."""

COLUMNS = ("pictures", "library", "images a second", "tfgen's relative to it")


def measured(case: Case, values: absl_flags.FlagValues) -> dict[str, list[float]]:
    """Returns the images a second of each library, a round each.

    Args:
        case: what the pipelines are given.
        values: the flags, with `batches`, `rounds` and `python`.
    """
    with tempfile.TemporaryDirectory() as directory:
        file = pathlib.Path(directory) / "workload.npz"
        workload.write(file, work_of(case, values.batches))
        commands = {OURS: processes.command_of("tfgen_pipeline", str(file))}
        for name, (module, *words) in PEERS.items():
            commands[name] = processes.command_of(module, str(file), *words, python=values.python)
        seconds, _ = processes.timed(commands, check, rounds=values.rounds, clock="wall")
    images = values.batches * case.batch_size
    return {name: [images / taken for taken in times] for name, times in seconds.items()}


def work_of(case: Case, batches: int) -> workload.Workload:
    """Returns the pictures, and how they are to be batched.

    Each picture has one colour, so that a patch tells which picture it is from.

    Args:
        case: what the pipelines are given.
        batches: of a timed run.
    """
    count, _, _, channels = case.pictures
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (count, 1, 1, channels), np.uint8)
    pictures = np.ascontiguousarray(np.broadcast_to(colours, case.pictures))
    constants = {"patch_size": case.patch_size, "batch_size": case.batch_size, "batches": batches}
    return workload.Workload({}, constants, {"image": pictures})


def check(outputs: processes.Outputs) -> None:
    """Raises UserError unless an epoch gave the same images everywhere."""
    expected = outputs[OURS]["image"]
    for name, found in outputs.items():
        image = found["image"]
        # libraries scale uint8 to [-1, 1] in another order of operations
        if image.shape != expected.shape or not np.allclose(image, expected, atol=1e-6):
            raise UserError(f"{name}: expected tfgen's images and found others")


def table(pipelines: Mapping[str, Mapping[str, list[float]]]) -> str:
    """Returns the table in Markdown.

    Args:
        pipelines: images a second of each round, by the titles of cases and the libraries.
    """
    rows = []
    for title, found in pipelines.items():
        for name, reached in found.items():
            median, relative = statistics.median(reached), rates.median_ratio(found[OURS], reached)
            rows.append([title, name, f"{median:,.0f}", f"{relative:.2f}"])
    return pages.table(COLUMNS, rows)
