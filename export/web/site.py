"""The directory of a page: its own files, libraries, LiteRT files, and facts of the model."""

import functools
import json
import pathlib
import shutil
from typing import Any

from export import outputs
from export.litert import convert
from export.web import libraries
from tfgen import files
from tfgen.data import preprocess
from tfgen.errors import UserError
from tfgen.models import Endpoint, EnergyModel, LatentModel, Model
from tfgen.version import __version__
from trainers.drawings import pictures
from trainers.run.trained import Trained

PAGE = pathlib.Path(__file__).parent / "page"
ENDPOINTS = ("complete_step", "refine_step", "decode", "encode", "energy")
"""What the page asks of a model; what the model cannot do is hidden."""

OF_CLIPS = ("decode",)
"""What it asks of a model of clips, which it plays; its easel holds single images."""

MADE = {"model.json", "models", "examples", "libraries", "starts.bin"}
"""What a page's directory holds beside the files of PAGE."""


def endpoints(model: Model) -> dict[str, Endpoint]:
    """Returns those that the page asks.

    Raises:
        UserError: if there are none, or none that would make a picture.
    """
    channels = model.image_shape[-1]
    if channels not in (1, 3):
        raise UserError(
            f"--workdir: expected a model of images in grey or colour and found one of {channels} "
            "channels"
        )
    clips = len(model.image_shape) == 4
    found = convert.endpoints(model)
    if clips and "decode" not in found:
        raise UserError(
            "--workdir: expected a model of clips with a generator and found one without"
        )
    if not {"complete_step", "decode"} & found.keys():
        raise UserError(
            "--workdir: expected a model with a generator or with an energy that images move under"
        )
    return {name: found[name] for name in (OF_CLIPS if clips else ENDPOINTS) if name in found}


def refuse_others(output: pathlib.Path) -> None:
    """Raises UserError if the directory holds anything but a page."""
    if output.is_dir():
        found = {path.name for path in output.iterdir()}
        if not found - MADE - {path.name for path in PAGE.iterdir()}:
            return
    elif not output.exists():
        return
    raise UserError(
        f"--output: expected a page's directory or an empty one and found other files in {output}"
    )


def write(trained: Trained, output: pathlib.Path, examples: int) -> None:
    """Writes a page, in the place of an older one.

    Args:
        trained: the run.
        output: the page's directory.
        examples: held-out pictures to offer, at most; none if the run's data are not there.

    Raises:
        UserError: if the model can do nothing that the page shows.
    """
    found = endpoints(trained.model)
    outputs.remove_leftovers(output.absolute().parent, lambda name: name == output.name)
    with files.written_aside(output) as aside:
        shutil.copytree(PAGE, aside)
        libraries.copy(aside / "libraries")
        for name, endpoint in found.items():
            path = aside / "models" / f"{name}.tflite"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(convert.convert(endpoint)["float32"])
        shown = _examples(trained, aside, examples) if "complete_step" in found else []
        known = describe(trained) | {"files": list(found), "examples": shown}
        known["starts"] = _write_starts(trained.model, aside)
        (aside / "model.json").write_text(
            json.dumps(known, indent=2, allow_nan=False) + "\n", encoding="utf-8"
        )


def describe(trained: Trained) -> dict[str, Any]:
    """Returns the facts of a model: its shapes, and how completions begin and go on."""
    model, values = trained.model, trained.values
    # a page may be published, paths may not
    dataset = values.dataset.rpartition(":")[2].rpartition("/")[2]
    return {
        "algorithm": values.algorithm,
        "nets": values.nets,
        "dataset": dataset,
        "updates": model.updates,
        "version": __version__,
        "image_shape": list(model.image_shape),
        "classes": model.num_classes,
        **sampling(model),
    }


@functools.singledispatch
def sampling(model: Model) -> dict[str, Any]:
    """Returns how missing pixels stand before the first step, and which steps follow.

    Args:
        model: of a kind that the page can show.
    """
    raise UserError(f"--workdir: expected a model that completes images and found {model.name}")


@sampling.register
def _(model: LatentModel) -> dict[str, Any]:
    inferring, refining = model.inference_sampling, model.sampling
    return {
        "start": {"mean": [0.0] * model.image_shape[-1], "std": 0.0},
        "steps": model.completion_rounds,
        "refine_steps": 0 if refining is None else refining.steps,
        "denoising_steps": 0,
        "latent_shape": list(model.generator.latent_shape),
        # where latents are sampled, each time takes a start and a draw for each of these steps
        "inference_steps": 0 if inferring is None else inferring.steps,
        "margin": 0,
    }


@sampling.register
def _(model: EnergyModel) -> dict[str, Any]:
    return {
        "start": {"mean": [float(m) for m in model.image_mean], "std": float(model.sigma)},
        "steps": model.sampling.steps,
        "refine_steps": 0,
        "denoising_steps": model.sampling.denoising_steps,
        "latent_shape": None,
        "inference_steps": 0,
        "margin": model.margin,
    }


@functools.singledispatch
def _write_starts(model: Model, directory: pathlib.Path) -> int:
    """Writes pictures that sampling starts from, little-endian floats, and returns their number."""
    del model, directory
    return 0


@_write_starts.register
def _(model: EnergyModel, directory: pathlib.Path) -> int:
    if not model.start_from_chains:
        return 0
    chains = model.persistent_chains.state
    (directory / "starts.bin").write_bytes(chains.numpy().astype("<f4").tobytes())
    return chains.shape[0]


def _examples(trained: Trained, directory: pathlib.Path, count: int) -> list[str]:
    """Writes held-out pictures as files, and returns their names."""
    try:
        held_out = list(trained.images.test.shown(count)) if count else []
    except UserError as error:
        print(f"no examples: {error}")
        return []
    names = [f"examples/{number:02d}.png" for number in range(len(held_out))]
    for name, picture in zip(names, held_out, strict=True):
        pictures.save(directory / name, preprocess.to_uint8(picture))
    return names
