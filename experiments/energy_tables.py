"""Writes what was measured of trained energies: landscapes, likelihoods, long chains, outliers.

    python -m experiments.energy_tables --workdirs=DIR[,DIR...] [--output=docs/results.md]

The part `energies` of the page comes from the runs' metrics.jsonl, and their landscape.png is
copied into the page's images. What was not measured is left blank; `trainers.landscape` and
`trainers.evaluate` measure it.
"""

import pathlib
import shutil
from collections.abc import Mapping
from typing import Any

import jinja2
from absl import flags as absl_flags

from experiments import command_flags, pages
from experiments.energy_meanings import MEANINGS, NOTES
from tfgen import files
from tfgen.errors import UserError
from tfgen.version import __version__
from trainers.report import latest
from trainers.run import commands, identity
from trainers.run.metrics import Metrics, Row

MEASURED = ("landscape", "likelihood", "importance_bound", "mixing", "outliers")

PAGE = """\
## Energies

These tables measure trained energies, one run and one seed each. [Look at an energy](energy.md)
explains how to read them. Written by
`{{ command }}` with tfgen {{ version }}, from
what `trainers.landscape` and `trainers.evaluate` had measured. A blank cell was not measured.
{% for table in tables %}

### {{ table.title }}
{% if table.note %}
{{ table.note }}
{% endif %}
{{ table.cells }}
{% for title, verdict in table.verdicts %}
{{ title }}: {{ verdict }}
{% endfor %}
Protocol: {{ table.protocols | join("; or ") }}.
{% endfor -%}
{% if pictures %}
### Disconnectivity graphs
{% endif -%}
{% for title, link in pictures.items() %}
{{ title }}:

![Disconnectivity graph of {{ title }}]({{ link }})
{% endfor %}
"""


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = command_flags.place(values, "experiments.energy_tables")
    absl_flags.DEFINE_list("workdirs", [], "The runs.", **where)
    absl_flags.DEFINE_string("output", "docs/results.md", "The page to write a part of.", **where)


def main(values: absl_flags.FlagValues) -> None:
    """Writes the part `energies` of the page."""
    if not values.workdirs:
        raise UserError("--workdirs: expected the directories of some runs and found none")
    workdirs = [pathlib.Path(workdir) for workdir in values.workdirs]
    output = pathlib.Path(values.output)
    metrics, pictures = {}, {}
    for workdir in workdirs:
        name = title(workdir)
        metrics[name] = Metrics(workdir / "metrics.jsonl")
        if (workdir / "landscape.png").exists():
            pictures[name] = _copied_landscape(workdir, output)
    tables = [table_of(name, metrics) for name in MEASURED]
    names = ",".join(f"runs/{workdir.name}" for workdir in workdirs)
    part = jinja2.Template(PAGE).render(
        tables=[table for table in tables if table["is_measured"]],
        pictures=pictures,
        command=f"python -m experiments.energy_tables --workdirs={names}",
        version=__version__,
    )
    pages.put(output, "energies", part)
    print(output)


def title(workdir: pathlib.Path) -> str:
    """Returns a run's model, data and number of updates, in words."""
    values = identity.flags_of(workdir)
    train = Metrics(workdir / "metrics.jsonl").rows("train")
    updates = train[-1]["step"] if train else 0
    return f"{values.algorithm} on {values.dataset.rpartition('/')[2]}, {updates} updates"


def table_of(name: str, runs: Mapping[str, Metrics]) -> dict[str, Any]:
    """Returns the table of one measurement, with a row for each of its values.

    Args:
        name: of the measurement.
        runs: the metrics of the runs, by title.
    """
    by_run, verdicts = [], []
    for run_title, metrics in runs.items():
        rows = latest(metrics.rows("evaluation"))
        by_run.append({row["metric"]: row for row in rows if _is_of(row, name)})
        rows = metrics.rows("verdict")
        verdicts += [(run_title, row["verdict"]) for row in rows if row["metric"] == name][-1:]
    value_names = dict.fromkeys(value_name for values in by_run for value_name in values)
    table = []
    for value_name in value_names:
        short = value_name.partition("/")[2]
        meaning = MEANINGS.get(name, {}).get(short, "")
        table.append([short, meaning, *(_cell(values.get(value_name)) for values in by_run)])
    protocols = dict.fromkeys(_protocol(row) for values in by_run for row in values.values())
    return {
        "title": name.replace("_", " ").capitalize(),
        "note": NOTES.get(name, ""),
        "is_measured": bool(table),
        "cells": pages.table(["value", "meaning", *runs], table),
        "verdicts": verdicts,
        "protocols": list(protocols),
    }


def _is_of(row: Row, name: str) -> bool:
    return row["metric"].partition("/")[0] == name


def _cell(row: Row | None) -> str:
    return "" if row is None else f"{row['value']:.4g}"


def _protocol(row: Row) -> str:
    return ", ".join(f"{name} {value}" for name, value in row["protocol"].items() if value != "")


def _copied_landscape(workdir: pathlib.Path, page: pathlib.Path) -> str:
    """Copies a run's landscape to the page's images, and returns the link."""
    path, link = pages.picture(page, f"landscape_{workdir.name}.png")
    with files.written_aside(path) as aside:
        shutil.copyfile(workdir / "landscape.png", aside)
    return link


if __name__ == "__main__":
    commands.run(main, define, __doc__)
