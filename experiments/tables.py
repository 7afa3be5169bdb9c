"""Compares the divergence triangle with the models it contains, and writes the paper's tables.

    python -m experiments.tables [--runs=DIR] [--data=digits,mnist] [--seeds=0,1] [--output=PAGE]

All models are trained on the same nets, data, steps and seeds, at a scale that two CPU cores reach.
Run again, the command resumes: finished runs are not trained again, and what was measured is not
measured again.
"""

import pathlib
from collections.abc import Iterator
from typing import NamedTuple

from absl import flags as absl_flags
from tqdm import tqdm

from experiments import command_flags, pages, runs, triangle_page
from experiments.runs import FLAGFILES, Run
from tfgen.data.masks import PATTERNS
from trainers.run import commands


class Data(NamedTuple):
    """A data set of the tables.

    Attributes:
        title: its heading on the page.
        flagfile: the recipe of its runs.
        classifier: the recipe of the classifier whose features FID, KID, precision and recall use.
        generated: how many images these measurements generate.
    """

    title: str
    flagfile: str
    classifier: str
    generated: int


DATA = {
    "digits": Data(
        title="Embedded digits, 8x8",
        flagfile="divergence_triangle_digits_cpu",
        classifier="classifier_digits_cpu",
        generated=2000,
    ),
    "mnist": Data(
        title="MNIST, 28x28",
        flagfile="divergence_triangle_mnist_cpu",
        classifier="classifier_mnist_cpu",
        generated=5000,
    ),
    "celeba32": Data(
        title="4,000 CelebA faces, 32x32",
        flagfile="divergence_triangle_celeba32_cpu",
        classifier="classifier_cifar10_cpu",
        generated=2000,
    ),
    "cifar10": Data(
        title="CIFAR-10's first batch, 32x32",
        flagfile="divergence_triangle_cifar10_cpu",
        classifier="classifier_cifar10_cpu",
        generated=5000,
    ),
}

WHOLE = ("divergence_triangle", "vae", "wake_sleep", "abp")
"""Models trained on whole images."""

INCOMPLETE = ("divergence_triangle", "vae", "abp")
"""Models trained on images with missing pixels."""

ON_FEATURES = ("fid", "kid", "precision_recall")
"""Measurements that compare features of images."""


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = command_flags.place(values, "experiments.tables")
    absl_flags.DEFINE_string("runs", "runs/tables", "Where all runs are kept.", **where)
    absl_flags.DEFINE_string("output", "docs/results.md", "The page to write.", **where)
    absl_flags.DEFINE_list("data", ["digits"], f"Some of {', '.join(DATA)}.", **where)
    absl_flags.DEFINE_list("patterns", list(PATTERNS), "Patterns of missing pixels.", **where)
    absl_flags.DEFINE_list("seeds", ["0", "1", "2"], "Seeds of runs on whole images.", **where)
    text = "Train and measure what is missing; --notrain only writes the page."
    absl_flags.DEFINE_boolean("train", True, text, **where)


def main(values: absl_flags.FlagValues) -> None:
    """Trains, measures and writes the part `triangle` of the page."""
    command_flags.require_known("data", values.data, DATA)
    root = pathlib.Path(values.runs)
    plan = {name: list(plan_of(root, name, values.seeds, values.patterns)) for name in values.data}
    if values.train:
        # measurements of the runs need the classifiers' features
        for name in values.data:
            export_classifier(root, DATA[name])
        for run in tqdm([run for of_data in plan.values() for run in of_data], unit="run"):
            runs.carry_out(run)
    sections = []
    for name in values.data:
        workdirs = [run.workdir for run in plan[name]]
        sections.append(triangle_page.section(DATA[name], workdirs))
    command = f"make tables DATA={','.join(values.data)} SEEDS={','.join(values.seeds)}"
    pages.put(pathlib.Path(values.output), "triangle", triangle_page.render(sections, command))
    print(values.output)


def plan_of(root: pathlib.Path, name: str, seeds: list[str], patterns: list[str]) -> Iterator[Run]:
    """Yields all runs that the tables of a data set need.

    Args:
        root: where runs are kept.
        name: of the data set, a key of `DATA`.
        seeds: of the runs on whole images.
        patterns: of missing pixels; a run of each.
    """
    data = DATA[name]
    flagfile = f"--flagfile={FLAGFILES / data.flagfile}.flags"
    measuring = [f"--{metric}.features={features_of(root, data)}" for metric in ON_FEATURES]
    measuring += [f"--{metric}.num_images={data.generated}" for metric in ON_FEATURES]
    for seed in seeds:
        for model in WHOLE:
            workdir = root / name / f"{model}-{seed}"
            training = [flagfile, f"--algorithm={model}", f"--seed={seed}"]
            metrics = [*ON_FEATURES, "reconstruction"]
            yield Run(workdir, training=training, measuring=measuring, metrics=metrics)
    for pattern in patterns:
        for model in INCOMPLETE:
            workdir = root / name / f"{model}-{pattern}"
            # recovery is measured on the training images, so none are held out
            missing = [f"--missing={pattern}", "--test_fraction=0"]
            training = [flagfile, f"--algorithm={model}", *missing]
            yield Run(workdir, training=training, measuring=[], metrics=["recovery"])


def features_of(root: pathlib.Path, data: Data) -> pathlib.Path:
    """Returns where the classifier of a data set is exported to."""
    return root / data.classifier / "saved_model" / "classifier"


def export_classifier(root: pathlib.Path, data: Data) -> None:
    """Trains, measures and exports the classifier of a data set, unless that was done."""
    if features_of(root, data).is_dir():
        return
    output = root / data.classifier
    workdir = f"--workdir={output / 'run'}"
    runs.call("trainers.main", f"--flagfile={FLAGFILES / data.classifier}.flags", workdir)
    runs.call("trainers.evaluate", workdir, "--metrics=accuracy")
    runs.call("export.main", workdir, "--formats=saved_model", f"--output={output}")


if __name__ == "__main__":
    commands.run(main, define, __doc__)
