"""Compares introspective networks with other models of textures.

    python -m experiments.textures [--runs=DIR] [--textures=pebbles,bark] [--output=docs/results.md]

All models are trained on the same pictures, and their samples are compared with these. Run again,
the command resumes. Portilla and Simoncelli's model needs plenoptic, of the extra `peers`.
"""

import math
import pathlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import imageio.v3 as iio
import jinja2
import numpy as np
from absl import flags as absl_flags
from tqdm import tqdm

from experiments import command_flags, pages, portilla_simoncelli, runs
from experiments.runs import FLAGFILES, Run
from tfgen.analysis import pyramid_patches
from tfgen.data import preprocess
from tfgen.errors import UserError
from tfgen.evaluation.sliced_wasserstein import SlicedWasserstein
from tfgen.version import __version__
from trainers.drawings import pictures
from trainers.run import commands
from trainers.run.metrics import Metrics
from trainers.run.trained import restored

ARCHIVE = "image:../shared/data/textures.zip/inn_jlazarow/"
NAMES = ("pebbles", "bark", "bricks", "diamond", "tomatoes", "wall")
TEXTURES = {name: f"{ARCHIVE}{name}.png" for name in NAMES} | {"brick": "textures/brick"}
"""The introspective paper's own pictures, and a grey one that needs no download."""

CROPS = {"pebbles": "0,0,246,246"}
"""What is taken of a picture with a caption, which models would learn too; else all."""

INTROSPECTIVE = "introspective_pebbles_cpu"
MODELS = {
    "INNg": [INTROSPECTIVE],
    "INNg, reduced, b = 3": [INTROSPECTIVE, "--introspective.reduction=3"],
    "INNg-single": [INTROSPECTIVE, "--introspective.reduction=0"],
    "generative ConvNet": ["generative_convnet_pebbles_cpu"],
}
"""The flagfile of each model, and flags that change it."""

PORTILLA_SIMONCELLI = "Portilla-Simoncelli"
NUM_SAMPLES = 2
METRIC = "sliced_wasserstein"

PART = """\
## Textures

Each value is the sliced Wasserstein distance (x 1000) of {{ num_samples }} new samples to the
training picture. It is taken over 7x7 patches of Laplacian pyramids, as the mean of three levels;
lower is nearer. All models see the same picture at 128x128, with one seed. Written by
`{{ command }}` with tfgen {{ version }}.

{{ table }}

`phase noise` has the picture's spectrum and nothing else: it is a base line without objects. A
blank cell was not measured. `INNg` is an [introspective network](algorithms/introspective.md);
its page discusses this table.
{% for sheet in sheets %}
{{ sheet.texture }}: the training picture, then a sample of {{ sheet.models | join("; ") }}.

![{{ sheet.texture }} and {{ sheet.models | length }} samples]({{ sheet.link }})
{% endfor -%}
"""

Plan = dict[tuple[str, str], Run]
"""Runs, by model and texture."""

Distances = dict[tuple[str, str], float]
"""Distances of samples to the training picture, by model and texture."""


class Sheet(NamedTuple):
    """The picture of a texture and of a sample of each model.

    Attributes:
        texture: its name.
        link: to the picture, from the page.
        models: whose samples follow the training picture.
    """

    texture: str
    link: str
    models: list[str]


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = command_flags.place(values, "experiments.textures")
    absl_flags.DEFINE_string("runs", "runs/textures", "Where all runs are kept.", **where)
    absl_flags.DEFINE_string("output", "docs/results.md", "The page to write a part of.", **where)
    absl_flags.DEFINE_list("textures", ["pebbles"], f"Some of {', '.join(TEXTURES)}.", **where)
    text = "Train and measure what is missing; --notrain leaves it out."
    absl_flags.DEFINE_boolean("train", True, text, **where)


def main(values: absl_flags.FlagValues) -> None:
    """Trains, measures and writes the part `textures` of the page."""
    command_flags.require_known("textures", values.textures, TEXTURES)
    root, output = pathlib.Path(values.runs), pathlib.Path(values.output)
    plan: Plan = {}
    for texture in values.textures:
        plan |= {(model, texture): run for model, run in plan_of(root, texture)}
    if values.train:
        for run in tqdm(plan.values(), unit="run"):
            runs.carry_out(run)
    found = {key: measured(run.workdir) for key, run in plan.items()}
    # without --train a model may never have been measured
    plan = {key: run for key, run in plan.items() if found[key]}
    distances: Distances = {key: found[key]["samples"] for key in plan}
    sheets = []
    for texture in values.textures:
        if ("INNg", texture) not in plan:
            raise UserError(
                f"--textures: expected INNg to be measured on {texture}; run without --notrain"
            )
        distances["phase noise", texture] = found["INNg", texture]["phase_noise"]
        picture = training_picture(plan["INNg", texture].workdir)
        samples = _portilla_simoncelli(root, texture, picture, synthesize=values.train)
        if samples is not None:
            distances[PORTILLA_SIMONCELLI, texture] = distance(picture, samples)
        sheets.append(draw(root, texture, output, plan))
    pages.put(output, "textures", render(values, distances, sheets))
    print(output)


def render(values: absl_flags.FlagValues, distances: Distances, sheets: Sequence[Sheet]) -> str:
    """Returns the part of the page, in Markdown.

    Args:
        values: the flags, with `textures` and `train`.
        distances: of every model's samples; a row each, ordered by the first texture.
        sheets: one of each texture.
    """
    command = f"python -m experiments.textures --textures={','.join(values.textures)}"
    if not values.train:
        command += " --notrain"
    first = values.textures[0]
    models = {model for model, _ in distances}
    rows = []
    for model in sorted(models, key=lambda model: distances.get((model, first), math.inf)):
        cells = [_cell(distances.get((model, texture))) for texture in values.textures]
        rows.append([model, *cells])
    return jinja2.Template(PART).render(
        command=command,
        version=__version__,
        num_samples=NUM_SAMPLES,
        table=pages.table(["model", *values.textures], rows),
        sheets=sheets,
    )


def plan_of(root: pathlib.Path, texture: str) -> Iterator[tuple[str, Run]]:
    """Yields each model's name and its run on a texture.

    Args:
        root: where runs are kept.
        texture: a key of `TEXTURES`.
    """
    measuring = [f"--{METRIC}.source=generate", f"--{METRIC}.num_samples={NUM_SAMPLES}"]
    dataset = [f"--dataset={TEXTURES[texture]}", f"--crop={CROPS.get(texture, '')}"]
    for model, (flagfile, *changes) in MODELS.items():
        training = [f"--flagfile={FLAGFILES / flagfile}.flags", *dataset, *changes]
        workdir = root / texture / pages.slug(model)
        yield model, Run(workdir, training=training, measuring=measuring, metrics=[METRIC])


def measured(workdir: pathlib.Path) -> dict[str, float]:
    """Returns the distances that a run's evaluation found, by name; empty if it was not made."""
    found = {}
    for row in Metrics(workdir / "metrics.jsonl").rows("evaluation"):
        metric, _, name = row["metric"].partition("/")
        if metric == METRIC:
            found[name] = row["value"]
    return found


def training_picture(workdir: pathlib.Path) -> np.ndarray:
    """Returns the picture that a run was trained on, float32 [1, h, w, c]."""
    return restored(workdir).images.train.as_float()


def distance(picture: np.ndarray, samples: np.ndarray) -> float:
    """Computes the distance of samples to a picture, as `trainers.evaluate` does by default.

    Args:
        picture: float32 [1, h, w, c].
        samples: float32 [n, h, w, c].

    Returns:
        The mean over levels of the sliced Wasserstein distance, x 1000.
    """
    levels = pyramid_patches.sliced_wasserstein(
        picture,
        samples,
        levels=SlicedWasserstein.levels,
        count=SlicedWasserstein.patches,
        projections=SlicedWasserstein.projections,
        seed=SlicedWasserstein.seed,
    )
    return float(np.mean(levels))


def draw(root: pathlib.Path, texture: str, page: pathlib.Path, plan: Plan) -> Sheet:
    """Draws the picture and a sample of each model in one sheet.

    Args:
        root: where runs are kept.
        texture: a key of `TEXTURES`.
        page: the page whose picture the sheet is.
        plan: the runs that were measured.
    """
    workdirs = {model: plan[model, texture].workdir for model in MODELS if (model, texture) in plan}
    picture = training_picture(workdirs["INNg"])
    shown = [picture[0], *(_sample(workdir, picture.shape) for workdir in workdirs.values())]
    models = list(workdirs)
    samples = _portilla_simoncelli(root, texture, picture, synthesize=False)
    if samples is not None:
        shown.append(samples[0])
        models.append(PORTILLA_SIMONCELLI)
    path, link = pages.picture(page, f"textures_{texture}.png")
    pictures.save(path, pictures.grid(np.stack(shown), columns=3))
    return Sheet(texture, link, models)


def _sample(workdir: pathlib.Path, shape: tuple[int, ...]) -> np.ndarray:
    """Returns a run's sample of the picture's shape, which is made once and kept."""
    path = workdir / "sample.png"
    if not path.exists():
        size = ",".join(map(str, shape[1:3]))
        asked = ["--task=synthesize", "--count=1", f"--size={size}", f"--output={path}"]
        runs.call("trainers.sample", f"--workdir={workdir}", *asked)
    return preprocess.to_unit(iio.imread(path)).reshape(shape[1:])


def _portilla_simoncelli(
    root: pathlib.Path, texture: str, picture: np.ndarray, synthesize: bool
) -> np.ndarray | None:
    kept = root / texture / "portilla_simoncelli.npz"
    return portilla_simoncelli.samples(kept, picture, count=NUM_SAMPLES, synthesize=synthesize)


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


if __name__ == "__main__":
    commands.run(main, define, __doc__)
