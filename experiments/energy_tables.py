"""What was measured of trained energies, beside each other: landscapes, likelihoods, long chains, outliers.

    python -m experiments.energy_tables --workdirs=DIR[,DIR...] [--output=docs/results.md]

Writes the part `energies` of the page from the runs' metrics.jsonl, and copies their landscape.png beside it. What was
not measured is left blank; `trainers.landscape` and `trainers.evaluate` measure it.
"""

import pathlib
import shutil

import jinja2
from absl import flags as absl_flags

from experiments import pages
from tfgen import files
from tfgen.errors import UserError
from tfgen.version import __version__
from trainers.report import latest
from trainers.run import commands, experiment
from trainers.run.metrics import Metrics, Row

MEASURED = ("landscape", "likelihood", "importance_bound", "mixing", "outliers")

PAGE = """\
# Energies

What is seen of trained energies; [how to read it](energy.md). One run and one seed each. Written by
`{{ command }}` with tfgen {{ version }} from what `trainers.landscape` and `trainers.evaluate` had measured.
{% for table in tables %}

## {{ table.title }}

| | {{ runs | join(" | ", attribute="title") }} |
|---|{{ "---|" * (runs | length) }}
{% for name, cells in table.rows -%}
| {{ name }} | {{ cells | join(" | ") }} |
{% endfor %}
{% for title, verdict in table.verdicts -%}
{{ title }}: {{ verdict }}

{% endfor -%}
Protocol: {{ table.protocols | join("; or ") }}.
{% endfor %}
{% for run in runs if run.picture -%}
{{ run.title }}:

![]({{ run.picture }})

{% endfor %}
"""


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = {"flag_values": values, "module_name": "experiments.energy_tables"}
    absl_flags.DEFINE_list("workdirs", [], "The runs.", **where)
    absl_flags.DEFINE_string("output", "docs/results.md", "The page to write a part of.", **where)


def main(values: absl_flags.FlagValues) -> None:
    """Writes the part of the page."""
    if not values.workdirs:
        raise UserError("--workdirs: expected the directories of some runs and found none")
    workdirs, output = (
        [pathlib.Path(workdir) for workdir in values.workdirs],
        pathlib.Path(values.output),
    )
    runs = [
        {"title": title(workdir), "picture": _copied(workdir, output.parent)}
        for workdir in workdirs
    ]
    rows = [Metrics(workdir / "metrics.jsonl") for workdir in workdirs]
    titles = [run["title"] for run in runs]
    tables = [
        table
        for name in MEASURED
        if (table := table_of(name, dict(zip(titles, rows, strict=True))))["rows"]
    ]
    command = "python -m experiments.energy_tables --workdirs=" + ",".join(
        f"runs/{w.name}" for w in workdirs
    )
    page = jinja2.Template(PAGE).render(
        runs=runs, tables=tables, command=command, version=__version__
    )
    pages.put(output, "energies", page)
    print(output)


def title(workdir: pathlib.Path) -> str:
    """A run's model and data."""
    values, train = experiment.read(workdir), Metrics(workdir / "metrics.jsonl").rows("train")
    dataset = values.dataset.rpartition("/")[2]
    return f"{values.algorithm} on {dataset}, {train[-1]['step'] if train else 0} updates"


def table_of(name: str, runs: dict[str, Metrics]) -> dict:
    """One measurement of all runs, a row for each of its values.

    Args:
        name: of the measurement.
        runs: their metrics, by title.
    """
    found = [
        {row["metric"]: row for row in latest(run.rows("evaluation")) if _of(row, name)}
        for run in runs.values()
    ]
    verdicts = {
        title: row["verdict"]
        for title, run in runs.items()
        for row in run.rows("verdict")
        if row["metric"] == name
    }
    names = list(dict.fromkeys(metric for values in found for metric in values))
    return {
        "title": name.replace("_", " ").capitalize(),
        "rows": [(n.partition("/")[2], [_cell(values.get(n)) for values in found]) for n in names],
        "verdicts": list(verdicts.items()),
        "protocols": list(
            dict.fromkeys(_protocol(row) for values in found for row in values.values())
        ),
    }


def _of(row: Row, name: str) -> bool:
    return row["metric"].partition("/")[0] == name


def _cell(row: Row | None) -> str:
    return "" if row is None else f"{row['value']:.4g}"


def _protocol(row: Row) -> str:
    return ", ".join(f"{name} {value}" for name, value in row["protocol"].items() if value != "")


def _copied(workdir: pathlib.Path, directory: pathlib.Path) -> str:
    """The name of the run's landscape beside the page, or nothing."""
    picture = workdir / "landscape.png"
    if not picture.exists():
        return ""
    name = f"landscape_{workdir.name}.png"
    with files.written_aside(directory / name) as aside:
        shutil.copyfile(picture, aside)
    return name


if __name__ == "__main__":
    commands.run(main, define, __doc__)
