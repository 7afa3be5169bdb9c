"""Checks whether anything has become slower than a record says.

    python -m benchmarks.speed.regression [--rounds=7] [--margin=0.25] [--record]

`make bench-check` runs it. It ends with exit code 1 and a sentence for each workload that fell
short; --record writes what it measures instead. Workloads and the matrix product are timed in turn,
A B C A B C ... What is compared is each workload's share of the matrix product's rate: the median
of the shares within a round. A workload that falls short is measured once more; the better share
counts.
"""

import json
import pathlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import tensorflow as tf
from absl import flags as absl_flags

from benchmarks.speed import (
    introspective,
    langevin,
    machine,
    options,
    processes,
    rates,
    triangle_step,
)
from experiments import command_flags, pages
from tfgen import files
from tfgen.errors import UserError
from tfgen.nets.families import dcgan32, generative_convnet_texture, triangle_mnist
from tfgen.version import __version__
from trainers.run import commands

LANGEVIN = {
    "texture": langevin.Workload(generative_convnet_texture.energy, (224, 224, 3), 4, steps=1),
    "dcgan": langevin.Workload(dcgan32.energy, (32, 32, 3), 100, steps=4),
    "small": langevin.Workload(triangle_mnist.energy, (28, 28, 1), 100, steps=10),
}
SYNTHESIS = introspective.Case((10, 64, 64, 3), classifiers=1, patches=10, seconds=0)

WORKLOADS: dict[str, Callable[[], rates.Work]] = {
    "texture": lambda: langevin.langevin("float32", LANGEVIN["texture"]),
    "dcgan": lambda: langevin.langevin("float32", LANGEVIN["dcgan"]),
    "small": lambda: langevin.langevin("float32", LANGEVIN["small"]),
    "triangle": lambda: triangle_step.step("official", width=0.25),
    "synthesis": lambda: introspective.steps(SYNTHESIS, width=0.5),
}
"""By the names under which shares are recorded."""

CLOCKS = dict(zip(processes.CLOCKS, (time.perf_counter, time.process_time), strict=True))


class Record(NamedTuple):
    """Shares that were measured, and where.

    Attributes:
        machine: what `machine.kind` returned.
        clock: of `CLOCKS`.
        tensorflow: its version.
        shares: of the matrix product's rate, by workload.
    """

    machine: dict[str, object]
    clock: str
    tensorflow: str
    shares: dict[str, float]


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    place = command_flags.place(values, "benchmarks.speed.regression")
    options.define_rounds(place, 7, "Timed runs of everything.")
    text = f"Some of {','.join(WORKLOADS)}."
    absl_flags.DEFINE_list("workloads", list(WORKLOADS), text, **place)
    text = "The fraction of a recorded share by which noise of the machine may lower it."
    absl_flags.DEFINE_float("margin", 0.25, text, lower_bound=0, upper_bound=1, **place)
    options.define_timing(place)
    text = "The file of recorded shares."
    absl_flags.DEFINE_string("ratios", "benchmarks/regression.json", text, **place)
    text = "Write what is measured, and compare nothing."
    absl_flags.DEFINE_boolean("record", False, text, **place)
    options.define_page(place)


def main(values: absl_flags.FlagValues) -> None:
    """Measures, and compares or records.

    Raises:
        SystemExit: with a sentence for each workload that fell short.
    """
    command_flags.require_known("workloads", values.workloads, WORKLOADS)
    options.pin(values)
    path = pathlib.Path(values.ratios)
    found = Record(machine=machine.kind(), clock=values.clock, tensorflow=tf.__version__, shares={})
    if values.record:
        before = read(path) if path.exists() else None
        found.shares.update(measured(_built(values.workloads), values))
        write(path, found, before)
        return
    before = read(path)
    require_comparable(before, found, values.workloads)
    cases = _built(values.workloads)
    found.shares.update(measured(cases, values))
    short = [name for name, _ in shortfalls(before.shares, found.shares, values.margin)]
    if short:
        # a machine that was busy for a while would otherwise raise an alarm
        again = measured({name: cases[name] for name in short}, values)
        found.shares.update({name: max(again[name], found.shares[name]) for name in short})
    pages.publish("regression", report(before, found, values), values.page)
    sentences = [sentence for _, sentence in shortfalls(before.shares, found.shares, values.margin)]
    if sentences:
        sys.exit("\n".join(sentences))


def _built(names: Sequence[str]) -> dict[str, rates.Work]:
    return {name: WORKLOADS[name]() for name in names}


def measured(cases: Mapping[str, rates.Work], values: absl_flags.FlagValues) -> dict[str, float]:
    """Returns each workload's share of the matrix product's rate, as the flags say to time it."""
    timings = rates.beside_product(cases, values.rounds, CLOCKS[values.clock])
    return {name: timing.share for name, timing in timings.items()}


def shortfalls(
    before: Mapping[str, float], now: Mapping[str, float], margin: float
) -> Iterator[tuple[str, str]]:
    """Yields each workload that became slower, and a sentence about it.

    Args:
        before: recorded shares, of all that are in `now`.
        now: measured shares.
        margin: the fraction of a recorded share that may be missing.
    """
    for name, share in now.items():
        least = (1 - margin) * before[name]
        if share < least:
            yield (
                name,
                f"{name}: expected at least {least:.2f} of the matrix product's rate, "
                f"{before[name]:.2f} as recorded less a margin of {margin:g} of it, "
                f"and found {share:.2f}",
            )


def require_comparable(before: Record, now: Record, workloads: Sequence[str]) -> None:
    """Raises UserError unless recorded shares can be compared with those of this machine."""
    there, here = machine.described(before.machine), machine.described(now.machine)
    for what, recorded, present in (
        ("on this kind of machine,", there, here),
        ("by the clock", before.clock, now.clock),
    ):
        if recorded != present:
            raise UserError(
                f"--ratios: expected shares recorded {what} {present}, and found those of "
                f"{recorded}; --record measures this machine's own"
            )
    for name in workloads:
        if name not in before.shares:
            raise UserError(
                f"--ratios: expected a recorded share of {name} and found none; --record adds it"
            )


def read(path: pathlib.Path) -> Record:
    """Reads a record.

    Raises:
        UserError: if there is none, or the file is not one.
    """
    try:
        return Record(**json.loads(path.read_text()))
    except FileNotFoundError as error:
        raise UserError(
            f"--ratios: expected recorded shares in {path} and found none; --record writes them"
        ) from error
    except (TypeError, ValueError) as error:
        raise UserError(
            f"--ratios: expected recorded shares in {path} and could not read them"
        ) from error


def write(path: pathlib.Path, found: Record, before: Record | None) -> None:
    """Writes a record; earlier shares of other workloads stay if the kind of machine is the same.

    Args:
        path: of the file.
        found: what was measured.
        before: what the file held.
    """
    shares: dict[str, float] = {}
    # shares of another kind of machine mean nothing on this one
    if before and (before.machine, before.clock) == (found.machine, found.clock):
        shares |= before.shares
    shares |= {name: round(share, 3) for name, share in found.shares.items()}
    text = json.dumps(found._replace(shares=shares)._asdict(), indent=2)
    with files.written_aside(path) as aside:
        aside.write_text(f"{text}\n")


def report(before: Record, now: Record, values: absl_flags.FlagValues) -> str:
    """Returns the table in Markdown.

    Args:
        before: recorded shares.
        now: measured ones.
        values: the flags.
    """
    words = [f"--rounds={values.rounds}", f"--margin={values.margin:g}"]
    if list(now.shares) != list(WORKLOADS):
        words.append(f"--workloads={','.join(now.shares)}")
    words += options.timing_words(values)
    rows = []
    for name, share in now.shares.items():
        recorded = before.shares[name]
        rows.append([name, f"{recorded:.2f}", f"{share:.2f}", f"{share / recorded:.2f}"])
    return (
        "# Shares of the matrix product's rate beside recorded ones\n\n"
        f"Command: `python -m benchmarks.speed.regression {' '.join(words)}`, which "
        f"`make bench-check` runs; tfgen {__version__}, TensorFlow {now.tensorflow} "
        f"({before.tensorflow} as recorded), {machine.described(now.machine)}, float32. Medians of "
        f"{values.rounds} interleaved rounds; shares are taken within a round.\n\n"
        f"{pages.table(['workload', 'recorded', 'measured', 'relative'], rows)}"
    )


if __name__ == "__main__":
    commands.run(main, define, __doc__)
