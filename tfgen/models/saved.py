"""Models on disk: a directory with `model.json` and `weights.npz`.

A work directory of a run keeps such a directory in each of its checkpoints; `pretrained` names
those that come with the package.
"""

import difflib
import importlib
import io
import json
import pathlib
import pkgutil
import re
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from tfgen import files, pretrained
from tfgen.errors import UserError
from tfgen.nets import architectures
from tfgen.version import __version__

if TYPE_CHECKING:
    from tfgen.models.base import Model

FORMAT = 1
"""Number of the layout of a saved model; another one is refused."""

RUN_FORMAT = 2
"""Number of the layout of a work directory."""

DESCRIPTION = "model.json"
WEIGHTS = "weights.npz"
RUN = "run.json"
FLAGS = "flags.cfg"

MODEL = "model"
"""The model's directory in a checkpoint."""

CHECKPOINT = re.compile(r"step-(\d{10})")


def config_of(role: str, net: keras.Model) -> dict[str, Any]:
    """Returns the config of a net, by which Keras makes it again.

    Args:
        role: of the net, for the error.
        net: built.

    Raises:
        UserError: if the net's class does not describe itself.
    """
    try:
        config = keras.saving.serialize_keras_object(net)
        json.dumps(config)
    except (NotImplementedError, TypeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(
            f"{role}: expected a net whose get_config gives numbers, names and lists, which saving "
            f"needs, and found a {type(net).__name__}: {reason}"
        ) from error
    return config


def named_variables(model: "Model") -> dict[str, keras.Variable]:
    """Returns a model's variables by name: the role of their net, and their path within it.

    Raises:
        UserError: if two variables have one name.
    """
    found: dict[str, keras.Variable] = {}
    for role, net in model.nets.items():
        found |= {f"{role}/{name}": v for name, v in net.named_variables().items()}
    # by identity, since variables compare by value
    in_nets = {id(v) for v in found.values()}
    own = [v for v in model.variables if id(v) not in in_nets]
    found |= {f"model/{v.path.removeprefix(model.name + '/')}": v for v in own}
    if len(found) < len(model.variables):
        raise UserError("model: expected a name of its own for each variable and found one twice")
    return found


def write(model: "Model", path: pathlib.Path, compact: bool = False) -> None:
    """Writes a model as a directory, which appears whole or not at all.

    Args:
        model: trained or not.
        path: the directory; a saved model there before is replaced.
        compact: whether numbers are rounded to 16 bits and compressed.

    Raises:
        UserError: if a weight is not finite, or `path` holds something else.
    """
    if path.exists() and not (path / DESCRIPTION).exists():
        raise UserError(f"{path}: expected a saved model or nothing there and found other files")
    # checked before anything is written, so that a bad model leaves the old one in place
    named = named_variables(model)
    # a variable of several workers has no array of its own
    values = {name: tf.convert_to_tensor(v.value).numpy() for name, v in named.items()}
    shapes = {name: [value.dtype.name, *value.shape] for name, value in values.items()}
    if compact:
        values = {name: _halved(value) for name, value in values.items()}
    for name, value in values.items():
        _check_finite(path, name, value)
    description = {
        "format": FORMAT,
        "tfgen": __version__,
        "class": type(model).__name__,
        "updates": model.updates,
        "config": model.get_config(),
        "variables": shapes,
    }
    with files.written_aside(path) as aside:
        aside.mkdir()
        (aside / DESCRIPTION).write_text(json.dumps(description, indent=1) + "\n")
        write_arrays = np.savez_compressed if compact else np.savez
        write_arrays(aside / WEIGHTS, **values)  # type: ignore[arg-type]


def _halved(value: np.ndarray) -> np.ndarray:
    """Returns an array with floats of 16 bits; one too large for these becomes infinite."""
    if value.dtype != np.float32:
        return value
    with np.errstate(over="ignore"):
        return value.astype(np.float16)


def read(path: pathlib.Path) -> "Model":
    """Reads a model that `write` wrote.

    Args:
        path: its directory.

    Raises:
        UserError: if there is none, it has another format, or it is damaged.
    """
    from tfgen import models  # the classes of models, which import this module

    _import_nets()
    description = _description(path)
    if description.get("format") != FORMAT:
        raise UserError(
            f"{path}: expected a saved model of format {FORMAT} and found format "
            f"{description.get('format')}, written by tfgen {description.get('tfgen')}"
        )
    classes = {cls.__name__: cls for cls in models.MODELS}
    if description["class"] not in classes:
        raise UserError(
            f"{path}: expected one of {', '.join(sorted(classes))} and found a model of the "
            f"class {description['class']}"
        )
    try:
        model = classes[description["class"]].from_config(description["config"])
    except (TypeError, ValueError, KeyError) as error:
        lines = str(error).splitlines() or [type(error).__name__]
        reason = lines[0].partition(". ")[0]  # Keras's messages go on with advice
        raise UserError(
            f"{path}: could not make the model that it describes ({reason}); if a net is a class "
            "of your own, import its module first"
        ) from error
    model.updates = description["updates"]
    _set_weights(model, path)
    return model


def load(path: str | pathlib.Path, step: int | None = None) -> "Model":
    """Reads a saved model, the model of a work directory's checkpoint, or a pretrained model.

    Args:
        path: a directory that `Model.save` wrote, the work directory of a run, or the name of a
            pretrained model, which `tfgen zoo` lists. A directory goes before a name.
        step: updates behind the checkpoint, of a work directory; None: the newest.

    Returns:
        The model, with averaged weights where the run keeps them.

    Raises:
        UserError: if there is no such model, it has another format, or it is damaged.

    Example:
        >>> model = load("mnist5k-triangle")
        >>> model.generate(count=16, seed=0)
    """
    name, path = str(path), pathlib.Path(path)
    if not path.exists() and name in pretrained.names():
        path = pretrained.path_of(name)
    if (path / DESCRIPTION).exists():
        if step is not None:
            raise UserError(f"step: expected none, since {path} is a saved model without steps")
        return read(path)
    check_run(path)
    directory = path / "checkpoints"
    steps = checkpoint_steps(directory)
    if not steps:
        raise UserError(f"{path}: expected a checkpoint and found none; train first")
    if step is not None and step not in steps:
        kept = ", ".join(map(str, steps))
        raise UserError(f"step: expected one of {kept}, which {path} keeps, and found {step}")
    return read(checkpoint(directory, steps[-1] if step is None else step) / MODEL)


def check_run(path: pathlib.Path) -> None:
    """Raises UserError unless a path is the work directory of a run in today's format."""
    record = path / RUN
    if not record.exists():
        if (path / FLAGS).exists():
            raise UserError(
                f"{path}: expected a run of format {RUN_FORMAT} and found one of an older version "
                f"of tfgen without {RUN}; train again, or use that version"
            )
        close = difflib.get_close_matches(path.name, pretrained.names(), n=1)
        hint = f"; did you mean the pretrained model {close[0]}?" if close else ""
        raise UserError(
            f"{path}: expected a saved model ({DESCRIPTION}) or a run's directory ({RUN}) and "
            f"found {'neither in it' if path.is_dir() else f'no such directory{hint}'}"
        )
    found = _json(record)
    if found.get("format") != RUN_FORMAT:
        raise UserError(
            f"{path}: expected a run of format {RUN_FORMAT} and found format "
            f"{found.get('format')}, written by tfgen {found.get('tfgen')}"
        )


def describe_run() -> dict[str, Any]:
    """Returns what a work directory records of the code that made it."""
    return {"format": RUN_FORMAT, "tfgen": __version__}


def checkpoint_steps(directory: pathlib.Path) -> list[int]:
    """Returns the steps of the complete checkpoints in a directory, oldest first."""
    if not directory.is_dir():
        return []
    matches = (CHECKPOINT.fullmatch(path.name) for path in directory.iterdir())
    return sorted(int(match[1]) for match in matches if match)


def checkpoint(directory: pathlib.Path, step: int) -> pathlib.Path:
    """Returns the place of a step's checkpoint."""
    return directory / f"step-{step:010d}"


def _import_nets() -> None:
    """Imports the modules of net classes, which makes these known to Keras by name."""
    for module in pkgutil.iter_modules(architectures.__path__):
        importlib.import_module(f"{architectures.__name__}.{module.name}")


def _set_weights(model: "Model", path: pathlib.Path) -> None:
    """Sets a model's variables from a file, by name."""
    variables = named_variables(model)
    try:
        content = io.BytesIO((path / WEIGHTS).read_bytes())
        with np.load(content, allow_pickle=False) as archive:
            values = dict(archive)
    except Exception as error:  # a file that is cut short or changed fails in many ways
        raise UserError(f"{path}: could not read {WEIGHTS}; it is missing or damaged") from error
    if values.keys() != variables.keys():
        other = sorted(values.keys() ^ variables.keys())[0]
        where = "only in the file" if other in values else "only in the model"
        raise UserError(f"{path}: expected the model's variables and found {other} {where}")
    for name, variable in variables.items():
        if values[name].shape != tuple(variable.shape):
            raise UserError(
                f"{path}: expected {name} of shape {list(variable.shape)} and found "
                f"{list(values[name].shape)}"
            )
        _check_finite(path, name, values[name])
        variable.assign(values[name])


def _check_finite(path: pathlib.Path, name: str, value: np.ndarray) -> None:
    if not np.isfinite(value.astype(np.float64)).all():
        raise UserError(f"{path}: expected finite weights and found NaN or infinity in {name}")


def _description(path: pathlib.Path) -> dict[str, Any]:
    if not (path / DESCRIPTION).exists():
        raise UserError(f"{path}: expected a saved model and found no {DESCRIPTION}")
    return _json(path / DESCRIPTION)


def _json(path: pathlib.Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: could not be read; it is damaged") from error
    if not isinstance(found, dict):
        raise UserError(f"{path}: expected a description by name and found something else")
    return found
