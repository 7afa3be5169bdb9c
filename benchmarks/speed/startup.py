"""What a run costs besides its steps: the time until its first, its images' way to it, its memory.

    python -m benchmarks.speed.startup [--rounds=5] [--steps=200] [--page=benchmarks/results.md]

Runs of `trainers.main` on a flagfile are watched from outside, until the first step, and for what the process holds
after `--steps` and after ten times as many. A step of the divergence triangle on its CIFAR-10 nets is started in other
libraries too, in processes of their own, with the most memory that these need for it. Data: images a second of the
pipeline alone beside PyTorch's DataLoader, on the same pictures, cut and scaled alike. `make bench-costs` sets up the
peers' environment.
"""

import contextlib
import os
import pathlib
import platform
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from absl import flags as absl_flags
from tqdm import tqdm

from benchmarks.peers import workload
from benchmarks.peers.comparisons import OURS, TriangleStep
from benchmarks.speed import options, processes, watching
from experiments import pages
from tfgen.errors import UserError
from tfgen.version import __version__
from trainers.run import commands

LONGER = 10
"""Times as many steps, over which memory may not grow."""


class Case(NamedTuple):
    """What a pipeline is given."""

    title: str
    pictures: tuple[int, int, int, int]
    patch_size: int | None
    batch_size: int


CASES = {
    "whole": Case("4000 images of 64x64x3, 100 a batch", (4000, 64, 64, 3), None, 100),
    "patches": Case(
        "patches of 64x64 from 200 pictures of 256x256x3, 20 a batch", (200, 256, 256, 3), 64, 20
    ),
}
PEERS = {
    "PyTorch's DataLoader": ["torch_pipeline"],
    "PyTorch's DataLoader, 2 workers": ["torch_pipeline", "--workers=2"],
}


STEPS = 3
"""Of each library, after which its peak memory is read: more than the first, which still asks for some."""


class Started(NamedTuple):
    """A library that was started and has made some steps."""

    ready: float
    """Seconds from its process's start until it was ready."""
    first: float
    """Until the first step's end."""
    peak: float
    """MiB."""


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = {"flag_values": values, "module_name": "benchmarks.speed.startup"}
    absl_flags.DEFINE_integer(
        "rounds", 5, "Starts, and timed runs of the pipelines.", lower_bound=1, **where
    )
    absl_flags.DEFINE_integer(
        "steps", 200, "Before memory is looked at first.", lower_bound=1, **where
    )
    absl_flags.DEFINE_integer("batches", 100, "Of a pipeline's timed run.", lower_bound=1, **where)
    absl_flags.DEFINE_float(
        "width", 1.0, "Factor on the numbers of filters.", lower_bound=0.02, **where
    )
    absl_flags.DEFINE_string(
        "flags", "divergence_triangle_digits_cpu", "The flagfile that is run.", **where
    )
    options.define_without(where)
    options.define_python(where)
    options.define_page(where)


def main(values: absl_flags.FlagValues) -> None:
    """Measures everything and prints the tables."""
    options.require_python(values, "bench-costs")
    options.require_known(values, TriangleStep.contenders)
    starts = [
        run(values.flags, 1, 1) for _ in tqdm(range(values.rounds), desc="starts", unit="start")
    ]
    entered = entries(values)
    pipelines = {
        case.title: pipeline(case, values)
        for case in tqdm(CASES.values(), desc="pipelines", unit="pipeline")
    }
    long = run(values.flags, LONGER * values.steps, values.steps)
    tables = [
        *start_table(starts, entered),
        *memory_table(long, values.steps),
        *data_table(pipelines),
    ]
    text = "\n".join([*header(values), *tables])
    print(text)
    if values.page:
        pages.put(pathlib.Path(values.page), "startup", text)


def run(name: str, steps: int, every: int) -> watching.Watched:
    """A flagfile's run of so many steps, whose numbers are written every so many."""
    counts = [
        f"--steps={steps}",
        f"--log_every={every}",
        f"--save_every={steps}",
        f"--sample_every={steps}",
    ]
    with tempfile.TemporaryDirectory() as directory:
        workdir = pathlib.Path(directory) / "run"
        return watching.training(
            workdir, f"--flagfile={processes.ROOT}/trainers/flagfiles/{name}.flags", *counts
        )


def entries(values: absl_flags.FlagValues) -> dict[str, list[Started]]:
    """Starts of each library with a step of the divergence triangle, in turn."""
    comparison = TriangleStep(width=values.width)
    contenders = {
        name: words for name, words in comparison.contenders.items() if name not in values.without
    }
    found: dict[str, list[Started]] = {name: [] for name in contenders}
    with tempfile.TemporaryDirectory() as directory:
        file = pathlib.Path(directory) / "workload.npz"
        workload.write(file, comparison.work()[0])
        for _ in tqdm(range(values.rounds), desc="libraries", unit="round"):
            for name, (module, *words) in contenders.items():
                python = None if name == OURS else values.python
                found[name].append(
                    started(processes.command_of(module, str(file), *words, python=python))
                )
    return found


def started(command: Sequence[str]) -> Started:
    """A contender's start and steps."""
    start = time.perf_counter()
    with contextlib.closing(processes.Contender(command)) as contender:
        _ = contender.version
        ready = time.perf_counter() - start
        contender.seconds("wall")
        first = time.perf_counter() - start
        for _ in range(STEPS - 1):
            contender.seconds("wall")
        return Started(ready, first, contender.peak)


def pipeline(case: Case, values: absl_flags.FlagValues) -> dict[str, list[float]]:
    """Images a second of each library."""
    with tempfile.TemporaryDirectory() as directory:
        file = pathlib.Path(directory) / "workload.npz"
        workload.write(file, work_of(case, values.batches))
        commands_of = {OURS: processes.command_of("tfgen_pipeline", str(file))}
        for name, (module, *words) in PEERS.items():
            commands_of[name] = processes.command_of(
                module, str(file), *words, python=values.python
            )
        with processes.started(commands_of) as contenders:
            check(
                {
                    n: c.outputs(pathlib.Path(directory) / "answer.npz")["image"]
                    for n, c in contenders.items()
                }
            )
            seconds = processes.interleaved(contenders, values.rounds, "wall")
    images = values.batches * case.batch_size
    return {name: [images / s for s in times] for name, times in seconds.items()}


def work_of(case: Case, batches: int) -> workload.Workload:
    """Pictures of one colour each, so that a patch says which picture it is from, wherever it was cut."""
    colours = np.random.default_rng(0).integers(
        0, 256, (case.pictures[0], 1, 1, case.pictures[3]), np.uint8
    )
    pictures = np.ascontiguousarray(np.broadcast_to(colours, case.pictures))
    constants = {"patch_size": case.patch_size, "batch_size": case.batch_size, "batches": batches}
    return workload.Workload({}, constants, {"image": pictures})


def check(images: dict[str, np.ndarray]) -> None:
    """Raises UserError unless an epoch gave the same images everywhere."""
    for name, found in images.items():
        if found.shape != images[OURS].shape or not np.allclose(found, images[OURS], atol=1e-6):
            raise UserError(f"{name}: expected tfgen's images and found others")


def header(values: absl_flags.FlagValues) -> list[str]:
    """What was run, and where."""
    given = f"--rounds={values.rounds} --steps={values.steps} --batches={values.batches} --width={values.width:g}"
    given = " ".join(
        [given, f"--flags={values.flags}", *options.left_out(values, TriangleStep.contenders)]
    )
    return [
        "# Start-up, memory, data",
        "",
        f"Command: `python -m benchmarks.speed.startup {given}`; tfgen {__version__}, {platform.machine()}, "
        f"{len(os.sched_getaffinity(0))} processors. Medians of {values.rounds}.",
    ]


def start_table(
    starts: Sequence[watching.Watched], entered: Mapping[str, Sequence[Started]]
) -> list[str]:
    """Until the first step, and the most memory."""
    lines = [
        "",
        "| | seconds from the process's start until it is ready | until the first step's end | peak memory, MiB |",
        "|---|---|---|---|",
    ]
    runs = [Started(start.built, start.rows[0].seconds, start.rows[0].peak) for start in starts]
    rows = {"`trainers.main`, data included": runs}
    rows |= {f"a triangle step: {name}": found for name, found in entered.items()}
    for name, found in rows.items():
        ready, first, peak = map(statistics.median, zip(*found, strict=True))
        lines.append(f"| {name} | {ready:.1f} | {first:.1f} | {peak:.0f} |")
    return lines


def memory_table(run: watching.Watched, steps: int) -> list[str]:
    """What is held at each row, and its slope."""
    held = [row.resident for row in run.rows]
    slope = np.polyfit(steps * np.arange(1, len(held) + 1), held, 1)[0] if len(held) > 1 else 0.0
    return [
        "",
        "| after steps | resident memory, MiB | peak, MiB |",
        "|---|---|---|",
        *(
            f"| {steps * number} | {run.rows[number - 1].resident:.0f} | {run.rows[number - 1].peak:.0f} |"
            for number in (1, len(held))
        ),
        "",
        f"It grows by {1e3 * slope:.2f} MiB in 1000 steps, a line through {len(held)} readings says.",
    ]


def data_table(pipelines: dict[str, dict[str, list[float]]]) -> list[str]:
    """Images a second of each pipeline."""
    lines = [
        "",
        "| pictures | library | images a second | tfgen's relative to it |",
        "|---|---|---|---|",
    ]
    for title, found in pipelines.items():
        for name, reached in found.items():
            relative = statistics.median(o / r for o, r in zip(found[OURS], reached, strict=True))
            lines.append(
                f"| {title} | {name} | {statistics.median(reached):,.0f} | {relative:.2f} |"
            )
    return lines


if __name__ == "__main__":
    commands.run(main, define, __doc__)
