"""The runs of the tables: data sets, models, the nets that they share, and two budgets."""

import pathlib
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from experiments.runs import FLAGFILES, Run
from trainers.run import identity
from trainers.run.metrics import Metrics


class Data(NamedTuple):
    """A data set of the tables.

    Attributes:
        title: its heading on the page.
        flagfile: the recipe of its runs.
        classifier: the recipe of the classifier whose features FID, KID, precision and recall use.
        generated: how many images these measurements generate.
        classified: the data set of the classifier, where it is not the recipe's.
        flags: of single models, by name, beyond those of the recipe.
    """

    title: str
    flagfile: str
    classifier: str
    generated: int
    classified: str | None = None
    flags: Mapping[str, Sequence[str]] = {}


DATA = {
    "digits": Data(
        title="Embedded digits, 8x8",
        flagfile="divergence_triangle_digits_cpu",
        classifier="classifier_digits_cpu",
        generated=2000,
    ),
    "mnist5k": Data(
        title="5,000 embedded digits of MNIST, 28x28",
        flagfile="divergence_triangle_mnist5k_cpu",
        classifier="classifier_mnist_cpu",
        generated=2000,
        classified="mnist5k",
        flags={"cegan": ["--cegan.entropy_weight=0.03"]},
    ),
    "mnist": Data(
        title="MNIST, 28x28",
        flagfile="divergence_triangle_mnist_cpu",
        classifier="classifier_mnist_cpu",
        generated=5000,
        flags={"cegan": ["--cegan.entropy_weight=0.03"]},
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

WITH_SIGMA = ("divergence_triangle", "vae", "wake_sleep", "abp", "alice", "coopnets")
"""Models with a p(x|z), whose deviation chooses between samples and reconstructions."""

INFERRING = (*WITH_SIGMA, "ali", "cegan", "acd")
"""Models that reconstruct images."""

WHOLE = (*INFERRING, "dcgan", "wgan")
"""Models trained on whole images."""

INCOMPLETE = ("divergence_triangle", "vae", "abp")
"""Models trained on images with missing pixels."""

ON_FEATURES = ("fid", "kid", "precision_recall")
"""Measurements that compare features of images."""

OTHER_ROLES = {
    "dcgan": "discriminator",
    "ali": "joint_discriminator",
    "alice": "joint_discriminator",
}
"""Roles of models that have no energy; their nets have the energy's layers, rates and averages."""

LIKE_ENERGY = (
    "width",
    "hidden",
    "learning_rate",
    "beta_1",
    "constant_fraction",
    "clip_norm",
    "ema",
)
"""Flags of the energy that such a role takes over."""

FLAGS = {
    "wgan": ["--wgan.critic_steps=2"],
    "coopnets": ["--coopnets.temperature=0.01", "--coopnets.step_size=0.1"],
}
"""Flags of single models on all data."""


def plan_of(
    root: pathlib.Path,
    name: str,
    seeds: Sequence[str],
    patterns: Sequence[str],
    *,
    models: Sequence[str] = WHOLE,
    sigmas: Sequence[str] = (),
    steps: int | None = None,
) -> Iterator[Run]:
    """Yields all runs of equal updates that the tables of a data set need.

    Args:
        root: where runs are kept.
        name: of the data set, a key of `DATA`.
        seeds: of the runs on whole images.
        patterns: of missing pixels; a run of each model that learns from such images.
        models: trained on whole images.
        sigmas: further values of σ, of the models that have one.
        steps: updates; None takes the recipe's.
    """
    data = DATA[name]
    shared = [f"--flagfile={FLAGFILES / data.flagfile}.flags"]
    shared += [] if steps is None else [f"--steps={steps}"]
    measuring = [f"--{metric}.features={features_of(root, data)}" for metric in ON_FEATURES]
    measuring += [f"--{metric}.num_images={data.generated}" for metric in ON_FEATURES]
    for seed in seeds:
        for model in models:
            metrics = [*ON_FEATURES, *(["reconstruction"] if model in INFERRING else [])]
            own = [*shared, *flags_of(model, data), f"--seed={seed}"]
            for sigma in [None, *(sigmas if model in WITH_SIGMA else ())]:
                deviation = [] if sigma is None else [f"--{model}.sigma={sigma}"]
                label = model if sigma is None else f"{model}@{sigma}"
                workdir = root / name / f"{label}-{seed}"
                training = [*own, *deviation]
                yield Run(workdir, training=training, measuring=measuring, metrics=metrics)
    for pattern in patterns:
        for model in INCOMPLETE:
            workdir = root / name / f"{model}-{pattern}"
            # recovery is measured on the training images, so none are held out
            missing = [f"--missing={pattern}", "--test_fraction=0"]
            training = [*shared, f"--algorithm={model}", *missing]
            yield Run(workdir, training=training, measuring=[], metrics=["recovery"])


def timed_plan_of(plan: Sequence[Run]) -> Iterator[Run]:
    """Yields runs of equal training time: as long as the triangle takes for its updates.

    The time of an update is that of the run of equal updates. It depends on what else the machine
    does meanwhile.

    Args:
        plan: finished runs of one data set.
    """
    ours = {run.workdir.name: run for run in plan if is_own(run.workdir)}
    for name, run in ours.items():
        model, _, seed = name.rpartition("-")
        if model == "divergence_triangle":
            continue
        triangle = ours[f"divergence_triangle-{seed}"].workdir
        budget = identity.flags_of(triangle).steps * seconds_per_update(triangle)
        steps = max(round(budget / seconds_per_update(run.workdir)), 1)
        training = [*(f for f in run.training if not f.startswith("--steps=")), f"--steps={steps}"]
        yield run._replace(workdir=run.workdir.parent / f"{model}~time-{seed}", training=training)


def is_own(workdir: pathlib.Path) -> bool:
    """Returns whether a run is on whole images, of equal updates and of the recipe's own σ."""
    model, _, seed = workdir.name.rpartition("-")
    return seed.isdigit() and not {"@", "~"} & set(model)


def seconds_per_update(workdir: pathlib.Path) -> float:
    """Returns the median time of an update in a run, over its logging intervals.

    Args:
        workdir: of a run with a logged interval at least.
    """
    rows = Metrics(workdir / "metrics.jsonl").rows("train")
    starts = [0, *(row["step"] for row in rows)]
    each = [
        row["seconds"] / (row["step"] - start) for row, start in zip(rows, starts, strict=False)
    ]
    # the first interval traces and compiles
    return statistics.median(each[1:] or each)


def flags_of(model: str, data: Data) -> list[str]:
    """Returns the flags of a model beside those of a data set's recipe.

    Args:
        model: of `WHOLE`.
        data: the data set.
    """
    own = [*FLAGS.get(model, ()), *data.flags.get(model, ())]
    role = OTHER_ROLES.get(model)
    if role is None:
        return [f"--algorithm={model}", *own]
    lines = (FLAGFILES / f"{data.flagfile}.flags").read_text(encoding="utf-8").splitlines()
    taken = tuple(f"--energy.{option}=" for option in LIKE_ENERGY)
    copied = [line.replace("--energy.", f"--{role}.") for line in lines if line.startswith(taken)]
    if role == "joint_discriminator":
        copied += [
            line.replace("--generator.", f"--{role}.")
            for line in lines
            if line.startswith("--generator.latent_dim=")
        ]
    return [f"--algorithm={model}", *copied, *own]


def features_of(root: pathlib.Path, data: Data) -> pathlib.Path:
    """Returns where the classifier of a data set is exported to."""
    name = data.classifier if data.classified is None else f"classifier_{data.classified}"
    return root / name / "saved_model" / "classifier"
