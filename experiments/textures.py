"""Introspective networks beside other models of textures: trains all on the same pictures and compares their samples.

    python -m experiments.textures --runs=DIR --output=docs/results.md [--textures=pebbles,bark]

Run again it goes on. Portilla and Simoncelli's model is plenoptic's, which the extra `peers` brings.
"""

import importlib.util
import math
import pathlib
from collections.abc import Iterator
from typing import NamedTuple

import imageio.v3 as iio
import jinja2
import numpy as np
import tensorflow as tf
from absl import flags as absl_flags
from sklearn.decomposition import PCA
from tqdm import tqdm

from experiments import pages
from experiments.tables import FLAGFILES, Run, call, carry_out
from tfgen import files
from tfgen.data import examples, preprocess
from tfgen.errors import UserError
from tfgen.evaluation.sliced_wasserstein import SlicedWasserstein
from tfgen.types import Endpoint
from tfgen.version import __version__
from trainers.drawings import pictures
from trainers.run import commands, experiment
from trainers.run.metrics import Metrics

ARCHIVE = "image:../shared/data/textures.zip/inn_jlazarow/"
TEXTURES = {
    name: f"{ARCHIVE}{name}.png"
    for name in ("pebbles", "bark", "bricks", "diamond", "tomatoes", "wall")
}
TEXTURES["brick"] = "textures/brick"
"""The introspective paper's own pictures, and a grey one that needs no download."""

INTROSPECTIVE = "introspective_pebbles_cpu"
MODELS = {
    "INNg": [INTROSPECTIVE],
    "INNg, reduced, b = 3": [INTROSPECTIVE, "--introspective.reduction=3"],
    "INNg-single": [INTROSPECTIVE, "--introspective.reduction=0"],
    "generative ConvNet": ["generative_convnet_pebbles_cpu"],
}
"""A flagfile each, and what is changed of it."""

PORTILLA_SIMONCELLI = "Portilla-Simoncelli"
NUM_SAMPLES = 2
METRIC = "sliced_wasserstein"

PART = """\
# Textures

Sliced Wasserstein distance (x 1000) over 7x7 patches of Laplacian pyramids, mean of three levels, of {{ num_samples }}
new samples to the training picture; small is near. One seed; all models see the same picture at 128x128. Written by
`{{ command }}` with tfgen {{ version }}.

| | {{ textures | join(" | ") }} |
|---|{{ "---|" * (textures | length) }}
{% for name, cells in rows -%}
| {{ name }} | {{ cells | join(" | ") }} |
{% endfor %}
`phase noise` has the picture's spectrum and nothing else. What is blank was not measured.
{% for texture, (path, shown) in sheets.items() %}
{{ texture }}: the picture, then a sample of {{ shown | join("; ") }}.

![]({{ path }})
{% endfor -%}
"""


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = {"flag_values": values, "module_name": "experiments.textures"}
    absl_flags.DEFINE_string("runs", "runs/textures", "Where all runs are kept.", **where)
    absl_flags.DEFINE_string("output", "docs/results.md", "The page to write a part of.", **where)
    absl_flags.DEFINE_list("textures", ["pebbles"], f"Some of {', '.join(TEXTURES)}.", **where)
    absl_flags.DEFINE_boolean(
        "train", True, "Whether to train and measure what is missing, or leave it out.", **where
    )


def main(values: absl_flags.FlagValues) -> None:
    """Trains, measures, writes."""
    for name in values.textures:
        if name not in TEXTURES:
            raise UserError(f"--textures: expected some of {', '.join(TEXTURES)} and found {name}")
    runs, output = pathlib.Path(values.runs), pathlib.Path(values.output)
    plan = {
        (model, texture): run
        for texture in values.textures
        for model, run in plan_of(runs, texture)
    }
    if values.train:
        for run in tqdm(plan.values(), unit="run"):
            carry_out(run)
    found = {key: measured(run.workdir) for key, run in plan.items()}
    plan = {key: run for key, run in plan.items() if found[key]}
    for texture in values.textures:
        if ("INNg", texture) not in plan:
            raise UserError(
                f"--textures: expected INNg to be measured on {texture}; run without --notrain"
            )
    distances = {key: found[key]["samples"] for key in plan}
    for texture in values.textures:
        picture = training_picture(plan["INNg", texture].workdir)
        samples = portilla_simoncelli(
            runs / texture / "portilla_simoncelli.npz", picture, values.train
        )
        if samples is not None:
            distances[PORTILLA_SIMONCELLI, texture] = distance(picture, samples)
        distances["phase noise", texture] = found["INNg", texture]["phase_noise"]
    models = sorted(
        {model for model, _ in distances},
        key=lambda m: distances.get((m, values.textures[0]), math.inf),
    )
    command = f"python -m experiments.textures --textures={','.join(values.textures)}"
    command += "" if values.train else " --notrain"
    part = jinja2.Template(PART).render(
        command=command,
        version=__version__,
        num_samples=NUM_SAMPLES,
        textures=values.textures,
        rows=[
            (m, [_cell(distances.get((m, texture))) for texture in values.textures]) for m in models
        ],
        sheets={texture: draw(runs, texture, output.parent, plan) for texture in values.textures},
    )
    pages.put(output, "textures", part)
    print(output)


def plan_of(runs: pathlib.Path, texture: str) -> Iterator[tuple[str, Run]]:
    """All runs of a texture, by model."""
    measuring = [f"--{METRIC}.source=generate", f"--{METRIC}.num_samples={NUM_SAMPLES}"]
    for model, (flagfile, *changes) in MODELS.items():
        training = [
            f"--flagfile={FLAGFILES / flagfile}.flags",
            f"--dataset={TEXTURES[texture]}",
            *changes,
        ]
        slug = "".join(c if c.isalnum() else "_" for c in model.lower())
        yield model, Run(runs / texture / slug, training, measuring, [METRIC])


def measured(workdir: pathlib.Path) -> dict[str, float]:
    """What the distance's evaluation yielded, by name; nothing if it was not made."""
    rows = Metrics(workdir / "metrics.jsonl").rows("evaluation")
    return {
        row["metric"].partition("/")[2]: row["value"]
        for row in rows
        if row["metric"].startswith(f"{METRIC}/")
    }


def training_picture(workdir: pathlib.Path) -> np.ndarray:
    """What a run was trained on, [1, h, w, c]."""
    return experiment.load_images(experiment.read(workdir)).train.whole()


def distance(picture: np.ndarray, samples: np.ndarray) -> float:
    """The mean over levels, by the protocol of `trainers.evaluate`."""
    whole = examples.Examples(picture)
    evaluator = SlicedWasserstein(
        _Samples(samples), examples.Images(whole, whole, whole.shape, 1), source="chains"
    )
    return next(value for name, value in evaluator.run() if name == "samples")


class _Samples(NamedTuple):
    """Samples that no algorithm of ours made, in the place of one."""

    image: np.ndarray

    def endpoints(self):
        """What the evaluation asks for."""
        return {"chains": Endpoint(lambda: {"image": tf.constant(self.image)}, [])}


def portilla_simoncelli(
    kept: pathlib.Path, picture: np.ndarray, synthesize: bool
) -> np.ndarray | None:
    """Samples of Portilla and Simoncelli's model, or None where plenoptic is not installed.

    The model is of grey pictures: the picture's principal colours, which are uncorrelated, are synthesized apart.

    Args:
        kept: where samples are kept.
        picture: [1, h, w, c].
        synthesize: whether to make samples if there are none.

    Source: Portilla and Simoncelli, A parametric texture model based on joint statistics, 2000.
    """
    if not kept.exists() and synthesize and importlib.util.find_spec("plenoptic"):
        with files.written_aside(kept) as aside, aside.open("wb") as file:
            np.savez(
                file, image=np.concatenate([_metamer(picture, seed) for seed in range(NUM_SAMPLES)])
            )
    return np.load(kept)["image"] if kept.exists() else None


def _metamer(picture: np.ndarray, seed: int) -> np.ndarray:
    import plenoptic
    import torch

    colours = PCA(picture.shape[-1]).fit(picture.reshape(-1, picture.shape[-1]))
    planes = colours.transform(picture.reshape(-1, picture.shape[-1])).T.reshape(
        -1, 1, 1, *picture.shape[1:3]
    )
    torch.manual_seed(seed)
    found = []
    for plane in torch.tensor(planes, dtype=torch.float32):
        low, high = plane.min(), plane.max()
        unit = (plane - low) / (high - low)
        model = plenoptic.models.PortillaSimoncelli(unit.shape[-2:]).to(torch.float32)
        metamer = plenoptic.MetamerCTF(unit, model, loss_function=plenoptic.loss.l2_norm)
        metamer.setup((torch.rand_like(unit) - 0.5) * 0.1 + unit.mean())
        metamer.synthesize(
            max_iter=300, stop_criterion=1e-9, change_scale_criterion=None, ctf_iters_to_check=7
        )
        found.append((metamer.metamer.detach() * (high - low) + low).numpy().ravel())
    pixels = colours.inverse_transform(np.stack(found, axis=1))
    return np.clip(pixels, -1, 1).reshape(picture.shape).astype(np.float32)


def draw(
    runs: pathlib.Path, texture: str, docs: pathlib.Path, plan: dict[tuple[str, str], Run]
) -> tuple[str, list[str]]:
    """A sheet: the picture, and a sample of each model.

    Returns:
        Its name beside the page, and the models on it.
    """
    workdirs = {model: plan[model, texture].workdir for model in MODELS if (model, texture) in plan}
    picture = training_picture(workdirs["INNg"])
    shown = [picture[0]]
    for workdir in workdirs.values():
        sample = workdir / "sample.png"
        if not sample.exists():
            size = ",".join(map(str, picture.shape[1:3]))
            asked = ["--task=synthesize", "--count=1", f"--size={size}", f"--output={sample}"]
            call("trainers.sample", f"--workdir={workdir}", *asked)
        shown.append(preprocess.to_unit(iio.imread(sample)).reshape(picture.shape[1:]))
    samples = portilla_simoncelli(
        runs / texture / "portilla_simoncelli.npz", picture, synthesize=False
    )
    shown += [] if samples is None else [samples[0]]
    name = f"textures_{texture}.png"
    pictures.save(docs / name, pictures.grid(np.stack(shown), columns=3))
    return name, [*workdirs, *([] if samples is None else [PORTILLA_SIMONCELLI])]


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


if __name__ == "__main__":
    commands.run(main, define, __doc__)
