"""What each task of a trained model draws: a function of the run and the flags, to a picture."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf
from absl import flags as absl_flags
from matplotlib.figure import Figure
from sklearn.decomposition import PCA

from tfgen import random
from tfgen.data import masks, preprocess, sources
from tfgen.errors import UserError
from tfgen.evaluation import local_modes
from tfgen.models import CascadeTasks, EnergyTasks, cut
from trainers.drawings import pictures
from trainers.run import experiment
from trainers.run.experiment import Experiment


def endpoint(
    trained: Experiment, values: absl_flags.FlagValues, name: str
) -> Callable[..., dict[str, tf.Tensor]]:
    """An endpoint as a graph that is given tensors by name, the flags' seed and number of steps among them.

    Raises:
        UserError: if the model has no such endpoint.
    """
    endpoints = trained.algorithm.endpoints()
    if name not in endpoints:
        raise UserError(
            f"--task: this model can {', '.join(sorted(endpoints))} and cannot {values.task}"
        )
    if values.steps is not None and "num_steps" not in endpoints[name].inputs:
        raise UserError(
            f"--steps: expected none, since this model's {name} takes no sampling steps"
        )
    steps = getattr(trained.algorithm, "sample_steps", 0) if values.steps is None else values.steps
    usual = {"seed": random.root(values.seed), "num_steps": tf.constant(steps)}
    traced = endpoints[name].traced()
    return lambda **given: traced(**usual | given)


def labels(
    trained: Experiment, values, count: int, known: np.ndarray | None = None
) -> dict[str, tf.Tensor]:
    """The classes of a batch, where the model has classes: the asked one, the known ones, or each in turn."""
    classes = getattr(trained.algorithm, "num_classes", 1)
    if classes == 1 and values.label is not None:
        raise UserError("--label: expected none, since this model has no classes")
    if classes == 1:
        return {}
    if values.label is not None and values.label >= classes:
        raise UserError(
            f"--label: expected a class from 0 to {classes - 1} and found {values.label}"
        )
    if values.label is not None:
        return {"label": tf.fill([count], values.label)}
    return {
        "label": tf.range(count) % classes
        if known is None
        else tf.constant(known[:count], tf.int32)
    }


def held_out(trained: Experiment, values, count: int | None = None) -> dict[str, tf.Tensor]:
    """Images to work on, cut to the model's size, with their classes."""
    height, width, channels = trained.algorithm.image_shape
    if values.image is not None:
        picture = next(sources.read(f"image:{values.image}")["all"])[0]
        image = preprocess.to_unit(preprocess.prepare(picture, (height, width), channels))
        return {"image": tf.constant(image[None])} | labels(trained, values, 1)
    test = trained.images.test
    image = test.whole()[: count or values.count, :height, :width]
    if image.shape[1:3] != (height, width):
        raise UserError(
            f"--workdir: expected held-out images of at least {height}x{width}; give one by --image"
        )
    return {"image": tf.constant(image)} | labels(trained, values, len(image), test.label)


def generate(trained: Experiment, values) -> np.ndarray:
    """Samples."""
    run = endpoint(trained, values, "generate")
    count = values.count
    return pictures.sheet(
        run(count=tf.constant(count), **labels(trained, values, count))["image"].numpy()
    )


def reconstruct(trained: Experiment, values) -> np.ndarray:
    """Images above their reconstructions."""
    run, given = endpoint(trained, values, "reconstruct"), held_out(trained, values)
    rows = [given["image"].numpy(), run(**given)["image"].numpy()]
    return pictures.grid(np.concatenate(rows), columns=len(rows[0]))


def complete(trained: Experiment, values) -> np.ndarray:
    """Images, masked, above two completions of each; then how far ten of them differ, where the model is quick."""
    run, given = endpoint(trained, values, "complete"), held_out(trained, values)
    image, seed = given["image"].numpy(), random.root(values.seed)
    given["mask"] = masks.parse(values.mask, image.shape[:3], random.fold_in(seed, -1))
    rows = [image, given["mask"].numpy() * image]
    rows += [run(**given | {"seed": random.fold_in(seed, i)})["image"].numpy() for i in range(2)]
    if "uncertainty" in trained.algorithm.endpoints():
        spread = endpoint(trained, values, "uncertainty")(**given, count=tf.constant(10))[
            "spread"
        ].numpy()
        rows.append(pictures.white_most(spread, image))
    return pictures.grid(np.concatenate(rows), columns=len(image))


def interpolate(trained: Experiment, values) -> np.ndarray:
    """A row for each two neighbouring held-out images: the one, images on the way, the other."""
    run, image = (
        endpoint(trained, values, "interpolate"),
        held_out(trained, values)["image"].numpy(),
    )
    if len(image) < 2:
        raise UserError("--count: expected at least 2 images to interpolate between")
    spherical = tf.constant(values.spherical)
    return pictures.ways(lambda **way: run(**way, spherical=spherical)["image"].numpy(), image)


def encode(trained: Experiment, values) -> np.ndarray:
    """The latents of held-out images on their two principal axes, coloured by class where there are classes."""
    given = held_out(trained, values, count=1000)
    latent = (
        endpoint(trained, values, "encode")(**given)["latent"]
        .numpy()
        .reshape(len(given["image"]), -1)
    )
    if len(latent) < 2:
        raise UserError("--image: expected the run's held-out images, since one alone has no axes")
    first, second = PCA(2).fit_transform(latent).T
    figure = Figure(figsize=(5, 4.4), layout="constrained")
    axes = figure.subplots()
    label = trained.images.test.label
    dots = axes.scatter(
        first, second, c=None if label is None else label[: len(latent)], cmap="tab10", s=12
    )
    axes.set(xlabel="first principal axis of z", ylabel="second")
    if label is not None:
        figure.colorbar(dots, label="class")
    return pictures.rendered(figure)


def anomaly(trained: Experiment, values) -> np.ndarray:
    """Images above the steepness of their energy at each pixel, white where any of them is steepest."""
    run, given = endpoint(trained, values, "anomaly"), held_out(trained, values)
    image, steepness = given["image"].numpy(), run(**given)["steepness"].numpy()
    return pictures.grid(
        np.concatenate([image, pictures.white_most(steepness, image)]), columns=len(image)
    )


def score(trained: Experiment, values) -> np.ndarray:
    """Held-out images in the order of their energies: the likeliest first, each under its nats."""
    given = held_out(trained, values, count=1000)
    energy, image = (
        endpoint(trained, values, "energy")(**given)["energy"].numpy(),
        given["image"].numpy(),
    )
    order = np.argsort(energy, kind="stable")
    shown = order[np.unique(np.linspace(0, len(order) - 1, values.count).round().astype(int))]
    columns = min(len(shown), 8)
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(1.1 * columns, 1.3 * rows), layout="constrained")
    for axes, i in zip(
        figure.subplots(rows, columns, squeeze=False).ravel(),
        [*shown, *[None] * (rows * columns)],
        strict=False,
    ):
        axes.axis("off")
        if i is not None:
            axes.imshow(preprocess.to_uint8(image[i]).squeeze(), cmap="gray", vmin=0, vmax=255)
            axes.set_title(f"{energy[i]:.1f}", fontsize=9)
    return pictures.rendered(figure)


def synthesize(trained: Experiment, values) -> np.ndarray:
    """One sample of any size."""
    size = experiment.sides("size", values.size)
    run = endpoint(trained, values, "synthesize")
    check_seen(trained, size)
    if hasattr(trained.algorithm, "energy"):
        trained.algorithm.energy.map_shapes((None, *size, trained.algorithm.image_shape[-1]))
    return pictures.grid(run(count=tf.constant(1), size=tf.constant(size))["image"].numpy())


def check_seen(trained: Experiment, size: tuple[int, int]) -> None:
    """Raises UserError unless what a cascade's classifiers see fits into images of this size."""
    tasks = getattr(trained.algorithm, "tasks", None)
    if isinstance(tasks, CascadeTasks) and min(size) < tasks.image_shape[0]:
        raise UserError(
            f"--size: expected at least {tasks.image_shape[0]} pixels a side and found {min(size)}"
        )


def stylize(trained: Experiment, values) -> np.ndarray:
    """A picture, and it in the style of the texture that the model learned."""
    if values.image is None:
        raise UserError("--image: expected the picture to stylize and found none")
    height, width = experiment.sides("size", values.size)
    check_seen(trained, (height, width))
    picture = next(sources.read(f"image:{values.image}")["all"])[0]
    content = preprocess.to_unit(
        preprocess.prepare(picture, (height, width), trained.algorithm.image_shape[-1])
    )[None]
    run = endpoint(trained, values, "stylize")
    styled = run(image=tf.constant(content), gamma=tf.constant(values.gamma))["image"].numpy()
    return pictures.grid(np.concatenate([content, styled]), columns=2)


def stages(trained: Experiment, values) -> np.ndarray:
    """A sample growing from noise: after none, some and all of the cascade's classifiers."""
    tasks = getattr(trained.algorithm, "tasks", None)
    if not isinstance(tasks, CascadeTasks):
        raise UserError("--task: stages expects a model that is a cascade of classifiers")
    kept, run = tasks.cascade.num_kept, endpoint(trained, values, "advance")
    start_seed, run_seed = random.split(random.root(values.seed))
    grown = [tasks.synthesis.start((1, *tasks.canvas), start_seed)]
    for stage in range(kept):
        grown.append(
            run(image=grown[-1], stage=tf.constant(stage), seed=random.fold_in(run_seed, stage))[
                "image"
            ]
        )
    shown = np.unique(np.linspace(0, kept, min(values.count, kept + 1)).round().astype(int))
    return pictures.grid(
        np.concatenate([cut(grown[i], tasks.padding) for i in shown]), columns=-(-len(shown) // 2)
    )


def memories(trained: Experiment, values) -> np.ndarray:
    """Training images above the local modes they descend to."""
    if (
        not isinstance(getattr(trained.algorithm, "tasks", None), EnergyTasks)
        or trained.algorithm.num_classes > 1
    ):
        raise UserError("--task: memories expects a model with one energy")
    height, width, _ = trained.algorithm.image_shape
    start = trained.images.train.whole()[: values.count, :height, :width]
    modes = local_modes.descend(
        trained.algorithm, start, num_steps=values.steps or 5000, tolerance=1e-4
    )
    return pictures.grid(np.concatenate([start, modes.mode]), columns=len(start))
