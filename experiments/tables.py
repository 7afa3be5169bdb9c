"""The divergence triangle beside the models it contains: trains all on the same nets, data, steps and seeds, and
writes the paper's tables at this scale.

    python -m experiments.tables --runs=DIR --output=docs/results.md [--data=digits,celeba32] [--seeds=3]

Run again it goes on: a run that is finished is not trained again, a value that was measured not measured again.
"""

import pathlib
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

from absl import flags as absl_flags
from tqdm import tqdm

from experiments import pages, triangle_page
from tfgen.data.masks import PATTERNS
from tfgen.errors import UserError
from trainers.run import checkpoints, commands, experiment
from trainers.run.metrics import Metrics

FLAGFILES = pathlib.Path("trainers/flagfiles")


class Data(NamedTuple):
    """A data set of the tables."""

    title: str
    flagfile: str
    classifier: str
    """The flagfile of the net whose features images are compared by."""
    generated: int
    """Images for FID and its kin."""


DATA = {
    "digits": Data(
        "Embedded digits, 8x8", "divergence_triangle_digits_cpu", "classifier_digits_cpu", 2000
    ),
    "mnist": Data("MNIST, 28x28", "divergence_triangle_mnist_cpu", "classifier_mnist_cpu", 5000),
    "celeba32": Data(
        "4,000 CelebA faces, 32x32",
        "divergence_triangle_celeba32_cpu",
        "classifier_cifar10_cpu",
        2000,
    ),
    "cifar10": Data(
        "CIFAR-10's first batch, 32x32",
        "divergence_triangle_cifar10_cpu",
        "classifier_cifar10_cpu",
        5000,
    ),
}

WHOLE = ("divergence_triangle", "vae", "wake_sleep", "abp")
"""Models trained on whole images."""

INCOMPLETE = ("divergence_triangle", "vae", "abp")
"""Models trained on images with missing pixels."""


class Run(NamedTuple):
    """One training, and what is measured of it."""

    workdir: pathlib.Path
    training: list[str]
    measuring: list[str]
    """Flags of `trainers.evaluate`."""
    metrics: list[str]


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = {"flag_values": values, "module_name": "experiments.tables"}
    absl_flags.DEFINE_string("runs", "runs/tables", "Where all runs are kept.", **where)
    absl_flags.DEFINE_string("output", "docs/results.md", "The page to write.", **where)
    absl_flags.DEFINE_list("data", ["digits"], f"Some of {', '.join(DATA)}.", **where)
    absl_flags.DEFINE_list("patterns", list(PATTERNS), "Of missing pixels.", **where)
    absl_flags.DEFINE_list("seeds", ["0", "1", "2"], "Of the runs on whole images.", **where)
    absl_flags.DEFINE_boolean(
        "train", True, "Whether to train and measure what is missing, or write alone.", **where
    )


def main(values: absl_flags.FlagValues) -> None:
    """Trains, measures, writes."""
    for name in values.data:
        if name not in DATA:
            raise UserError(f"--data: expected some of {', '.join(DATA)} and found {name}")
    runs = pathlib.Path(values.runs)
    plan = {name: list(plan_of(runs, name, values.seeds, values.patterns)) for name in values.data}
    if values.train:
        for name in values.data:
            export_classifier(runs, DATA[name])
        for run in tqdm([run for of_data in plan.values() for run in of_data], unit="run"):
            carry_out(run)
    sections = [
        triangle_page.section(DATA[name], [run.workdir for run in plan[name]])
        for name in values.data
    ]
    command = f"make tables DATA={','.join(values.data)} SEEDS={','.join(values.seeds)}"
    pages.put(pathlib.Path(values.output), "triangle", triangle_page.render(sections, command))
    print(values.output)


def plan_of(runs: pathlib.Path, name: str, seeds: list[str], patterns: list[str]) -> Iterator[Run]:
    """All runs that a data set's tables need."""
    data = DATA[name]
    over_features = ["fid", "kid", "precision_recall"]
    measuring = [f"--{metric}.features={features_of(runs, data)}" for metric in over_features]
    measuring += [f"--{metric}.num_images={data.generated}" for metric in over_features]
    for seed in seeds:
        for model in WHOLE:
            training = [
                f"--flagfile={FLAGFILES / data.flagfile}.flags",
                f"--algorithm={model}",
                f"--seed={seed}",
            ]
            yield Run(
                runs / name / f"{model}-{seed}",
                training,
                measuring,
                [*over_features, "reconstruction"],
            )
    for pattern in patterns:
        for model in INCOMPLETE:
            training = [
                f"--flagfile={FLAGFILES / data.flagfile}.flags",
                f"--algorithm={model}",
                "--test_fraction=0",
            ]
            yield Run(
                runs / name / f"{model}-{pattern}",
                [*training, f"--missing={pattern}"],
                [],
                ["recovery"],
            )


def features_of(runs: pathlib.Path, data: Data) -> pathlib.Path:
    """Where a data set's classifier is exported to."""
    return runs / data.classifier / "saved_model" / "classifier"


def export_classifier(runs: pathlib.Path, data: Data) -> None:
    """Trains, measures and exports the net whose features images are compared by, unless that was done."""
    exported = features_of(runs, data)
    if exported.is_dir():
        return
    workdir = runs / data.classifier / "run"
    call("trainers.main", f"--flagfile={FLAGFILES / data.classifier}.flags", f"--workdir={workdir}")
    call("trainers.evaluate", f"--workdir={workdir}", "--metrics=accuracy")
    call(
        "export.main",
        f"--workdir={workdir}",
        "--formats=saved_model",
        f"--output={runs / data.classifier}",
    )


def carry_out(run: Run) -> None:
    """Trains a run to its end and measures it, as far as that was not done."""
    if not done(run.workdir):
        call("trainers.main", *run.training, f"--workdir={run.workdir}")
    made = {
        row["metric"].partition("/")[0]
        for row in Metrics(run.workdir / "metrics.jsonl").rows("evaluation")
    }
    missing = [metric for metric in run.metrics if metric not in made]
    if missing:
        call(
            "trainers.evaluate",
            f"--workdir={run.workdir}",
            f"--metrics={','.join(missing)}",
            *run.measuring,
        )


def done(workdir: pathlib.Path) -> bool:
    """Whether a run has made all its updates."""
    if not (workdir / "flags.cfg").exists():
        return False
    return experiment.read(workdir).steps in checkpoints.steps(workdir / "checkpoints")


def call(module: str, *flags: str) -> None:
    """Runs a command of the house.

    Raises:
        UserError: if it fails.
    """
    finished = subprocess.run(
        [sys.executable, "-m", module, *flags], capture_output=True, text=True, check=False
    )
    if finished.returncode:
        last = (finished.stderr.strip() or "it said nothing").splitlines()[-1]
        raise UserError(f"python -m {module} {' '.join(flags)} failed: {last}")


if __name__ == "__main__":
    commands.run(main, define, __doc__)
