"""Asks an exported SavedModel, in this process or behind a server that speaks REST or gRPC.

    python -m export.client --saved_model=DIR --task=complete --image=FILE --output=F.png
    python -m export.client --server=http://HOST:8501 --model=NAME --task=energy --image=FILE
    python -m export.client --server=HOST:8500 --model=NAME --task=generate --output=F.png

`--output=F.png` draws images, what is left of them under --mask, and below what the model makes of
them. Of clips it is a strip of frames, and `--output=F.gif` a film. `--output=F.npz` writes the
answers by name. Without --output, numbers are printed as a table. `--task=describe` prints what a
model can be asked, with all inputs and their defaults. An input that is not given takes the model's
own default, such as its number of sampling steps.

Images are given by --image or --workdir, masks by --mask, and num_steps by --steps. Other inputs
with a flag have the flag's name. All others are given by --set=NAME=VALUE.
"""

import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from absl import flags as absl_flags

from export.clients import drawings, image_inputs, in_process, listing, remote, request, tables
from export.clients.drawings import Question
from export.clients.exported import Exported
from export.clients.request import seeds
from export.saved_model import description
from export.saved_model.description import EndpointDescription
from tfgen import random
from tfgen.data import masks
from tfgen.errors import UserError
from tfgen.models import inputs
from trainers.drawings import pictures
from trainers.run import classes, commands, dataset, flags, stated

__all__ = ["define", "main", "seeds"]

# read off the models, so that a new task is listed without an edit here
__doc__ += f"""
The tasks, of which a model has some, with the inputs that they may take:

{listing.of_models()}
"""

SUFFIXES = (".png", ".gif", ".npz")


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where: dict[str, Any] = {"flag_values": values, "module_name": "export.client"}
    _define_where(where)
    absl_flags.DEFINE_string("task", None, "What to ask for: a task of the model.", **where)
    absl_flags.DEFINE_string(
        "output",
        None,
        "The file to write: .png, a picture (of clips .gif, too); .npz, the answers.",
        **where,
    )
    absl_flags.DEFINE_multi_string("image", None, "An image file to work on.", **where)
    absl_flags.DEFINE_string(
        "workdir", None, "Work on held-out images of this run's data instead.", **where
    )
    dataset.define_moved(values, where["module_name"])
    absl_flags.DEFINE_string("mask", "half:bottom", masks.NAMES, **where)
    absl_flags.DEFINE_integer("count", 12, "How many rows to ask for.", lower_bound=1, **where)
    flags.define_seed(values, where["module_name"])
    absl_flags.DEFINE_multi_string(
        "set", [], "NAME=VALUE: any other input; a number, several, or a .npy file.", **where
    )
    stated.define(values, "export.client")
    _define_inputs(where)


def _define_where(where: dict[str, Any]) -> None:
    absl_flags.DEFINE_string(
        "saved_model", None, "A model's directory, of which the newest version is asked.", **where
    )
    absl_flags.DEFINE_string(
        "server", None, "A server to ask instead: URL (REST), or HOST:PORT (gRPC).", **where
    )
    absl_flags.DEFINE_string("model", None, "The model's name on the server.", **where)


def _define_inputs(where: dict[str, Any]) -> None:
    """Defines the flags of single inputs, whose defaults are the model's; see `request.FLAGS`."""
    absl_flags.DEFINE_integer("steps", None, "Sampling steps.", 0, **where)
    classes.define(where["flag_values"], where["module_name"], "all rows")
    absl_flags.DEFINE_list("size", None, "Height,width (or one side) in pixels.", **where)
    absl_flags.DEFINE_integer("length", None, "Frames of clips to synthesize.", 1, **where)
    absl_flags.DEFINE_boolean("spherical", None, _said(inputs.spherical()), **where)
    absl_flags.DEFINE_float("gamma", None, _said(inputs.gamma()), 0, 1, **where)


def _said(known: inputs.Input) -> str:
    """Returns an input's meaning as a sentence."""
    return f"{known.meaning[0].upper()}{known.meaning[1:]}."


def main(values: absl_flags.FlagValues) -> None:
    """Asks."""
    flags.require(values, "task")
    output = None if values.output is None else pathlib.Path(values.output)
    if output is not None and output.suffix not in SUFFIXES:
        raise UserError(f"--output: expected a .png, .gif or .npz file and found {output}")
    model = _model(values)
    if values.task == description.NAME:
        print(listing.of_export(model.description))
        return
    question = _question(model, values)
    if output is None:
        print(_table(question))
        return
    if output.suffix == ".npz":
        tables.save(output, question.ask())
    else:
        _draw(question, output)
    print(output)


def _model(values: absl_flags.FlagValues) -> Exported:
    if (values.saved_model is None) == (values.server is None):
        found = "neither" if values.server is None else "both"
        raise UserError(
            f"--saved_model: expected a model's directory, or a --server, and found {found}"
        )
    if values.server is None:
        return in_process.InProcess(pathlib.Path(values.saved_model))
    flags.require(values, "model")
    return remote.connect(values.server, values.model)


def _question(model: Exported, values: absl_flags.FlagValues) -> Question:
    endpoint = model.endpoint(values.task)
    given = _given(endpoint, values, model.description.facts.get("class_names"))
    return Question(
        model=model,
        endpoint=endpoint,
        given=given,
        pictures=_pictures(model, endpoint, values),
        count=values.count,
        seed=values.seed,
    )


def _given(
    endpoint: EndpointDescription, values: absl_flags.FlagValues, names: Sequence[str] | None
) -> dict[str, np.ndarray]:
    """Returns the values of inputs that flags give, by name of the input."""
    given = {flag: values[flag].value for flag in request.FLAGS.values()}
    given["label"] = classes.number(values.label, names)
    given["size"] = _asked_size(endpoint, values)
    return request.given(endpoint, given, values.set)


def _asked_size(
    endpoint: EndpointDescription, values: absl_flags.FlagValues
) -> Sequence[int] | None:
    """Returns the size that is to be synthesized: height and width, or frames; None if not given.

    Raises:
        UserError: if the flag is the other kind's.
    """
    of_clips = "size" in endpoint.inputs and endpoint.inputs["size"].shape == (1,)
    if of_clips and values.size is not None:
        raise UserError("--size: expected none, since this model is of clips; give --length")
    if not of_clips and values.length is not None:
        raise UserError(
            f"--length: expected none, since {endpoint.name} of this model takes no length"
        )
    if values.length is not None:
        return (values.length,)
    # the size of images that an endpoint takes in any size is the images' own
    return None if image_inputs.any_size(endpoint) else _size(values)


def _size(values: absl_flags.FlagValues) -> image_inputs.Sides | None:
    return dataset.sides("size", values.size)


def _pictures(
    model: Exported, endpoint: EndpointDescription, values: absl_flags.FlagValues
) -> dict[str, np.ndarray]:
    """Returns the images and masks that an endpoint takes, by name of the input."""
    names = image_inputs.images(endpoint)
    if not names:
        return {}
    entry, size = endpoint.inputs[names[0]], _size(values)
    if values.image:
        found = image_inputs.of_files(values.image, entry, size, stated.reading(values))
    elif values.workdir:
        found = image_inputs.of_run(
            pathlib.Path(values.workdir), values.count, entry, size, values.dataset
        )
    else:
        raise UserError("--image: expected an image file, or a run's --workdir, and found neither")
    *_, own_height, own_width, _ = model.description.facts["image_shape"]
    least = min(own_height, own_width)
    height, width = found.shape[-3:-1]
    if min(height, width) < least:
        raise UserError(
            f"--size: expected at least {least} pixels a side and found {min(height, width)}"
        )
    shown = image_inputs.shared_out(names, found)
    shape = shown[names[0]].shape[:-1]
    for name in image_inputs.masks(endpoint):
        shown[name] = image_inputs.mask(values.mask, shape, random.root(values.seed))
    return shown


def _table(question: Question) -> str:
    """Returns an answer as a table.

    Raises:
        UserError: if it is better written to a file.
    """
    name = question.endpoint.name
    if not tables.fits(question.endpoint):
        raise UserError(
            f"--output: expected a .png or .npz file, since {name} answers in pictures, and found "
            "none"
        )
    answer = question.ask()
    if not tables.is_short(answer):
        raise UserError(
            f"--output: expected a .npz file, since {name} answers in long vectors, and found none"
        )
    return tables.text(answer)


def _draw(question: Question, output: pathlib.Path) -> None:
    """Writes the picture of an answer, or the film."""
    if not drawings.has_picture(question.endpoint):
        raise UserError(
            f"--output: expected a .npz file, or none, since {question.endpoint.name} answers in "
            f"numbers, and found {output}"
        )
    if output.suffix == pictures.FILM and not drawings.has_film(question.endpoint):
        raise UserError(
            f"--output: expected a .png or .npz file, since {question.endpoint.name} answers in "
            f"images without motion, and found {output}"
        )
    pictures.save(output, drawings.draw(question))


if __name__ == "__main__":
    commands.run(main, define, __doc__)
