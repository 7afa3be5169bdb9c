"""Measures models of dynamic textures beside held-out time, a linear system and other controls.

    python -m experiments.dynamic_textures --films=FILMS.npz [--names=fire,flag]
        [--runs=DIR] [--output=docs/results.md]

FILMS.npz holds a film [t, h, w, c] a name. Run again, the command resumes.
"""

import pathlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import jinja2
import numpy as np
from absl import flags as absl_flags

from experiments import command_flags, pages, runs
from experiments.runs import FLAGFILES, Run
from tfgen.data import npz
from tfgen.errors import UserError
from tfgen.evaluation.dynamics import Dynamics, some
from tfgen.version import __version__
from trainers.drawings import pictures
from trainers.run import commands
from trainers.run.metrics import Metrics
from trainers.run.trained import restored

MODELS = {
    "divergence triangle": "divergence_triangle_dynamic_cpu",
    "generative ConvNet": "generative_convnet_dynamic_cpu",
}
"""The flagfile of each model."""

METRIC = "dynamics"
CONTROLS = {
    "linear_system": "linear dynamic system",
    "training": "training clips",
    "shuffled": "training clips, shuffled",
}
VALUES = ("motion", "temporal", "spatial", "mean", "spread", "novelty")
UPDATES = "updates"
"""The name under which `measured` keeps how many updates a run had made."""

SHOWN = 2
"""Samples of each model in a film's picture."""

PART = """\
## Dynamic textures

Each row compares clips of 16 frames of 32x32 with the last quarter of the same film, which no
model has seen. Pixels are in [-1, 1]. One seed; 16 new clips a model. Written by
`{{ command }}` with tfgen {{ version }}.

| value | meaning |
|---|---|
| `motion` | ratio of mean square frame differences: 1 is as much motion, 0 is frozen |
| `temporal` | mean absolute difference of log power spectra of frame differences over time |
| `spatial` | mean absolute difference of log power spectra of frames over space |
| `mean` | root mean square difference of the mean frames |
| `spread` | root mean square difference of each pixel's standard deviation over time |
| `novelty` | root mean square distance to the nearest training clip: 0 is a copy |

`temporal`, `spatial`, `mean` and `spread` are 0 where clips are alike. The training clips show how
near a part of the film comes to another.
{% for film in films %}
### {{ film.name }}

{{ film.table }}

![{{ film.columns | join(", ") }}]({{ film.link }})

From left to right: {{ film.columns | join("; ") }}.
{% endfor -%}
"""

Measured = dict[str, float]
"""Values by name, such as `samples_motion`."""


class Film(NamedTuple):
    """What the page says of a film."""

    name: str
    table: str
    columns: list[str]
    link: str


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = command_flags.place(values, "experiments.dynamic_textures")
    absl_flags.DEFINE_string("films", None, "The .npz of films.", **where)
    absl_flags.DEFINE_list("names", [], "Films to take; all by default.", **where)
    absl_flags.DEFINE_string("runs", "runs/dynamic", "Where all runs are kept.", **where)
    absl_flags.DEFINE_string("output", "docs/results.md", "The page to write a part of.", **where)
    text = "Train and measure what is missing; --notrain leaves it out."
    absl_flags.DEFINE_boolean("train", True, text, **where)


def main(values: absl_flags.FlagValues) -> None:
    """Trains, measures and writes the part `dynamics` of the page."""
    if values.films is None:
        raise UserError("--films: expected an .npz of films and found none")
    films, output = pathlib.Path(values.films), pathlib.Path(values.output)
    known = npz.names("--films", films)
    command_flags.require_known("names", values.names, known)
    shown = []
    for name in values.names or known:
        plan = dict(plan_of(pathlib.Path(values.runs), films, name))
        if values.train:
            for run in plan.values():
                runs.carry_out(run)
        found = {model: measured(run.workdir) for model, run in plan.items()}
        # without --train a model may never have been measured
        plan = {model: run for model, run in plan.items() if found[model]}
        if not plan:
            raise UserError(f"--names: expected {name} to be measured; run without --notrain")
        shown.append(draw(name, plan, found, output))
    pages.put(output, METRIC, render(values, shown))
    print(output)


def plan_of(root: pathlib.Path, films: pathlib.Path, name: str) -> Iterator[tuple[str, Run]]:
    """Yields each model's name and its run on a film."""
    for model, recipe in MODELS.items():
        training = [f"--flagfile={FLAGFILES / recipe}.flags", f"--dataset=video:{films}/{name}"]
        workdir = root / f"{pages.slug(model)}_{pages.slug(name)}"
        yield model, Run(workdir, training=training, measuring=[], metrics=[METRIC])


def measured(workdir: pathlib.Path) -> Measured:
    """Returns what a run's evaluation found, by name; empty if it was not made."""
    found: Measured = {}
    for row in Metrics(workdir / "metrics.jsonl").rows("evaluation"):
        metric, _, name = row["metric"].partition("/")
        if metric == METRIC:
            found |= {name: row["value"], UPDATES: row["step"]}
    return found


def draw(name: str, plan: dict[str, Run], found: dict[str, Measured], page: pathlib.Path) -> Film:
    """Draws a film of held-out frames, new clips and the linear system's, and makes the table.

    Args:
        name: of the film.
        plan: the runs that were measured, by model.
        found: what was measured, by model.
        page: beside which pictures are kept.
    """
    columns, system = ["held-out time"], np.empty(0)
    clips: list[np.ndarray] = []
    for model, run in plan.items():
        trained = restored(run.workdir)
        if not clips:
            clips.append(trained.images.test.shown(1))
        made = Dynamics(trained.model, trained.images).clips(some(trained.images.train.shown()))
        clips.append(made["samples"][:SHOWN])
        columns.append(f"{min(SHOWN, len(made['samples']))} of the {model}")
        system = made["linear_system"][:1]
    columns.append("one of the linear dynamic system")
    path, link = pages.picture(page, f"dynamic_{pages.slug(name)}.gif")
    sheet = np.concatenate([*clips, system])
    pictures.save(path, pictures.grid(sheet, columns=len(sheet)))
    return Film(name, table(found), columns, link)


def table(found: dict[str, Measured]) -> str:
    """Returns the table of a film: models, then controls.

    Args:
        found: what was measured, by model; controls are the same for all.
    """
    rows = [
        [f"{model}, {values[UPDATES]:.0f} updates", *_cells(values, "samples")]
        for model, values in found.items()
        if values
    ]
    first = next(values for values in found.values() if values)
    rows += [[title, *_cells(first, control)] for control, title in CONTROLS.items()]
    return pages.table(["clips", *VALUES], rows)


def render(values: absl_flags.FlagValues, films: Sequence[Film]) -> str:
    """Returns the part of the page, in Markdown.

    Args:
        values: the flags, with `names` and `train`.
        films: what was found of each.
    """
    command = "python -m experiments.dynamic_textures --films=FILMS.npz"
    if values.names:
        command += f" --names={','.join(values.names)}"
    if not values.train:
        command += " --notrain"
    return jinja2.Template(PART).render(command=command, version=__version__, films=films)


def _cells(values: Measured, source: str) -> list[str]:
    return [f"{values[f'{source}_{value}']:.2f}" for value in VALUES]


if __name__ == "__main__":
    commands.run(main, define, __doc__)
