"""Asks an exported SavedModel; needs nothing of the model but its directory.

    python -m export.client --saved_model=OUT/saved_model/ALGORITHM --task=complete --image=FILE --output=F.png

| task | answer |
|------|--------|
| generate | samples |
| synthesize | samples of any --size |
| stylize | images at --size, and in the style of the texture below |
| reconstruct | images above their reconstructions |
| complete | images, masked by --mask, and completions below |
| interpolate | a row for each two images: the one, images on the way, the other |
| uncertainty | images, masked, the mean of many completions, how far these differ (white: most), and three of them |
| energy | a table on stdout: the energy of each image in nats |
"""

import pathlib
from collections.abc import Callable

import numpy as np
import tensorflow as tf
from absl import flags as absl_flags

from tfgen import random
from tfgen.data import masks, preprocess, sources
from tfgen.errors import UserError
from trainers import commands, experiment, flags, pictures

TASKS = ("generate", "synthesize", "stylize", "reconstruct", "complete", "interpolate", "uncertainty", "energy")
COMPLETIONS = 20  # of each image, for their mean and spread
Ask = Callable[..., dict[str, np.ndarray]]  # a signature, given its name and whatever it may take by name


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = {"flag_values": values, "module_name": "export.client"}
    absl_flags.DEFINE_string("saved_model", None, "A model's directory, of which the newest version is asked.", **where)
    absl_flags.DEFINE_enum("task", None, TASKS, "What to ask for.", **where)
    absl_flags.DEFINE_string("output", None, "The picture to write, a .png file.", **where)
    absl_flags.DEFINE_multi_string("image", None, "An image file to work on; may be given again.", **where)
    absl_flags.DEFINE_string("workdir", None, "Work on held-out images of this run's data instead.", **where)
    absl_flags.DEFINE_string("mask", "half:bottom", masks.NAMES, **where)
    absl_flags.DEFINE_boolean("spherical", False, "Interpolate along the great circle.", **where)
    absl_flags.DEFINE_float("gamma", 0.3, "How near to its image a stylized one stays.", 0, 1, **where)
    absl_flags.DEFINE_list("size", ["256"], "Height,width (or one side) to synthesize or stylize.", **where)
    absl_flags.DEFINE_integer("count", 12, "How many images.", lower_bound=1, **where)
    absl_flags.DEFINE_integer(
        "steps", None, "Sampling steps; 1000, or 0 if there is a generator, or 20 a classifier.", 0, **where
    )
    absl_flags.DEFINE_integer("seed", 0, "Of all that is drawn.", **where)


def main(values: absl_flags.FlagValues) -> None:
    """Asks."""
    flags.require(values, "saved_model", "task", *([] if values.task == "energy" else ["output"]))
    if values.output and pathlib.Path(values.output).suffix != ".png":
        raise UserError(f"--output: expected a .png file and found {values.output}")
    signatures = load(pathlib.Path(values.saved_model)).signatures
    ask = _asker(signatures, values)
    if values.task == "energy":
        energies = ask("energy", image=_images(values, signatures))["energy"]
        print("image  energy (nats)", *(f"{number:5d}  {u:.6g}" for number, u in enumerate(energies)), sep="\n")
        return
    if values.task in ("generate", "synthesize"):
        picture = pictures.grid(ask(values.task, count=values.count)["image"])
    else:
        draw = _between if values.task == "interpolate" else _below
        picture = draw(ask, values, _images(values, signatures))
    pictures.save(pathlib.Path(values.output), picture)
    print(values.output)


def load(directory: pathlib.Path):
    """The newest version of a model.

    Args:
        directory: with a directory for each version.

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


def _asker(signatures, values: absl_flags.FlagValues) -> Ask:
    """A way to ask: each signature takes what it wants of what is given and of the flags' seed and steps."""
    if values.task not in signatures:
        able = sorted(signatures.keys() - {"serving_default"})
        raise UserError(f"--task: this model can {', '.join(able)} and cannot {values.task}")
    if values.steps is not None and "num_steps" not in signatures[values.task].structured_input_signature[1]:
        raise UserError(f"--steps: expected none, since {values.task} of this model takes no sampling steps")
    steps = _usual_steps(signatures) if values.steps is None else values.steps
    usual = {"seed": random.root(values.seed), "num_steps": steps, "spherical": values.spherical}
    usual |= {"gamma": values.gamma, "size": experiment.sides("size", values.size)}

    def ask(name: str, **given) -> dict[str, np.ndarray]:
        inputs = signatures[name].structured_input_signature[1]
        given = usual | given
        if missing := sorted(inputs.keys() - given.keys()):
            raise UserError(f"--saved_model: {name} of this model takes {', '.join(missing)}, which is not given here")
        answer = signatures[name](**{n: tf.convert_to_tensor(given[n], spec.dtype) for n, spec in inputs.items()})
        return {name: value.numpy() for name, value in answer.items()}

    return ask


def _usual_steps(signatures) -> int:
    """Of a model with a generator, of a cascade, of an energy alone."""
    return next((steps for name, steps in (("decode", 0), ("advance", 20)) if name in signatures), 1000)


def _below(ask: Ask, values: absl_flags.FlagValues, image: np.ndarray) -> np.ndarray:
    """A row of images, and rows of what is made of each below."""
    made = _completed if values.task in ("complete", "uncertainty") else _made
    return pictures.grid(np.concatenate([image, *made(ask, values, image)]), columns=len(image))


def _made(ask: Ask, values: absl_flags.FlagValues, image: np.ndarray) -> list[np.ndarray]:
    return [ask(values.task, image=image)["image"]]


def _completed(ask: Ask, values: absl_flags.FlagValues, image: np.ndarray) -> list[np.ndarray]:
    """The masked images, and what is made of them."""
    seed = random.root(values.seed)
    mask = masks.parse(values.mask, image.shape[:3], random.fold_in(seed, -1)).numpy()
    masked, given = mask * image, {"image": image, "mask": mask}
    if values.task == "complete":
        return [masked, ask("complete", **given)["image"]]
    found = ask("uncertainty", **given, count=COMPLETIONS)
    spread = found["spread"] / max(found["spread"].max(), 1e-6)
    some = [ask("complete", **given | {"seed": random.fold_in(seed, i)})["image"] for i in range(3)]
    return [masked, found["image"], np.broadcast_to(2 * spread - 1, image.shape), *some]


def _between(ask: Ask, values: absl_flags.FlagValues, image: np.ndarray) -> np.ndarray:
    """A row for each two images."""
    if len(image) < 2:
        raise UserError("--image: expected two images to interpolate between and found one; give --image twice")
    return pictures.ways(lambda **way: ask("interpolate", **way)["image"], image)


def _images(values: absl_flags.FlagValues, signatures) -> np.ndarray:
    inputs = signatures[values.task].structured_input_signature[1]
    _, *sides, channels = inputs.get("image", inputs.get("first")).shape
    height, width = experiment.sides("size", values.size) if None in sides else sides
    least = min(signatures["energy"].structured_input_signature[1]["image"].shape[1:3]) if None in sides else 0
    if min(height, width) < least:
        raise UserError(f"--size: expected at least {least} pixels a side and found {min(height, width)}")
    if values.image:
        found = [next(sources.read(f"image:{path}")["all"])[0] for path in values.image]
        return np.stack([preprocess.to_unit(preprocess.prepare(p, (height, width), channels)) for p in found])
    if values.workdir is None:
        raise UserError("--image: expected an image file, or a run's --workdir, and found neither")
    found = experiment.load_images(experiment.read(pathlib.Path(values.workdir)))
    return found.test.whole()[: values.count, :height, :width]


if __name__ == "__main__":
    commands.run(main, define, __doc__)
