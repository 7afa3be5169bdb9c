"""A page's directory: its own files, its libraries, the model's LiteRT files and what the page must know of them."""

import json
import pathlib
import shutil

from export.litert import convert
from export.web import libraries
from tfgen import files
from tfgen.data import preprocess
from tfgen.errors import UserError
from tfgen.models import EnergyTasks, LatentTasks
from tfgen.training.algorithm import Algorithm
from tfgen.types import Endpoint
from tfgen.version import __version__
from trainers.drawings import pictures
from trainers.run.experiment import Experiment

PAGE = pathlib.Path(__file__).parent / "page"
ENDPOINTS = ("complete_step", "decode", "encode", "energy")
"""What the page asks of a model; what it cannot is hidden."""
MADE = {"model.json", "models", "examples", "libraries", "starts.bin"}
"""What a page's directory holds beside the files of PAGE."""


def endpoints(algorithm: Algorithm) -> dict[str, Endpoint]:
    """Those that the page asks.

    Raises:
        UserError: if there are none, or none that would make a picture.
    """
    channels = algorithm.image_shape[-1]
    if channels not in (1, 3):
        raise UserError(
            f"--workdir: expected a model of images in grey or colour and found one of {channels} channels"
        )
    try:
        found = convert.endpoints(algorithm)
    except UserError:
        found = {}
    if not {"complete_step", "decode"} & found.keys():
        raise UserError(
            "--workdir: expected a model with a generator or with an energy that images move under"
        )
    return {name: found[name] for name in ENDPOINTS if name in found}


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


def write(trained: Experiment, output: pathlib.Path, examples: int) -> None:
    """Writes a page, in the place of an older one.

    Args:
        trained: the run.
        output: the page's directory.
        examples: held-out pictures to offer, at most; none if the run's data are not there.

    Raises:
        UserError: if the model can do nothing that the page shows.
    """
    found = endpoints(trained.algorithm)
    with files.written_aside(output) as aside:
        shutil.copytree(PAGE, aside)
        libraries.copy(aside / "libraries")
        for name, endpoint in found.items():
            path = aside / "models" / f"{name}.tflite"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(convert.convert(endpoint)["float32"])
        shown = _examples(trained, aside, examples) if "complete_step" in found else []
        known = (
            describe(trained)
            | {"files": list(found), "examples": shown}
            | _starts(trained.algorithm, aside)
        )
        (aside / "model.json").write_text(json.dumps(known, indent=2) + "\n")
        if output.exists():
            shutil.rmtree(output)


def describe(trained: Experiment) -> dict:
    """What the page must know of a model: what it is, its shapes, and how its completions begin and go on."""
    algorithm, values = trained.algorithm, trained.values
    return {
        "algorithm": values.algorithm,
        "nets": values.nets,
        "dataset": values.dataset.rpartition(":")[2].rpartition("/")[
            2
        ],  # a page may be published, paths may not
        "updates": int(algorithm.num_updates),
        "version": __version__,
        "image_shape": list(algorithm.image_shape),
        **_sampling(algorithm),
    }


def _sampling(algorithm: Algorithm) -> dict:
    """How missing pixels stand before the first step, and how many steps follow."""
    match algorithm.tasks:
        case LatentTasks() as tasks:
            start = {"mean": [0.0] * tasks.image_shape[-1], "std": 0.0}
            latent = list(tasks.generator.latent_shape)
            steps = {"steps": tasks.completion_rounds, "denoising_steps": 0}
            return {"start": start, **steps, "latent_shape": latent, "classes": 1, "margin": 0}
        case EnergyTasks() as tasks:
            start = {"mean": [float(m) for m in tasks.mean], "std": float(tasks.sigma)}
            steps = {"steps": algorithm.sample_steps, "denoising_steps": tasks.denoising_steps}
            return {
                "start": start,
                **steps,
                "latent_shape": None,
                "classes": tasks.num_classes,
                "margin": tasks.margin,
            }


def _starts(algorithm: Algorithm, directory: pathlib.Path) -> dict:
    """Pictures that sampling starts from, little-endian floats, where a model remembers some."""
    memory = getattr(algorithm.tasks, "memory", None)
    if memory is None:
        return {"starts": 0}
    (directory / "starts.bin").write_bytes(memory.numpy().astype("<f4").tobytes())
    return {"starts": memory.shape[0]}


def _examples(trained: Experiment, directory: pathlib.Path, count: int) -> list[str]:
    """Held-out pictures, as files."""
    height, width, _ = trained.algorithm.image_shape
    try:
        held_out = trained.images.test.whole()[:count, :height, :width] if count else []
    except UserError as error:
        print(f"no examples: {error}")
        return []
    names = [f"examples/{number:02d}.png" for number in range(len(held_out))]
    for name, picture in zip(names, held_out, strict=True):
        pictures.save(directory / name, preprocess.to_uint8(picture))
    return names
