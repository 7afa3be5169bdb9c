"""Compares the features of introspective networks and DCGAN by linear SVMs, beside controls.

    python -m experiments.features [--runs=DIR] [--data=digits] [--seeds=0,1,2] [--output=PAGE]

DCGAN makes as many updates as the introspective network made. Run again, the command resumes:
finished runs are not trained again, and what was measured is not measured again.
"""

import pathlib
import zlib
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from absl import flags as absl_flags
from tqdm import tqdm

from experiments import command_flags, feature_table, pages, runs
from experiments.feature_table import DCGAN, INNG, PIXELS, SUPERVISED, UNTRAINED, Measured
from experiments.runs import FLAGFILES, Run
from tfgen import files
from tfgen.data.examples import Images
from tfgen.errors import UserError
from tfgen.evaluation.linear_svm import LinearSVM
from tfgen.models import Model, inputs, task
from tfgen.types import Image
from trainers.run import commands
from trainers.run.trained import restored

KEPT = "feature_errors.npz"


class Data(NamedTuple):
    """A data set of the table.

    Attributes:
        title: its heading on the page.
        changes: flags of all its runs, beside those of the recipes.
        labels: training images of a draw.
        validation: training images set aside for the choice of C.
    """

    title: str
    changes: list[str]
    labels: int
    validation: int


DATA = {
    "digits": Data("Embedded digits, 8x8", ["--test_fraction=0.3"], 600, 200),
    "mnist": Data("MNIST, 28x28", [], 1000, 10_000),
    "cifar10": Data("CIFAR-10's first batch, 32x32", [], 1000, 2000),
}

STILL = ["--discriminator.learning_rate=0", "--generator.learning_rate=0", "--steps=200"]
"""Flags of a training that only collects the running statistics of batch normalization."""

RECIPES = {INNG: "introspective", DCGAN: "dcgan", UNTRAINED: "dcgan", SUPERVISED: "classifier"}
"""The first word of the flagfile of each model that is trained, in the order of training."""


class Pixels(Model):
    """A model whose features are the pixels.

    Args:
        image_shape: height, width, channels.
    """

    def __init__(self, image_shape: tuple[int, ...]):
        super().__init__({}, image_shape=image_shape)

    def inputs(self) -> dict[str, inputs.Input]:
        height, width, channels = self.image_shape
        return {"image": inputs.image((height, width, channels))}

    @task("features")
    def features(self, image: Image) -> tf.Tensor:
        """Flattens images, [b, h w c]."""
        return tf.reshape(image, [-1, int(np.prod(self.image_shape))])


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = command_flags.place(values, "experiments.features")
    absl_flags.DEFINE_string("runs", "runs/features", "Where all runs are kept.", **where)
    absl_flags.DEFINE_string("output", "docs/results.md", "The page to write a part of.", **where)
    absl_flags.DEFINE_list("data", ["digits"], f"Some of {', '.join(DATA)}.", **where)
    absl_flags.DEFINE_list("seeds", ["0", "1", "2"], "Seeds of runs and of draws.", **where)
    absl_flags.DEFINE_integer("draws", 100, "SVMs a model and seed.", lower_bound=2, **where)
    text = "Train and measure what is missing; --notrain only writes the page."
    absl_flags.DEFINE_boolean("train", True, text, **where)


def main(values: absl_flags.FlagValues) -> None:
    """Trains, measures and writes the part `features` of the page."""
    command_flags.require_known("data", values.data, DATA)
    root, sections = pathlib.Path(values.runs), []
    if values.train:
        for seed in tqdm(values.seeds, unit="seed"):
            for name in values.data:
                carry_out(root, name, seed, values.draws)
    for name in values.data:
        found = {
            model: [kept for kept in _all_kept(root, name, model, values.seeds) if kept]
            for model in feature_table.MODELS
        }
        if not any(found.values()):
            raise UserError(f"--runs: expected measurements of {name} under {root} and found none")
        sections.append(feature_table.section(DATA[name].title, found))
    asked = [f"--data={','.join(values.data)}", f"--seeds={','.join(values.seeds)}"]
    command = " ".join(["python -m experiments.features", *asked, f"--draws={values.draws}"])
    pages.put(pathlib.Path(values.output), "features", feature_table.render(sections, command))
    print(values.output)


def carry_out(root: pathlib.Path, name: str, seed: str, draws: int) -> None:
    """Trains and measures all models of a data set and a seed, as far as that was not done."""
    data, number, updates = DATA[name], int(seed), None
    for model in RECIPES:
        run = run_of(root, name, model, seed, updates)
        runs.carry_out(run)
        trained = restored(run.workdir)
        if model == INNG:
            updates = trained.step
            place, pixels = place_of(root, name, PIXELS, seed), Pixels(trained.model.image_shape)
            measure(place, pixels, trained.images, data, number, draws)
        measure(run.workdir, trained.model, trained.images, data, number, draws)


def run_of(root: pathlib.Path, name: str, model: str, seed: str, updates: int | None = None) -> Run:
    """Returns the run of a model on a data set.

    Args:
        root: where runs are kept.
        name: a key of `DATA`.
        model: a key of `RECIPES`.
        seed: of the run.
        updates: those that the introspective network made, which DCGAN makes too.
    """
    training = [f"--flagfile={FLAGFILES / f'{RECIPES[model]}_{name}_cpu'}.flags"]
    training += [*DATA[name].changes, f"--seed={seed}"]
    if model == DCGAN:
        training.append(f"--steps={updates}")
    if model == UNTRAINED:
        training += STILL
    workdir = place_of(root, name, model, seed)
    return Run(workdir, training=training, measuring=[], metrics=[])


def place_of(root: pathlib.Path, name: str, model: str, seed: str) -> pathlib.Path:
    """Returns the directory of a model's run, or of its measurement alone."""
    return root / name / f"{pages.slug(model)}-{seed}"


def measure(
    place: pathlib.Path, model: Model, images: Images, data: Data, seed: int, draws: int
) -> None:
    """Measures a model's features and keeps what each test image's error is, unless it is kept."""
    kept = read(place)
    if kept is not None and (kept.updates, kept.draws) == (model.updates, draws):
        return
    svm = LinearSVM(
        model, images, seed=seed, labels=data.labels, validation=data.validation, draws=draws
    )
    wrong, _ = svm.misled()
    place.mkdir(parents=True, exist_ok=True)
    with files.written_aside(place / KEPT) as aside, aside.open("wb") as stream:
        np.savez(
            stream,
            misled=wrong.mean(axis=0),
            updates=model.updates,
            draws=draws,
            images=zlib.crc32(np.ascontiguousarray(images.test.shown()).tobytes()),
        )


def read(place: pathlib.Path) -> Measured | None:
    """Returns what was measured in a directory; None if nothing was."""
    path = place / KEPT
    if not path.exists():
        return None
    with np.load(path) as kept:
        facts = {name: int(kept[name]) for name in ("updates", "draws", "images")}
        return Measured(kept["misled"], **facts)


def _all_kept(root: pathlib.Path, name: str, model: str, seeds: list[str]) -> list[Measured | None]:
    return [read(place_of(root, name, model, seed)) for seed in seeds]


if __name__ == "__main__":
    commands.run(main, define, __doc__)
