"""Times tfgen side by side with other libraries: the same nets, weights, shapes, steps, precision.

    python -m benchmarks.peers.side_by_side [--rounds=5] [--workloads=texture] [--page=PAGE]

What is compared is in `benchmarks/peers/comparisons`, a module each. Every library runs in a
process of its own that stays warm; `make bench-peers` sets up their environment. Outputs are
checked equal first. Then a run of each is timed in turn, A B C A B C ...; medians are compared, and
ratios are taken within a round. `--processors=1 --clock=processor` still compares where other
programs run too.
"""

import pathlib
import statistics
import tempfile
from typing import Any

import numpy as np
from absl import flags as absl_flags

from benchmarks.peers import comparisons, workload
from benchmarks.peers.comparisons import Comparison
from benchmarks.speed import machine, options, processes, rates
from benchmarks.speed.options import OURS
from benchmarks.speed.rates import PRODUCT
from experiments import command_flags, pages
from tfgen.errors import UserError
from trainers.run import commands

IN_OURS = ("tfgen_", "tfp_")
"""Contenders whose names begin so run in tfgen's own environment."""

HEADER = f"""# tfgen beside other libraries

`make bench-peers` runs all of these, in float32. Every library runs in a process of its own;
outputs agreed to {Comparison.tolerance:g} first. Times are medians of interleaved runs; shares and
ratios are medians of those within a round. GFLOP/s count the operations of direct convolutions,
whatever is computed."""


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    place = command_flags.place(values, "benchmarks.peers.side_by_side")
    options.define_rounds(place, 5, "Timed runs of everything.")
    names = list(comparisons.ALL)
    absl_flags.DEFINE_list("workloads", names, f"Some of {','.join(names)}.", **place)
    options.define_without(place)
    options.define_timing(place)
    options.define_python(place)
    options.define_page(place)


def main(values: absl_flags.FlagValues) -> None:
    """Times everything, and prints the tables."""
    command_flags.require_known("workloads", values.workloads, comparisons.ALL)
    known = {name for each in comparisons.ALL.values() for name in each.contenders}
    options.require_known_without(values, known)
    options.require_python(values, "bench-peers")
    options.pin(values)
    pages.publish("peers", HEADER, values.page)
    for name in values.workloads:
        pages.publish(f"peers_{name}", compare(name, values), values.page)


def compare(name: str, values: absl_flags.FlagValues) -> str:
    """Times all contenders on one workload, and returns its table in Markdown.

    Args:
        name: a key of `comparisons.ALL`.
        values: the flags.
    """
    comparison = comparisons.ALL[name]

    def agree(outputs: processes.Outputs) -> None:
        check(outputs, comparison.tolerance)

    with tempfile.TemporaryDirectory() as directory:
        file = pathlib.Path(directory) / "workload.npz"
        work, operations = comparison.work()
        workload.write(file, work)
        chosen = commands_of(comparison, str(file), values.python)
        for library in values.without:
            chosen.pop(library, None)
        timed = processes.timed(chosen, agree, rounds=values.rounds, clock=values.clock)
    origin = command(name, values)
    return report(comparison, timed, origin=origin, operations=operations)


def commands_of(comparison: Comparison, file: str, python: str) -> dict[str, list[str]]:
    """Returns the commands that start the matrix product and each contender.

    Args:
        comparison: names the contenders.
        file: the workload's.
        python: the peers' interpreter.
    """
    found = {PRODUCT: processes.command_of("matrix_product")}
    for name, (module, *words) in comparison.contenders.items():
        own = None if module.startswith(IN_OURS) else python
        found[name] = processes.command_of(module, file, *words, python=own)
    return found


def check(outputs: processes.Outputs, tolerance: float) -> None:
    """Raises UserError unless all contenders' arrays agree with tfgen's.

    Args:
        outputs: by contender; the matrix product has none.
        tolerance: root mean square difference relative to tfgen's.
    """
    ours = outputs[OURS]
    for name, found in outputs.items():
        if not found and name != PRODUCT:
            raise UserError(f"{name}: expected some of {', '.join(ours)} and found nothing")
        for what, array in found.items():
            error = np.linalg.norm(array - ours[what]) / np.linalg.norm(ours[what])
            if not error < tolerance:
                raise UserError(
                    f"{name}: expected tfgen's {what} and found some that differ by {error:.1e} "
                    "of them"
                )


def command(name: str, values: absl_flags.FlagValues) -> str:
    """Returns what was run, and where."""
    words = [f"--rounds={values.rounds}", f"--workloads={name}"]
    words += options.without_words(values, comparisons.ALL[name].contenders)
    words += options.timing_words(values)
    return f"`python -m benchmarks.peers.side_by_side {' '.join(words)}`; {machine.summary()}"


def report(
    comparison: Comparison, timed: processes.Timed, *, origin: str, operations: float
) -> str:
    """Returns one workload's table in Markdown.

    Args:
        comparison: what was compared.
        timed: seconds and versions of the contenders and of the matrix product.
        origin: what was run, and where.
        operations: of a timed run.
    """
    seconds = dict(timed.seconds)
    product = seconds.pop(PRODUCT)
    rate = rates.PRODUCT_OPERATIONS / statistics.median(product) / 1e9
    columns = ["library", f"milliseconds a {comparison.unit}", "GFLOP/s"]
    columns += ["of the matrix product", "tfgen's speed relative to it"]
    rows: list[list[Any]] = []
    for name, times in seconds.items():
        median = statistics.median(times)
        share = operations / rates.PRODUCT_OPERATIONS * rates.median_ratio(product, times)
        relative = rates.median_ratio(times, seconds[OURS])
        cells = [1e3 * median / comparison.times, operations / median / 1e9, share, relative]
        formats = (".1f", ".0f", ".2f", ".2f")
        shown = [format(cell, form) for cell, form in zip(cells, formats, strict=True)]
        rows.append([f"{name} {timed.versions[name]}", *shown])
    return (
        f"## {comparison.title}\n\n"
        f"Command: {origin}. Matrix product: {rate:.0f} GFLOP/s.\n\n"
        f"{pages.table(columns, rows)}"
    )


if __name__ == "__main__":
    commands.run(main, define, __doc__)
