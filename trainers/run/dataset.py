"""The data set of a run: read, said in one line, remembered, and compared with what it was."""

import json
import math
import pathlib
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from absl import flags as absl_flags

from tfgen.data import description, examples, sources
from tfgen.data.request import Request
from tfgen.errors import UserError
from tfgen.version import __version__
from trainers.run import stated

FILE = "data.json"

Remembered = dict[str, Any]
"""What a work directory remembers of its data: what nets must know, and what tells it again."""

KINDS: dict[str, type | tuple[type, ...]] = {
    "image_shape": list,
    "image_mean": list,
    "train_size": int,
    "num_incomplete": int,
}
"""What every data.json holds."""


def define_moved(values: absl_flags.FlagValues, module: str) -> None:
    """Defines the flag `--dataset` of a command that uses a run.

    Args:
        values: where to.
        module: the title of its group in `--help`.
    """
    text = "The run's data set, if it lies elsewhere today; its pictures must be the same."
    absl_flags.DEFINE_string("dataset", None, text, values, module_name=module)


def images(values: absl_flags.FlagValues, *, always: bool = False) -> examples.Images:
    """Reads the data set that flags describe, and prints one line about it.

    Args:
        values: the flags, set.
        always: prepare it on the disk, even if it is small.

    Raises:
        UserError: if there is none such.
    """
    known = stated.reading(values)
    loaded = examples.load(
        values.dataset,
        crop=box("crop", values.crop),
        image_size=sides("image_size", values.image_size),
        channels=values.channels,
        patch_size=values.patch_size,
        clip_length=values.clip_length,
        clip_stride=values.clip_stride,
        missing=values.missing,
        max_images=values.max_images,
        test_fraction=values.test_fraction,
        validation=values.validation,
        data_dir=values.data_dir,
        manual_dir=values.manual_dir,
        background=known.background,
        bit_depth=known.bit_depth,
        value_range=known.value_range,
        progress=stated.shown,
        say=stated.say,
        stored_always=always,
    )
    say(description.counted(loaded))
    return loaded


def request(values: absl_flags.FlagValues) -> Request:
    """Returns what flags ask a source for, before anything is held out.

    Args:
        values: the flags, set.
    """
    return Request(
        name=values.dataset,
        size=sides("image_size", values.image_size),
        channels=values.channels,
        stated=stated.reading(values),
        data_dir=values.data_dir,
        manual_dir=values.manual_dir,
        frames=values.clip_length is not None,
    )


def images_of_run(
    values: absl_flags.FlagValues, before: "Remembered", workdir: pathlib.Path
) -> examples.Images:
    """Reads the data set of a run, and refuses another than it was made with.

    Args:
        values: the run's flags.
        before: what it remembers of its data.
        workdir: the run's.
    """
    loaded = images(values)
    check_same(before, measured(values, loaded), workdir)
    return loaded


def say(found: Mapping[str, Any]) -> None:
    """Prints one line about a data set on stderr, where it is no part of a command's answer.

    Args:
        found: what is known of it; a work directory of an older version knows nothing.
    """
    if "counts" in found:
        print(f"data: {description.line(found)}", file=sys.stderr, flush=True)


def measured(values: absl_flags.FlagValues, loaded: examples.Images) -> Remembered:
    """Returns what is remembered of a data set.

    Args:
        values: the flags, set.
        loaded: the data set.
    """
    return {
        "image_shape": list(loaded.shape),
        "image_mean": [float(m) for m in loaded.train.mean()],
        "train_size": loaded.size,
        "num_incomplete": loaded.size if values.missing else 0,
        "version": __version__,
        **description.facts(loaded),
    }


def remembered(workdir: pathlib.Path) -> Remembered:
    """Returns what a work directory remembers of the data.

    Raises:
        UserError: if it is damaged.
    """
    place = workdir / FILE
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UserError(
            f"--workdir: expected {place} to be whole and could not read it ({_reason(error)})"
        ) from error
    fault = _fault(found)
    if fault:
        raise UserError(f"--workdir: expected {place} to describe a run's data and found {fault}")
    return found


def check_same(before: Remembered, now: Remembered, workdir: pathlib.Path) -> None:
    """Raises UserError if data are others than a run was made with.

    Args:
        before: what the run remembers; one of an older version has no fingerprint.
        now: what today's data are.
        workdir: the run's.
    """
    found = _difference(before, now)
    if found:
        raise UserError(
            f"--dataset: expected the data that {workdir} was made with and found others in "
            f"{now['source']}: {found}; restore them, or choose another --workdir"
        )
    for name in KINDS:
        if not np.allclose(before[name], now[name], atol=1e-3):
            raise UserError(
                f"--workdir: expected {name} {now[name]} in {workdir / FILE}, as the data have it, "
                f"and found {before[name]}; the file is damaged"
            )


def _difference(before: Remembered, now: Remembered) -> str:
    if "fingerprint" in before:
        return description.difference(before, now)
    for name in KINDS:
        if not np.allclose(before[name], now[name], atol=1e-3):
            return f"{name} {before[name]} then and {now[name]} now"
    return ""


def absolute(dataset: str) -> str:
    """Returns a data set's name with an absolute path, if it has one.

    Args:
        dataset: as `--dataset` gives it; `~` at the start of the path is the home directory.
    """
    kind, colon, place = dataset.partition(":")
    if kind not in sources.READERS or not place:
        return dataset
    return f"{kind}{colon}{pathlib.Path.cwd() / pathlib.Path(place).expanduser()}"


def has_place(dataset: str) -> bool:
    """Tells whether a data set lies at a path, so that it may be moved."""
    kind, _, place = dataset.partition(":")
    return kind in sources.READERS and bool(place)


def refuse_workdir_inside(dataset: str, workdir: pathlib.Path) -> None:
    """Raises UserError if a work directory lies in the folder of its own data.

    Its pictures would be trained on.

    Args:
        dataset: as `--dataset` gives it.
        workdir: of the run.
    """
    if not has_place(dataset):
        return
    folder = pathlib.Path(dataset.partition(":")[2]).resolve()
    inside = workdir.resolve()
    if folder.is_dir() and (inside == folder or folder in inside.parents):
        raise UserError(
            f"--workdir: expected a directory outside of the data and found {workdir} in {folder}"
        )


def sides(flag: str, words: list[str] | None) -> tuple[int, int] | None:
    """Returns height and width from a flag of one or two numbers, or None where it is not given.

    Raises:
        UserError: if they are no positive numbers.
    """
    if not words:
        return None
    try:
        numbers = [int(word) for word in words]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2) or min(numbers) < 1:
        raise UserError(
            f"--{flag}: expected one or two positive numbers and found {','.join(words)}"
        )
    return (numbers[0], numbers[-1])


def _fault(found: Any) -> str:
    """Returns what is wrong with what data.json holds, in words; empty if nothing is."""
    if not isinstance(found, dict):
        return f"something else, of the type {type(found).__name__}"
    for name, kind in KINDS.items():
        value = found.get(name)
        if not isinstance(value, kind) or isinstance(value, bool):
            return f"{name} {json.dumps(value)}"
    shape, mean = found["image_shape"], found["image_mean"]
    if len(shape) not in (3, 4) or not all(isinstance(side, int) and side > 0 for side in shape):
        return f"image_shape {json.dumps(shape)}"
    numbers = [m for m in mean if isinstance(m, int | float) and math.isfinite(m)]
    if len(mean) != shape[-1] or len(numbers) != len(mean):
        return f"image_mean {json.dumps(mean)} for {shape[-1]} channels"
    return _fault_of_sizes(found)


def _fault_of_sizes(found: Remembered) -> str:
    if found["train_size"] < 1:
        return f"train_size {found['train_size']}"
    if found["num_incomplete"] not in (0, found["train_size"]):
        return f"num_incomplete {found['num_incomplete']} of {found['train_size']}"
    if "fingerprint" not in found:
        return ""  # of an older version
    for name in ("counts", "fingerprint", "left_out", "unused"):
        if not isinstance(found.get(name), dict):
            return f"{name} {json.dumps(found.get(name))}"
    for name in ("source", "held_out", "picture_shape", "num_classes", "class_names"):
        if name not in found:
            return f"no {name}"
    return ""


def _reason(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def box(flag: str, words: list[str] | None) -> tuple[int, int, int, int] | None:
    """Returns left, top, right, bottom from a flag, or None where it is not given or empty.

    Raises:
        UserError: if they are no four whole numbers.
    """
    if not words:
        return None
    try:
        left, top, right, bottom = (int(word) for word in words)
    except ValueError as error:
        raise UserError(
            f"--{flag}: expected LEFT,TOP,RIGHT,BOTTOM in pixels and found {','.join(words)}"
        ) from error
    return left, top, right, bottom
