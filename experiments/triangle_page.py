"""The results page's part with the divergence triangle's tables, from the rows of many runs."""

import pathlib
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import jinja2
from absl import flags as absl_flags

from experiments import pages
from experiments.runs import Run
from experiments.table_plan import FLAGS, is_own
from tfgen.errors import UserError
from tfgen.version import __version__
from trainers import compare
from trainers.compare import Measured
from trainers.run import identity

GENERATION = (
    "fid/distance",
    "kid/distance",
    "precision_recall/precision",
    "precision_recall/recall",
)
RECONSTRUCTION = ("reconstruction/test_mse", "reconstruction/test_mse_unit")
RECOVERY = "recovery/error"
BLOCKS = ("MB10", "B20", "B30")
"""Patterns of missing blocks, on which ABP is a target too."""

EXPLANATIONS = {
    "Generation": """\
`fid` and `kid` are distances of generated to held-out images, on the features of a classifier;
lower is better. `precision` is the share of generated images near held-out ones. `recall` is the
share of held-out images near generated ones. For both, higher is better.""",
    "Reconstruction": """\
`test_mse` is the mean squared error per pixel of held-out images, on [−1, 1]. `test_mse_unit` is
the same on [0, 1]. Lower is better.""",
    "Recovery of missing pixels": """\
The models learn from images with hidden pixels. The columns are [masks](glossary.md#mask). Values
are the mean absolute error of the hidden pixels, as a share of the pixel range; lower is
better.""",
}
"""How to read each table."""

PAGE = """\
## The divergence triangle

The triangle is compared with the models it contains and with those of the paper's tables, at a
scale that two CPU cores reach. All models have the same nets, data, batches and seeds. A
discriminator has the layers of the energy. Written by `{{ command }}` with tfgen
{{ version }}. Each run's own flags and measurements are under `runs/tables`.

The paper's own figures (its Tables I to III) are on other nets, data and numbers of updates. Most
could not be verified and are not printed. The exceptions are quoted by the Dual-MCMC paper
(NeurIPS 2023), Tables 1 and 3, under a protocol of its own, and for CEGAN by Papers with Code:

| model | data | inception score | FID | test MSE |
|---|---|---|---|---|
| divergence triangle | CIFAR-10 | 7.23 | 30.10 | .0237 |
| divergence triangle | CelebA-64 | | 18.21 | .0281 |
| VAE | CIFAR-10 | | | .0341 |
| VAE | CelebA-64 | | | .0438 |
| ABP | CIFAR-10 | | | .0183 |
| ABP | CelebA-64 | | | .0277 |
| CoopNets | CIFAR-10 | 6.55 | 33.61 | |
| CoopNets | CelebA-64 | | 16.65 | |
| CEGAN | CIFAR-10 | 7.07 | | |

Values over several seeds are mean ± standard deviation. The best model is in the first row.
{% for section in sections %}

### {{ section.title }}

Trained by `{{ section.flagfile }}.flags` with `--algorithm` and `--seed`: nets {{ section.nets }},
{{ section.steps }} updates of {{ section.batch_size }} images.{% if section.own %} Flags beyond the
recipe's: {{ section.own }}.{% endif %}
{% for table in section.tables %}

#### {{ table.title }}

{{ table.cells }}

{{ table.explanation }}

Protocol: {{ table.protocol }}.
{% endfor %}

{% if section.frontier %}
#### Samples against reconstructions

![FID against reconstruction error, a curve over σ of each model]({{ section.frontier.picture }})

{{ section.frontier.cells }}

A model with a σ trades samples for reconstructions. Its curve is over σ, which stands at the
points; without a number σ is the preset's. Lower and further left is better. A dotted level is a
model that does not reconstruct.
{% endif %}
{%- if section.timed %}
#### At equal training time

{{ section.timed }}

Each model was trained for as long as the triangle takes for its updates, by the median times of
updates. These depend on what else the machine did.
{% endif %}
{%- if section.costs %}
An update takes, in ms of a busy machine (median): {{ section.costs }}.
{% endif %}
{%- if section.verdicts %}
#### Against the targets

{% for verdict in section.verdicts -%}
- {{ verdict }}
{% endfor -%}
{% endif -%}
{% endfor %}
"""

Values = dict[str, Measured]
"""The values of one metric, by the name of the model's algorithm."""


def render(sections: list[dict[str, Any]], command: str) -> str:
    """Returns the part of the page, in Markdown.

    Args:
        sections: what `section` returned for each data set.
        command: that writes the page.
    """
    return jinja2.Template(PAGE).render(sections=sections, command=command, version=__version__)


def section(data: Any, plan: Sequence[Run]) -> dict[str, Any]:
    """Returns what the page says of one data set, at the σ of the recipe.

    Args:
        data: has the data set's title and flagfile, and flags of single models.
        plan: all its runs of equal updates.

    Raises:
        UserError: if a run was not measured, or protocols differ.
    """
    own = [run for run in plan if run.metrics == ["recovery"] or is_own(run.workdir)]
    flags = {run.workdir: identity.flags_of(run.workdir) for run in own}
    whole = [run.workdir for run in own if not flags[run.workdir].missing]
    inferring = [run.workdir for run in own if "reconstruction" in run.metrics]
    generation = {metric: values_of(metric, whole) for metric in GENERATION}
    # of a choice of models, none may reconstruct
    measured = RECONSTRUCTION if inferring else ()
    reconstruction = {metric: values_of(metric, inferring) for metric in measured}
    recovery = _recovery(flags)
    tables = {
        "Generation": generation,
        "Reconstruction": reconstruction,
        "Recovery of missing pixels": recovery,
    }
    fid, mse = generation["fid/distance"], reconstruction.get("reconstruction/test_mse", {})
    first = flags[own[0].workdir]
    return {
        "title": data.title,
        "flagfile": data.flagfile,
        "nets": first.nets,
        "steps": first.steps,
        "batch_size": first.batch_size,
        "own": ", ".join(f"`{flag}`" for flag in own_flags(data, generation["fid/distance"])),
        "tables": [table(title, columns) for title, columns in tables.items() if columns],
        "verdicts": list(verdicts(fid, mse, recovery)),
    }


def own_flags(data: Any, models: Iterable[str]) -> list[str]:
    """Returns the flags of single models that no recipe has."""
    return [
        flag for model in models for flag in (*FLAGS.get(model, ()), *data.flags.get(model, ()))
    ]


def _recovery(flags: Mapping[pathlib.Path, absl_flags.FlagValues]) -> dict[str, Values]:
    """Returns the recovery errors of the runs with missing pixels, by pattern."""
    by_pattern: dict[str, list[pathlib.Path]] = {}
    for workdir, values in flags.items():
        if values.missing:
            by_pattern.setdefault(values.missing, []).append(workdir)
    return {pattern: values_of(RECOVERY, own) for pattern, own in by_pattern.items()}


def values_of(metric: str, workdirs: list[pathlib.Path]) -> Values:
    """Returns one metric of comparable runs, by model, the best first.

    Raises:
        UserError: if runs of one model differ in more than their seed.
    """
    found: Values = {}
    for measured in compare.ranked(metric, workdirs):
        if measured.algorithm in found:
            raise UserError(
                f"--runs: expected runs of {measured.algorithm} that differ in nothing but their "
                "seed and found others; remove those of older flags"
            )
        found[measured.algorithm] = measured
    return found


def table(title: str, columns: Mapping[str, Values]) -> dict[str, Any]:
    """Returns a table of models, in the order of the first column's ranks.

    Args:
        title: of the table.
        columns: the values of each metric, by its name.
    """
    # dictionaries keep the ranks
    models = list(next(iter(columns.values())))
    rows = []
    for model in models:
        rows.append([model, *(values[model] for values in columns.values())])
    first, *others = [values[models[0]] for values in columns.values()]
    shared = []
    for key, value in first.protocol.items():
        if all(other.protocol.get(key) == value for other in others):
            shared.append(f"{key} {value}")
    count = len(first.values)
    noun = "runs" if count > 1 else "run"
    return {
        "title": title,
        "cells": pages.table(["model", *columns], rows),
        "explanation": EXPLANATIONS[title],
        "protocol": f"{', '.join(shared)}; {count} {noun} of each model",
    }


def verdicts(fid: Values, mse: Values, recovery: Mapping[str, Values]) -> Iterator[str]:
    """Yields a sentence for each target that the triangle has against another model.

    Args:
        fid: FID of each model.
        mse: reconstruction error on held-out images of each model.
        recovery: recovery errors of each model, by the pattern of missing pixels.
    """
    if not {"divergence_triangle", "vae"} <= fid.keys():
        return
    ratio = _ratio(fid, "vae")
    yield f"FID at most 0.5 of the VAE's: {ratio:.2f}, {_met(ratio <= 0.5)}."
    reconstruction = "Reconstruction MSE below the VAE's, on held-out images"
    yield _below_one(reconstruction, mse, "vae")
    for pattern, values in recovery.items():
        yield _below_one(f"Recovery error below the VAE's, {pattern}", values, "vae")
    for pattern in BLOCKS:
        if pattern in recovery:
            yield _below_one(f"Recovery error below ABP's, {pattern}", recovery[pattern], "abp")


def _below_one(target: str, values: Values, other: str) -> str:
    ratio = _ratio(values, other)
    return f"{target}: {ratio:.2f} of it, {_met(ratio < 1)}."


def _ratio(values: Values, other: str) -> float:
    """Returns the triangle's mean value relative to another model's."""
    ours, theirs = values["divergence_triangle"].values, values[other].values
    return statistics.mean(ours) / statistics.mean(theirs)


def _met(is_met: bool) -> str:
    return "met" if is_met else "missed"
