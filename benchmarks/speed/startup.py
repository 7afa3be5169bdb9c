"""Measures what a run costs besides its steps: start-up, memory, and the images' way to it.

    python -m benchmarks.speed.startup [--rounds=5] [--steps=200] [--page=PAGE]

Runs of `trainers.main` on a flagfile are watched from outside: until the first step, and for the
memory that the process holds after --steps and after ten times as many. A step of the divergence
triangle on its CIFAR-10 nets is started in other libraries too, in processes of their own, with the
most memory that these need for it. Data: images a second of the pipeline alone beside PyTorch's
DataLoader, on the same pictures, cut and scaled alike. `make bench-costs` sets up the peers'
environment.
"""

import contextlib
import pathlib
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from absl import flags as absl_flags
from tqdm import tqdm

from benchmarks.peers import workload
from benchmarks.peers.comparisons import TriangleStep
from benchmarks.speed import data_pipelines, machine, options, processes, watching
from benchmarks.speed.options import OURS
from experiments import command_flags, pages
from tfgen.version import __version__
from trainers.run import commands

LONGER = 10
"""The long run makes so many times --steps, over which memory must not grow."""

STEPS = 3
"""Steps of each library before its peak memory is read; the second one may still need more."""

START_COLUMNS = (
    "",
    "seconds from the process's start until it is ready",
    "until the first step's end",
    "peak memory, MiB",
)
MEMORY_COLUMNS = ("after steps", "resident memory, MiB", "peak, MiB")


class Started(NamedTuple):
    """A library that was started and has made some steps.

    Attributes:
        ready: seconds from its process's start until it was ready.
        first: seconds until the first step's end.
        peak: the most memory that it held, MiB.
    """

    ready: float
    first: float
    peak: float


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    place = command_flags.place(values, "benchmarks.speed.startup")
    options.define_rounds(place, 5, "Starts, and timed runs of the pipelines.")
    text = "Steps before memory is looked at first."
    absl_flags.DEFINE_integer("steps", 200, text, lower_bound=1, **place)
    text = "Batches of a pipeline's timed run."
    absl_flags.DEFINE_integer("batches", 100, text, lower_bound=1, **place)
    options.define_width(place)
    text = "The flagfile that is run."
    absl_flags.DEFINE_string("flags", "divergence_triangle_digits_cpu", text, **place)
    options.define_without(place)
    options.define_python(place)
    options.define_page(place)


def main(values: absl_flags.FlagValues) -> None:
    """Measures everything, and prints the tables."""
    options.require_python(values, "bench-costs")
    options.require_known_without(values, TriangleStep.contenders)
    starts = []
    for _ in tqdm(range(values.rounds), desc="starts", unit="start"):
        starts.append(run(values.flags, steps=1, every=1))
    entered = entries(values)
    pipelines = {}
    for case in tqdm(data_pipelines.CASES.values(), desc="pipelines", unit="pipeline"):
        pipelines[case.title] = data_pipelines.measured(case, values)
    long = run(values.flags, steps=LONGER * values.steps, every=values.steps)
    parts = [
        caption(values),
        start_table(starts, entered),
        memory_table(long, values.steps),
        data_pipelines.table(pipelines),
    ]
    pages.publish("startup", "\n\n".join(parts), values.page)


def run(name: str, *, steps: int, every: int) -> watching.Watched:
    """Trains by a flagfile, and watches it.

    Args:
        name: of the flagfile.
        steps: updates.
        every: updates between two rows of metrics.
    """
    flagfile = f"--flagfile={processes.ROOT}/trainers/flagfiles/{name}.flags"
    counts = {"steps": steps, "log_every": every, "save_every": steps, "sample_every": steps}
    words = [f"--{flag}={count}" for flag, count in counts.items()]
    with tempfile.TemporaryDirectory() as directory:
        return watching.training(pathlib.Path(directory) / "run", flagfile, *words)


def entries(values: absl_flags.FlagValues) -> dict[str, list[Started]]:
    """Starts each library in turn with a step of the divergence triangle.

    Args:
        values: the flags, with `width`, `without`, `rounds` and `python`.

    Returns:
        What each start cost, by library.
    """
    comparison = TriangleStep(width=values.width)
    found: dict[str, list[Started]] = {}
    with tempfile.TemporaryDirectory() as directory:
        file = pathlib.Path(directory) / "workload.npz"
        workload.write(file, comparison.work()[0])
        for _ in tqdm(range(values.rounds), desc="libraries", unit="round"):
            for name, (module, *words) in comparison.contenders.items():
                if name in values.without:
                    continue
                # tfgen is not installed in the peers' environment
                python = None if name == OURS else values.python
                command = processes.command_of(module, str(file), *words, python=python)
                found.setdefault(name, []).append(started(command))
    return found


def started(command: Sequence[str]) -> Started:
    """Starts a contender, and lets it make some steps."""
    start = time.perf_counter()
    with contextlib.closing(processes.Contender(command)) as contender:
        _ = contender.version  # waits
        ready = time.perf_counter() - start
        contender.seconds("wall")
        first = time.perf_counter() - start
        for _ in range(STEPS - 1):
            contender.seconds("wall")
        return Started(ready, first, contender.peak)


def caption(values: absl_flags.FlagValues) -> str:
    """Returns the heading, and what was run where."""
    names = ("rounds", "steps", "batches", "width")
    words = [f"--{name}={values[name].value:g}" for name in names] + [f"--flags={values.flags}"]
    words += options.without_words(values, TriangleStep.contenders)
    return (
        "# Start-up, memory, data\n\n"
        f"Command: `python -m benchmarks.speed.startup {' '.join(words)}`; tfgen {__version__}, "
        f"{machine.summary()}. Medians of {values.rounds}."
    )


def start_table(
    starts: Sequence[watching.Watched], entered: Mapping[str, Sequence[Started]]
) -> str:
    """Returns the table of start-up times and peak memory, in Markdown.

    Args:
        starts: of `trainers.main`.
        entered: of the libraries' contenders, by library.
    """
    # of the first row alone: later steps trace nothing new
    runs = [Started(start.built, start.rows[0].seconds, start.rows[0].peak) for start in starts]
    all_starts = {"`trainers.main`, data included": runs}
    all_starts |= {f"a triangle step: {name}": list(found) for name, found in entered.items()}
    rows = []
    for name, found in all_starts.items():
        ready, first, peak = map(statistics.median, zip(*found, strict=True))
        rows.append([name, f"{ready:.1f}", f"{first:.1f}", f"{peak:.0f}"])
    return pages.table(START_COLUMNS, rows)


def memory_table(run: watching.Watched, steps: int) -> str:
    """Returns the table of the memory that a run holds, and its growth, in Markdown.

    Args:
        run: that was watched.
        steps: between two of its rows.
    """
    resident = [row.resident for row in run.rows]
    count = len(resident)
    slope = np.polyfit(steps * np.arange(1, count + 1), resident, 1)[0] if count > 1 else 0.0
    rows = []
    for number in (1, count):
        row = run.rows[number - 1]
        rows.append([steps * number, f"{row.resident:.0f}", f"{row.peak:.0f}"])
    return (
        f"{pages.table(MEMORY_COLUMNS, rows)}\n\n"
        f"Resident memory grows by {1e3 * slope:.2f} MiB in 1000 steps, by a line through {count} "
        "readings."
    )


if __name__ == "__main__":
    commands.run(main, define, __doc__)
