"""Asks an exported SavedModel: in this process, given its directory, or behind a server that speaks REST or gRPC.

    python -m export.client --saved_model=OUT/saved_model/ALGORITHM --task=complete --image=FILE --output=F.png
    python -m export.client --server=http://HOST:8501 --model=ALGORITHM --task=complete --image=FILE --output=F.png
    python -m export.client --server=HOST:8500 --model=ALGORITHM --task=complete --image=FILE --output=F.png

| task | answer |
|------|--------|
| generate | samples |
| synthesize | samples of any --size |
| stylize | images at --size, and in the style of the texture below |
| reconstruct | images above their reconstructions |
| complete | images, masked by --mask, and completions below |
| interpolate | a row for each two images: the one, images on the way, the other |
| uncertainty | images, masked, the mean of many completions, how far these differ (white: most), and three of them |
| anomaly | images above which of their pixels the energy hangs on (white: most) |
| energy | a table on stdout: the energy of each image in nats |
"""

import pathlib
from collections.abc import Callable

import numpy as np
from absl import flags as absl_flags

from export.clients import backends, remote
from tfgen import random
from tfgen.data import masks, preprocess, sources
from tfgen.errors import UserError
from trainers.drawings import pictures
from trainers.run import commands, experiment, flags

TASKS = (
    *("generate", "synthesize", "stylize", "reconstruct", "complete", "interpolate"),
    *("uncertainty", "anomaly", "energy"),
)
COMPLETIONS = 20  # of each image, for their mean and spread
Ask = Callable[
    ..., dict[str, np.ndarray]
]  # a signature, given its name, maybe a seed, and rows by name


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = {"flag_values": values, "module_name": "export.client"}
    absl_flags.DEFINE_string(
        "saved_model", None, "A model's directory, of which the newest version is asked.", **where
    )
    absl_flags.DEFINE_string(
        "server", None, "A server to ask instead: URL (REST), or HOST:PORT (gRPC).", **where
    )
    absl_flags.DEFINE_string("model", None, "The model's name on the server.", **where)
    absl_flags.DEFINE_enum("task", None, TASKS, "What to ask for.", **where)
    absl_flags.DEFINE_string("output", None, "The picture to write, a .png file.", **where)
    absl_flags.DEFINE_multi_string(
        "image", None, "An image file to work on; may be given again.", **where
    )
    absl_flags.DEFINE_string(
        "workdir", None, "Work on held-out images of this run's data instead.", **where
    )
    absl_flags.DEFINE_string("mask", "half:bottom", masks.NAMES, **where)
    absl_flags.DEFINE_boolean("spherical", False, "Interpolate along the great circle.", **where)
    absl_flags.DEFINE_float(
        "gamma", 0.3, "How near to its image a stylized one stays.", 0, 1, **where
    )
    absl_flags.DEFINE_list(
        "size", ["256"], "Height,width (or one side) to synthesize or stylize.", **where
    )
    absl_flags.DEFINE_integer("count", 12, "How many images.", lower_bound=1, **where)
    absl_flags.DEFINE_integer(
        "steps",
        None,
        "Sampling steps; 1000, or 0 if there is a generator, or 20 a classifier.",
        0,
        **where,
    )
    absl_flags.DEFINE_integer(
        "label", None, "The class, of a model that has classes.", lower_bound=0, **where
    )
    absl_flags.DEFINE_integer("seed", 0, "Of all that is drawn.", **where)


def main(values: absl_flags.FlagValues) -> None:
    """Asks."""
    flags.require(values, "task", *([] if values.task == "energy" else ["output"]))
    if values.output and pathlib.Path(values.output).suffix != ".png":
        raise UserError(f"--output: expected a .png file and found {values.output}")
    model = _model(values)
    ask = _asker(model, values)
    if values.task == "energy":
        energies = ask("energy", image=_images(values, model))["energy"]
        print(
            "image  energy (nats)",
            *(f"{number:5d}  {u:.6g}" for number, u in enumerate(energies)),
            sep="\n",
        )
        return
    if values.task in ("generate", "synthesize"):
        picture = pictures.grid(ask(values.task)["image"])
    else:
        draw = _between if values.task == "interpolate" else _below
        picture = draw(ask, values, _images(values, model))
    pictures.save(pathlib.Path(values.output), picture)
    print(values.output)


def _model(values: absl_flags.FlagValues) -> backends.Model:
    if (values.saved_model is None) == (values.server is None):
        found = "neither" if values.server is None else "both"
        raise UserError(
            f"--saved_model: expected a model's directory, or a --server, and found {found}"
        )
    if values.server is None:
        return backends.Loaded(pathlib.Path(values.saved_model))
    flags.require(values, "model")
    return remote.connect(values.server, values.model)


def seeds(root: random.Seed, count: int) -> np.ndarray:
    """A seed for each row, [count, 2]."""
    return np.stack([random.fold_in(root, number).numpy() for number in range(count)])


def _asker(model: backends.Model, values: absl_flags.FlagValues) -> Ask:
    """A way to ask: each signature takes what it wants of what is given and of the flags, a row for each example."""
    signatures = model.signatures
    if values.task not in signatures:
        able = [task for task in TASKS if task in signatures]
        raise UserError(
            f"--task: this model can {', '.join(sorted(able))} and cannot {values.task}"
        )
    if values.steps is not None and "num_steps" not in signatures[values.task]:
        raise UserError(
            f"--steps: expected none, since {values.task} of this model takes no sampling steps"
        )
    if (values.label is not None) != ("label" in signatures[values.task]):
        expected, why = (
            ("none", "has no classes") if values.label is not None else ("a class", "has classes")
        )
        raise UserError(f"--label: expected {expected}, since this model {why}")
    steps = model.usual_steps if values.steps is None else values.steps
    usual = {
        "num_steps": steps,
        "spherical": values.spherical,
        "gamma": values.gamma,
        "count": COMPLETIONS,
    }
    usual |= {"size": experiment.sides("size", values.size), "label": values.label}

    def ask(name: str, seed: random.Seed | None = None, **given) -> dict[str, np.ndarray]:
        inputs = signatures[name]
        rows = max((len(value) for value in given.values()), default=values.count)
        every = {
            key: np.broadcast_to(value, (rows, *np.shape(value))) for key, value in usual.items()
        }
        every |= {"seed": seeds(random.root(values.seed) if seed is None else seed, rows), **given}
        if missing := sorted(inputs.keys() - every.keys()):
            raise UserError(
                f"--task: {name} of this model takes {', '.join(missing)}, which is not given here"
            )
        return model.answer(
            name, {n: np.asarray(every[n], s.dtype.as_numpy_dtype) for n, s in inputs.items()}
        )

    return ask


def _below(ask: Ask, values: absl_flags.FlagValues, image: np.ndarray) -> np.ndarray:
    """A row of images, and rows of what is made of each below."""
    made = _completed if values.task in ("complete", "uncertainty") else _made
    return pictures.grid(np.concatenate([image, *made(ask, values, image)]), columns=len(image))


def _made(ask: Ask, values: absl_flags.FlagValues, image: np.ndarray) -> list[np.ndarray]:
    found = ask(values.task, image=image)
    return [
        pictures.white_most(found["steepness"], image)
        if values.task == "anomaly"
        else found["image"]
    ]


def _completed(ask: Ask, values: absl_flags.FlagValues, image: np.ndarray) -> list[np.ndarray]:
    """The masked images, and what is made of them."""
    seed = random.root(values.seed)
    mask = masks.parse(values.mask, image.shape[:3], random.fold_in(seed, -1)).numpy()
    masked, given = mask * image, {"image": image, "mask": mask}
    if values.task == "complete":
        return [masked, ask("complete", **given)["image"]]
    found = ask("uncertainty", **given)
    some = [ask("complete", random.fold_in(seed, i), **given)["image"] for i in range(3)]
    return [masked, found["image"], pictures.white_most(found["spread"], image), *some]


def _between(ask: Ask, values: absl_flags.FlagValues, image: np.ndarray) -> np.ndarray:
    """A row for each two images."""
    if len(image) < 2:
        raise UserError(
            "--image: expected two images to interpolate between and found one; give --image twice"
        )
    return pictures.ways(lambda **way: ask("interpolate", **way)["image"], image)


def _images(values: absl_flags.FlagValues, model: backends.Model) -> np.ndarray:
    inputs = model.signatures[values.task]
    _, *sides, channels = inputs.get("image", inputs.get("first")).shape
    height, width = experiment.sides("size", values.size) if None in sides else sides
    least = min(model.signatures["energy"]["image"].shape[1:3]) if None in sides else 0
    if min(height, width) < least:
        raise UserError(
            f"--size: expected at least {least} pixels a side and found {min(height, width)}"
        )
    if values.image:
        found = [next(sources.read(f"image:{path}")["all"])[0] for path in values.image]
        return np.stack(
            [preprocess.to_unit(preprocess.prepare(p, (height, width), channels)) for p in found]
        )
    if values.workdir is None:
        raise UserError("--image: expected an image file, or a run's --workdir, and found neither")
    found = experiment.load_images(experiment.read(pathlib.Path(values.workdir)))
    return found.test.whole()[: values.count, :height, :width]


if __name__ == "__main__":
    commands.run(main, define, __doc__)
