"""tfgen beside other libraries: the same nets, weights, shapes, steps and precision.

    python -m benchmarks.peers.side_by_side [--rounds=5] [--workloads=texture,triangle] [--page=benchmarks/results.md]

What is compared stands in `benchmarks/comparisons`, a file each. Each library runs in a process of its own that stays
warm; `make bench-peers` sets up their environment. Outputs are checked equal first. Then a run of each is timed in
turn, A B C A B C ...; medians are compared, and ratios are taken within a round. On a machine that does other work
meanwhile, `--processors=1 --clock=processor` still compares.
"""

import os
import pathlib
import platform
import statistics
import tempfile
from collections.abc import Mapping, Sequence

import numpy as np
from absl import flags as absl_flags

from benchmarks.peers import comparisons, workload
from benchmarks.peers.comparisons import OURS, Comparison
from benchmarks.speed import options, processes, rates
from experiments import pages
from tfgen.errors import UserError
from trainers.run import commands

PRODUCT = "matrix product"
IN_OURS = ("tfgen_", "tfp_")
"""Modules so called run in tfgen's own environment."""
HEADER = f"""# tfgen beside other libraries

`make bench-peers` runs all of these, in float32. Every library runs in a process of its own; outputs agreed to
{Comparison.tolerance:g} first. Times are medians of interleaved runs; shares and ratios are medians of those within a
round. GFLOP/s count the operations of direct convolutions, whatever is computed."""


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = {"flag_values": values, "module_name": "benchmarks.peers.side_by_side"}
    absl_flags.DEFINE_integer("rounds", 5, "Timed runs of everything.", lower_bound=1, **where)
    absl_flags.DEFINE_list(
        "workloads", list(comparisons.ALL), f"Some of {','.join(comparisons.ALL)}.", **where
    )
    options.define_without(where)
    options.define_timing(where)
    options.define_python(where)
    options.define_page(where)


def main(values: absl_flags.FlagValues) -> None:
    """Times everything and prints the tables."""
    for name in set(values.workloads) - set(comparisons.ALL):
        raise UserError(
            f"--workloads: expected some of {', '.join(comparisons.ALL)} and found {name}"
        )
    options.require_known(
        values, (name for comparison in comparisons.ALL.values() for name in comparison.contenders)
    )
    options.require_python(values, "bench-peers")
    options.pin(values)
    show("peers", HEADER, values.page)
    for name in values.workloads:
        show(f"peers_{name}", compare(name, values), values.page)


def show(part: str, text: str, page: str | None) -> None:
    """Prints a part, and puts it in the page if there is to be one."""
    print(text, end="\n\n", flush=True)
    if page:
        pages.put(pathlib.Path(page), part, text)


def compare(name: str, values: absl_flags.FlagValues) -> str:
    """One workload's table."""
    comparison = comparisons.ALL[name]
    with tempfile.TemporaryDirectory() as directory:
        file = pathlib.Path(directory) / "workload.npz"
        work, operations = comparison.work()
        workload.write(file, work)
        started_by = commands_of(comparison, str(file), values.python)
        chosen = {name: words for name, words in started_by.items() if name not in values.without}
        with processes.started(chosen) as contenders:
            check(contenders, pathlib.Path(directory), comparison.tolerance)
            seconds = processes.interleaved(contenders, values.rounds, values.clock)
            versions = {name: c.version for name, c in contenders.items()}
    return report(comparison, command(name, values), seconds, operations, versions)


def commands_of(comparison: Comparison, file: str, python: str) -> dict[str, list[str]]:
    """What starts the matrix product and each contender."""
    found = {PRODUCT: processes.command_of("matrix_product")}
    for name, (module, *words) in comparison.contenders.items():
        own = None if module.startswith(IN_OURS) else python
        found[name] = processes.command_of(module, file, *words, python=own)
    return found


def check(
    contenders: Mapping[str, processes.Contender], directory: pathlib.Path, tolerance: float
) -> None:
    """Raises UserError unless all that contenders answer is what tfgen answers."""
    outputs = {
        name: contender.outputs(directory / f"{number}.npz")
        for number, (name, contender) in enumerate(contenders.items())
        if name != PRODUCT
    }
    for name, found in outputs.items():
        if not found:
            raise UserError(
                f"{name}: expected some of {', '.join(outputs[OURS])} and found nothing"
            )
        for what, array in found.items():
            error = np.linalg.norm(array - outputs[OURS][what]) / np.linalg.norm(
                outputs[OURS][what]
            )
            if not error < tolerance:
                raise UserError(
                    f"{name}: expected tfgen's {what} and found some that differ by {error:.1e} of them"
                )


def command(name: str, values: absl_flags.FlagValues) -> str:
    """What was run, and where."""
    given = [f"--rounds={values.rounds}", f"--workloads={name}"]
    given += options.left_out(values, comparisons.ALL[name].contenders)
    given += options.said(values)
    where = f"{platform.machine()}, {len(os.sched_getaffinity(0))} processors"
    return f"`python -m benchmarks.peers.side_by_side {' '.join(given)}`; {where}"


def report(
    comparison: Comparison,
    origin: str,
    seconds: dict[str, list[float]],
    operations: float | None,
    versions: Mapping[str, str],
) -> str:
    """One workload's table as Markdown; its origin is the command, and where it ran."""
    product = [rates.PRODUCT_OPERATIONS / s for s in seconds.pop(PRODUCT)]
    columns = ["library", f"milliseconds a {comparison.unit}"]
    columns += ["GFLOP/s", "of the matrix product"] if operations else []
    columns += ["tfgen's speed relative to it"]
    lines = [
        f"## {comparison.title}",
        "",
        f"Command: {origin}. Matrix product: {statistics.median(product) / 1e9:.0f} GFLOP/s.",
        "",
        row(columns),
        "|" + "---|" * len(columns),
    ]
    for name, times in seconds.items():
        cells = [
            f"{name} {versions[name]}",
            f"{1e3 * statistics.median(times) / comparison.times:.1f}",
        ]
        if operations:
            share = statistics.median(
                operations / s / p for s, p in zip(times, product, strict=True)
            )
            cells += [f"{operations / statistics.median(times) / 1e9:.0f}", f"{share:.2f}"]
        relative = statistics.median(s / o for s, o in zip(times, seconds[OURS], strict=True))
        lines.append(row([*cells, f"{relative:.2f}"]))
    return "\n".join(lines)


def row(cells: Sequence[str]) -> str:
    """Of a Markdown table."""
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    commands.run(main, define, __doc__)
