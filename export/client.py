"""Asks an exported SavedModel; needs nothing of the model but its directory.

python -m export.client --saved_model=OUT/saved_model/ALGORITHM --task=complete --image=FILE --output=F.png
"""

import pathlib

import numpy as np
import tensorflow as tf
from absl import flags as absl_flags

from tfgen import random
from tfgen.data import masks, preprocess, sources
from tfgen.errors import UserError
from trainers import commands, experiment, flags, pictures

TASKS = ("generate", "complete", "reconstruct")


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = {"flag_values": values, "module_name": "export.client"}
    absl_flags.DEFINE_string("saved_model", None, "A model's directory, of which the newest version is asked.", **where)
    absl_flags.DEFINE_enum("task", None, TASKS, "What to ask for.", **where)
    absl_flags.DEFINE_string("output", None, "The picture to write, a .png file.", **where)
    absl_flags.DEFINE_string("image", None, "An image file to work on.", **where)
    absl_flags.DEFINE_string("workdir", None, "Work on held-out images of this run's data instead.", **where)
    absl_flags.DEFINE_string("mask", "half:bottom", masks.NAMES, **where)
    absl_flags.DEFINE_integer("count", 12, "How many images.", lower_bound=1, **where)
    absl_flags.DEFINE_integer("steps", 1000, "Sampling steps.", lower_bound=0, **where)
    absl_flags.DEFINE_integer("seed", 0, "Of all that is drawn.", **where)


def main(values: absl_flags.FlagValues) -> None:
    """Asks."""
    flags.require(values, "saved_model", "task", "output")
    output = pathlib.Path(values.output)
    if output.suffix != ".png":
        raise UserError(f"--output: expected a .png file and found {output}")
    signatures = load(pathlib.Path(values.saved_model)).signatures
    if values.task not in signatures:
        raise UserError(f"--task: this model can {', '.join(sorted(signatures))} and cannot {values.task}")
    ask = signatures[values.task]
    wanted = ask.structured_input_signature[1]
    if "label" in wanted:
        raise UserError("--saved_model: expected a model without classes")
    seed, steps = random.root(values.seed), tf.constant(values.steps)
    if values.task == "generate":
        sampled = ask(count=tf.constant(values.count), seed=seed, num_steps=steps)["image"]
        pictures.save(output, pictures.grid(sampled.numpy()))
    else:
        image = _images(values, wanted["image"].shape)
        given = {"image": tf.constant(image)}
        rows = [image]
        if values.task == "complete":
            mask = masks.parse(values.mask, image.shape[:3], random.fold_in(seed, -1))
            given |= {"mask": mask, "seed": seed, "num_steps": steps}
            rows.append(mask.numpy() * image)
        rows.append(ask(**given)["image"].numpy())
        pictures.save(output, pictures.grid(np.concatenate(rows), columns=len(image)))
    print(output)


def load(directory: pathlib.Path):
    """The newest version of a model.

    Args:
        directory: with a directory for each version.

    Returns:
        What `tf.saved_model.load` returns.

    Raises:
        UserError: if there is none, or it is damaged.
    """
    versions = sorted((d for d in directory.glob("*") if d.name.isdigit()), key=lambda d: int(d.name))
    if not versions:
        raise UserError(f"--saved_model: expected a directory of versions 1, 2, ... and found none in {directory}")
    try:
        return tf.saved_model.load(str(versions[-1]))
    except (OSError, ValueError, tf.errors.OpError) as error:
        raise UserError(f"--saved_model: expected a whole SavedModel and could not load {versions[-1]}") from error


def _images(values: absl_flags.FlagValues, shape: tf.TensorShape) -> np.ndarray:
    _, height, width, channels = shape
    if values.image is not None:
        picture = next(sources.read(f"image:{values.image}")["all"])[0]
        return preprocess.to_unit(preprocess.prepare(picture, (height, width), channels))[None]
    if values.workdir is None:
        raise UserError("--image: expected an image file, or a run's --workdir, and found neither")
    found = experiment.load_images(experiment.read(pathlib.Path(values.workdir)))
    return found.test.whole()[: values.count, :height, :width]


if __name__ == "__main__":
    commands.run(main, define, __doc__)
