"""The tables of the divergence triangle's paper at our scale, from the rows of many runs."""

import pathlib
import statistics
from collections.abc import Iterator
from typing import Any

import jinja2

from tfgen.errors import UserError
from tfgen.version import __version__
from trainers import compare
from trainers.compare import Measured
from trainers.run import experiment

GENERATION = (
    "fid/distance",
    "kid/distance",
    "precision_recall/precision",
    "precision_recall/recall",
)
RECONSTRUCTION = ("reconstruction/test_mse", "reconstruction/test_mse_unit")
RECOVERY = "recovery/error"
BLOCKS = ("MB10", "B20", "B30")

PAGE = """\
# The divergence triangle

Beside the models it contains, at a scale that two CPU cores reach: the same nets, data, steps, batches and seeds for
all. Written by `{{ command }}` with tfgen {{ version }}; each run's own
flags and measurements stand under `runs/tables`.

The paper's own figures (its Tables I to III) are on other nets, data and steps, and could not be verified but for
these, so no others are printed: CIFAR-10 inception score of the triangle 7.23, FID 30.10, test MSE .0237; CelebA-64
FID 18.21, test MSE .0281; all as quoted by the Dual-MCMC paper (NeurIPS 2023), Tables 1 and 3, under a protocol of
its own.

Values over several seeds are mean ± standard deviation.
{% for section in sections %}

## {{ section.title }}

`{{ section.flagfile }}.flags` with `--algorithm` and `--seed`: nets {{ section.nets }},
{{ section.steps }} updates of {{ section.batch_size }} images.
{% for table in section.tables %}

### {{ table.title }}

| model | {{ table.columns | join(" | ") }} |
|---|{{ "---|" * (table.columns | length) }}
{% for name, cells in table.rows -%}
| {{ name }} | {{ cells | join(" | ") }} |
{% endfor %}
Protocol: {{ table.protocol }}.
{% endfor %}

### Against the targets

{% for verdict in section.verdicts -%}
- {{ verdict }}
{% endfor -%}
{% endfor %}
"""

Values = dict[str, Measured]
"""The values of one metric, by the name of the model."""


def render(sections: list[dict], command: str) -> str:
    """The part of the page, in Markdown."""
    return jinja2.Template(PAGE).render(sections=sections, command=command, version=__version__)


def section(data: Any, workdirs: list[pathlib.Path]) -> dict:
    """What the page says of one data set.

    Args:
        data: its title and flagfile.
        workdirs: of all its runs.

    Raises:
        UserError: if a run was not measured, or protocols differ.
    """
    flags = {workdir: experiment.read(workdir) for workdir in workdirs}
    whole = [workdir for workdir in workdirs if not flags[workdir].missing]
    patterns = list(dict.fromkeys(f.missing for f in flags.values() if f.missing))
    generation = {metric: values_of(metric, whole) for metric in GENERATION}
    reconstruction = {metric: values_of(metric, whole) for metric in RECONSTRUCTION}
    recovery = {
        p: values_of(RECOVERY, [w for w in workdirs if flags[w].missing == p]) for p in patterns
    }
    first = flags[workdirs[0]]
    tables = [
        ("Generation", generation),
        ("Reconstruction", reconstruction),
        ("Recovery of missing pixels", recovery),
    ]
    return {
        "title": data.title,
        "flagfile": data.flagfile,
        "nets": first.nets,
        "steps": first.steps,
        "batch_size": first.batch_size,
        "tables": [table(title, columns) for title, columns in tables if columns],
        "verdicts": list(
            verdicts(
                generation["fid/distance"], reconstruction["reconstruction/test_mse"], recovery
            )
        ),
    }


def values_of(metric: str, workdirs: list[pathlib.Path]) -> Values:
    """One metric of runs that may be compared, by model.

    Raises:
        UserError: if runs of one model differ in more than their seed.
    """
    found: Values = {}
    for measured in compare.ranked(metric, workdirs):
        if measured.name in found:
            raise UserError(
                f"--runs: expected runs of {measured.name} that differ in nothing but their seed and found others; "
                "remove those of older flags"
            )
        found[measured.name] = measured
    return found


def table(title: str, columns: dict[str, Values]) -> dict:
    """Rows of models, in the order of the first column's ranks."""
    models = list(next(iter(columns.values())))
    first, *others = [values[models[0]] for values in columns.values()]
    shared = [
        f"{key} {value}"
        for key, value in first.protocol.items()
        if all(o.protocol.get(key) == value for o in others)
    ]
    runs = len(first.values)
    return {
        "title": title,
        "columns": list(columns),
        "rows": [(model, [str(values[model]) for values in columns.values()]) for model in models],
        "protocol": f"{', '.join(shared)}; {runs} run{'s' if runs > 1 else ''} of each model",
    }


def verdicts(fid: Values, mse: Values, recovery: dict[str, Values]) -> Iterator[str]:
    """How the triangle stands to what was hoped for."""
    ratio = _ratio(fid, "vae")
    yield f"FID at most 0.5 of the VAE's: {ratio:.2f}, {_met(ratio <= 0.5)}."
    ratio = _ratio(mse, "vae")
    yield f"Reconstruction MSE below the VAE's, on held-out images: {ratio:.2f} of it, {_met(ratio < 1)}."
    for pattern, values in recovery.items():
        ratio = _ratio(values, "vae")
        yield f"Recovery error below the VAE's, {pattern}: {ratio:.2f} of it, {_met(ratio < 1)}."
    for pattern in BLOCKS:
        if pattern in recovery:
            ratio = _ratio(recovery[pattern], "abp")
            yield f"Recovery error below ABP's, {pattern}: {ratio:.2f} of it, {_met(ratio < 1)}."


def _ratio(values: Values, other: str) -> float:
    return statistics.mean(values["divergence_triangle"].values) / statistics.mean(
        values[other].values
    )


def _met(is_met: bool) -> str:
    return "met" if is_met else "missed"
