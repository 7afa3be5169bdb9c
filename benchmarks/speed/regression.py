"""Whether anything has become slower: each workload's share of the matrix product's rate beside a recorded one.

    python -m benchmarks.speed.regression [--rounds=7] [--margin=0.25] [--workloads=small,...] [--record]

`make bench-check` runs it; it ends with exit code 1 and a sentence for each workload that fell short. `--record`
writes what it measures instead. Workloads and the matrix product are timed in turn, A B C A B C ..., shares are taken
within a round, and their medians compared; what falls short is measured once more, and the better counts.
"""

import json
import pathlib
import statistics
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
from experiments import pages
from tfgen import files
from tfgen.errors import UserError
from tfgen.nets.families import dcgan32, generative_convnet_texture, triangle_mnist
from tfgen.version import __version__
from trainers.run import commands

Work = tuple[Callable[[], None], float]
"""What is timed, and its floating-point operations."""

WORKLOADS: dict[str, Callable[[], Work]] = {
    "texture": lambda: langevin.langevin(
        "float32", generative_convnet_texture.energy, (224, 224, 3), 4, 1
    ),
    "dcgan": lambda: langevin.langevin("float32", dcgan32.energy, (32, 32, 3), 100, 4),
    "small": lambda: langevin.langevin("float32", triangle_mnist.energy, (28, 28, 1), 100, 10),
    "triangle": lambda: triangle_step.step("official", 0.25),
    "synthesis": lambda: introspective.steps(
        introspective.Case((10, 64, 64, 3), 1, patches=10, seconds=0), 0.5
    ),
}
"""Langevin steps on three energies, a divergence triangle's step on narrow nets, steps of a synthesis."""

CLOCKS = dict(zip(processes.CLOCKS, (time.perf_counter, time.process_time), strict=True))


class Record(NamedTuple):
    """Shares that were measured, and where."""

    machine: dict[str, object]
    clock: str
    tensorflow: str
    shares: dict[str, float]


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = {"flag_values": values, "module_name": "benchmarks.speed.regression"}
    absl_flags.DEFINE_integer("rounds", 7, "Timed runs of everything.", lower_bound=1, **where)
    absl_flags.DEFINE_list("workloads", list(WORKLOADS), f"Some of {','.join(WORKLOADS)}.", **where)
    absl_flags.DEFINE_float(
        "margin",
        0.25,
        "By how much of a recorded share a machine's noise may lower one.",
        lower_bound=0,
        upper_bound=1,
        **where,
    )
    options.define_timing(where)
    absl_flags.DEFINE_string(
        "ratios", "benchmarks/regression.json", "Where recorded shares are kept.", **where
    )
    absl_flags.DEFINE_boolean(
        "record", False, "Write what is measured, and compare nothing.", **where
    )
    options.define_page(where)


def main(values: absl_flags.FlagValues) -> None:
    """Measures, and compares or records."""
    for name in set(values.workloads) - set(WORKLOADS):
        raise UserError(f"--workloads: expected some of {', '.join(WORKLOADS)} and found {name}")
    options.pin(values)
    path = pathlib.Path(values.ratios)
    found = Record(machine.kind(), values.clock, tf.__version__, {})
    before = None if values.record and not path.exists() else read(path)
    if not values.record:
        comparable(before, found, values.workloads)
    cases = {name: WORKLOADS[name]() for name in values.workloads}
    found.shares.update(measured(cases, values.rounds, CLOCKS[values.clock]))
    if values.record:
        write(path, found, before)
        return
    short = {
        name: cases[name] for name, _ in shortfalls(before.shares, found.shares, values.margin)
    }
    again = measured(short, values.rounds, CLOCKS[values.clock]) if short else {}
    found.shares.update({name: max(share, found.shares[name]) for name, share in again.items()})
    text = report(before, found, values)
    print(text)
    if values.page:
        pages.put(pathlib.Path(values.page), "regression", text)
    sentences = [sentence for _, sentence in shortfalls(before.shares, found.shares, values.margin)]
    if sentences:
        sys.exit("\n".join(sentences))


def measured(
    cases: Mapping[str, Work], rounds: int, clock: Callable[[], float]
) -> dict[str, float]:
    """Each workload's share of the matrix product's rate, the median of those within a round.

    Args:
        cases: by name.
        rounds: how many times each.
        clock: says the seconds since some time.
    """
    product, operations = rates.matrix_product("float32")
    runs = {"matrix product": product} | {name: timed for name, (timed, _) in cases.items()}
    seconds, _ = rates.interleaved(runs, rounds, clock)
    shares = {}
    for name, (_, work) in cases.items():
        pairs = zip(seconds[name], seconds["matrix product"], strict=True)
        shares[name] = statistics.median(work / own / (operations / whole) for own, whole in pairs)
    return shares


def shortfalls(
    before: Mapping[str, float], now: Mapping[str, float], margin: float
) -> Iterator[tuple[str, str]]:
    """The workloads that became slower, and a sentence about each.

    Args:
        before: recorded shares, of all that are now.
        now: what was measured.
        margin: how much of a recorded share may be missing.
    """
    for name, share in now.items():
        least = (1 - margin) * before[name]
        if share < least:
            yield (
                name,
                f"{name}: expected at least {least:.2f} of the matrix product's rate, {before[name]:.2f} as recorded "
                f"less a margin of {margin:g} of it, and found {share:.2f}",
            )


def comparable(before: Record, now: Record, workloads: Sequence[str]) -> None:
    """Raises UserError unless there are recorded shares that this machine's can be compared with."""
    for what, recorded, here in (
        (
            "on this kind of machine,",
            machine.described(before.machine),
            machine.described(now.machine),
        ),
        ("by the clock", before.clock, now.clock),
    ):
        if recorded != here:
            raise UserError(
                f"--ratios: expected shares recorded {what} {here}, and found those of {recorded}; "
                "--record measures this machine's own"
            )
    for name in workloads:
        if name not in before.shares:
            raise UserError(
                f"--ratios: expected a recorded share of {name} and found none; --record adds it"
            )


def read(path: pathlib.Path) -> Record:
    """What was recorded.

    Raises:
        UserError: if there is no record, or it is not one.
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
    """Records shares; of others, those that the same kind of machine had stay."""
    alike = before is not None and (before.machine, before.clock) == (found.machine, found.clock)
    shares = (before.shares if alike else {}) | {
        name: round(share, 3) for name, share in found.shares.items()
    }
    with files.written_aside(path) as aside:
        aside.write_text(json.dumps(found._replace(shares=shares)._asdict(), indent=2) + "\n")


def report(before: Record, now: Record, values: absl_flags.FlagValues) -> str:
    """The table as Markdown."""
    command = (
        f"python -m benchmarks.speed.regression --rounds={values.rounds} --margin={values.margin:g}"
    )
    command += f" --workloads={','.join(now.shares)}" if list(now.shares) != list(WORKLOADS) else ""
    command = " ".join([command, *options.said(values)])
    lines = [
        "# Shares of the matrix product's rate beside recorded ones",
        "",
        f"Command: `{command}`, as `make bench-check` has it; tfgen {__version__}, TensorFlow {now.tensorflow} "
        f"({before.tensorflow} as recorded), {machine.described(now.machine)}, float32. Medians of {values.rounds} "
        "interleaved rounds; shares are taken within a round.",
        "",
        "| workload | recorded | measured | relative |",
        "|---|---|---|---|",
    ]
    for name, share in now.shares.items():
        recorded = before.shares[name]
        lines.append(f"| {name} | {recorded:.2f} | {share:.2f} | {share / recorded:.2f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    commands.run(main, define, __doc__)
