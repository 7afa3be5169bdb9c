"""Uses a trained model and draws what comes out.

    python -m trainers.sample --workdir=DIR --task=TASK --output=FILE.png

| task | picture |
|------|---------|
| generate | samples from white noise (of each class in turn, or of --label) |
| reconstruct | held-out images above their reconstructions |
| complete | held-out images (or --image), masked by --mask, and completions below |
| synthesize | a sample of any --size, of a net that takes images of any size |
| memories | training images above the local modes that noise-free descent takes them to |
| pieces | a model of two numbers: its Gaussian pieces, its density, its samples |
"""

import pathlib

import numpy as np
import tensorflow as tf
from absl import flags as absl_flags

from tfgen import random
from tfgen.data import masks, preprocess, sources
from tfgen.errors import UserError
from tfgen.evaluation import local_modes
from trainers import commands, experiment, flags, pictures, pieces
from trainers.experiment import Experiment


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = {"flag_values": values, "module_name": "trainers.sample"}
    absl_flags.DEFINE_string("workdir", None, "The run whose model to use.", **where)
    absl_flags.DEFINE_enum("task", None, sorted(TASKS), "What to do.", **where)
    absl_flags.DEFINE_string("output", None, "The picture to write, a .png file.", **where)
    absl_flags.DEFINE_integer("count", 16, "How many images.", lower_bound=1, **where)
    absl_flags.DEFINE_integer("steps", None, "Sampling steps; the run's own by default.", lower_bound=0, **where)
    absl_flags.DEFINE_integer("seed", 0, "Of all that is drawn.", **where)
    absl_flags.DEFINE_integer("label", None, "A class, of a model that has classes.", lower_bound=0, **where)
    absl_flags.DEFINE_string("mask", "half:bottom", masks.NAMES, **where)
    absl_flags.DEFINE_string("image", None, "An image file to complete or reconstruct.", **where)
    absl_flags.DEFINE_list("size", ["256"], "Height,width (or one side) to synthesize.", **where)


def main(values: absl_flags.FlagValues) -> None:
    """Does the task."""
    flags.require(values, "workdir", "task", "output")
    output = pathlib.Path(values.output)
    if output.suffix != ".png":
        raise UserError(f"--output: expected a .png file and found {output}")
    trained = experiment.restored(pathlib.Path(values.workdir))
    pictures.save(output, TASKS[values.task](trained, values))
    print(output)


def _endpoint(trained: Experiment, name: str):
    """An endpoint as a graph, with everything it takes besides labels given by position."""
    endpoints = trained.algorithm.endpoints()
    if name not in endpoints:
        raise UserError(f"--task: this model can {', '.join(sorted(endpoints))} and cannot {name}")
    return tf.function(endpoints[name].fn, autograph=False)


def _seed_and_steps(trained: Experiment, values) -> tuple[tf.Tensor, tf.Tensor]:
    steps = trained.algorithm.sample_steps if values.steps is None else values.steps
    return random.root(values.seed), tf.constant(steps)


def _labels(trained: Experiment, values, count: int, known: np.ndarray | None = None) -> list[tf.Tensor]:
    """The classes of a batch, where the model has classes: the asked one, the known ones, or each in turn."""
    classes = getattr(trained.algorithm, "num_classes", 1)
    if classes == 1 and values.label is not None:
        raise UserError("--label: expected none, since this model has no classes")
    if classes == 1:
        return []
    if values.label is not None and values.label >= classes:
        raise UserError(f"--label: expected a class from 0 to {classes - 1} and found {values.label}")
    if values.label is not None:
        return [tf.fill([count], values.label)]
    return [tf.range(count) % classes if known is None else tf.constant(known[:count], tf.int32)]


def _held_out(trained: Experiment, values) -> tuple[np.ndarray, list[tf.Tensor]]:
    """Images to work on, cut to the model's size, with their classes."""
    height, width, channels = trained.algorithm.image_shape
    if values.image is not None:
        picture = next(sources.read(f"image:{values.image}")["all"])[0]
        image = preprocess.to_unit(preprocess.prepare(picture, (height, width), channels))
        return image[None], _labels(trained, values, 1)
    test = trained.images.test
    image = test.whole()[: values.count, :height, :width]
    if image.shape[1:3] != (height, width):
        raise UserError(f"--workdir: expected held-out images of at least {height}x{width}; give one by --image")
    return image, _labels(trained, values, len(image), test.label)


def generate(trained: Experiment, values) -> np.ndarray:
    """Samples."""
    run = _endpoint(trained, "generate")
    labels = _labels(trained, values, values.count)
    image = run(tf.constant(values.count), *_seed_and_steps(trained, values), *labels)["image"].numpy()
    return pictures.sheet(image)


def reconstruct(trained: Experiment, values) -> np.ndarray:
    """Images above their reconstructions."""
    image, labels = _held_out(trained, values)
    rebuilt = _endpoint(trained, "reconstruct")(tf.constant(image), *labels)["image"].numpy()
    return pictures.grid(np.concatenate([image, rebuilt]), columns=len(image))


def complete(trained: Experiment, values) -> np.ndarray:
    """Images, masked, above two completions of each."""
    image, labels = _held_out(trained, values)
    seed, steps = _seed_and_steps(trained, values)
    mask = masks.parse(values.mask, image.shape[:3], random.fold_in(seed, -1))
    run = _endpoint(trained, "complete")
    rows = [run(tf.constant(image), mask, random.fold_in(seed, i), steps, *labels)["image"].numpy() for i in range(2)]
    masked = mask.numpy() * image
    return pictures.grid(np.concatenate([image, masked, *rows]), columns=len(image))


def synthesize(trained: Experiment, values) -> np.ndarray:
    """One sample of any size."""
    size = experiment.sides("size", values.size)
    run = _endpoint(trained, "synthesize")
    trained.algorithm.energy.map_shapes((None, *size, trained.algorithm.image_shape[-1]))
    image = run(tf.constant(1), *_seed_and_steps(trained, values), tf.constant(size))["image"].numpy()
    return pictures.grid(image)


def memories(trained: Experiment, values) -> np.ndarray:
    """Training images above the local modes they descend to."""
    if getattr(trained.algorithm, "num_classes", 1) > 1:
        raise UserError("--task: memories expects a model with one energy")
    height, width, _ = trained.algorithm.image_shape
    start = trained.images.train.whole()[: values.count, :height, :width]
    modes = local_modes.descend(trained.algorithm, start, num_steps=values.steps or 5000, tolerance=1e-4)
    return pictures.grid(np.concatenate([start, modes.mode]), columns=len(start))


TASKS = {
    "generate": generate,
    "reconstruct": reconstruct,
    "complete": complete,
    "synthesize": synthesize,
    "memories": memories,
    "pieces": pieces.draw,
}


if __name__ == "__main__":
    commands.run(main, define, __doc__)
