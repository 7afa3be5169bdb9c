"""Images written one by one: as PNG files of a directory, or as an array."""

import itertools
import json
import pathlib
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import tqdm

from tfgen import files
from tfgen.data import preprocess
from tfgen.errors import UserError
from trainers.drawings import pictures

ARRAYS = ".npz"
RECORD = "asked.json"
"""The file that holds what unfinished images depend on."""


def check(path: pathlib.Path) -> None:
    """Raises UserError unless images can be written to a path.

    Args:
        path: an .npz file, or a new or empty directory.
    """
    if path.suffix == ARRAYS:
        return
    if path.is_file() or (path.is_dir() and any(path.iterdir())):
        raise UserError(f"--output: expected a new or an empty directory and found {path} in use")


def write(
    path: pathlib.Path,
    parts: Callable[[int], Iterable[np.ndarray]],
    asked: Mapping[str, Any],
    total: int | None = None,
) -> None:
    """Writes images, which appear all or none.

    Parts that are made are kept beside the path until all are. So the same command goes on after an
    interruption, and ends with the same files.

    Args:
        path: an .npz file, of which the array `image` is uint8 [n, h, w, c] or, of clips,
            [n, t, h, w, c]; or a directory of the
            files 00000.png, 00001.png and so on, or 00000.gif for clips.
        parts: given how many parts there are already, yields the others: [b, h, w, c] in [-1, 1].
        asked: what the images depend on, as JSON can hold it.
        total: the number of images, for the progress bar; None if it is not known.

    Raises:
        UserError: if parts of other images are kept there.
    """
    kept = path.with_name(f".{path.name}.unfinished")
    found = _parts(kept, asked)
    with tqdm.tqdm(total=total, unit="image", disable=None) as bar:
        bar.update(sum(len(np.load(part, mmap_mode="r")) for part in found))
        for number, batch in enumerate(parts(len(found)), len(found)):
            if not kept.exists():
                _write_record(kept, asked)
            with files.written_aside(kept / f"part-{number:06d}.npy") as aside:
                np.save(aside, preprocess.to_uint8(batch))
            bar.update(len(batch))
    _join(path, sorted(kept.glob("part-*.npy")))
    shutil.rmtree(kept)


def _parts(kept: pathlib.Path, asked: Mapping[str, Any]) -> list[pathlib.Path]:
    """Returns the parts that an interrupted command has made.

    Raises:
        UserError: if it was asked for others.
    """
    if not kept.exists():
        return []
    try:
        before = json.loads((kept / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        before = {}
    for name, value in _plain(asked).items():
        if name not in before or before[name] != value:
            raise UserError(
                f"--output: expected to go on with the images in {kept}, which were begun with "
                f"{name} {before.get(name)}, and found {value}; remove that directory to begin anew"
            )
    return sorted(kept.glob("part-*.npy"))


def _write_record(kept: pathlib.Path, asked: Mapping[str, Any]) -> None:
    with files.written_aside(kept) as aside:
        aside.mkdir()
        text = json.dumps(_plain(asked), indent=1) + "\n"
        (aside / RECORD).write_text(text, encoding="utf-8")


def _plain(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what JSON makes of a mapping."""
    return json.loads(json.dumps(asked, default=str))


def _join(path: pathlib.Path, parts: Sequence[pathlib.Path]) -> None:
    """Writes all parts to one file, or each image to its own."""
    with files.written_aside(path) as aside:
        if path.suffix == ARRAYS:
            np.savez_compressed(aside, image=np.concatenate([np.load(part) for part in parts]))
            return
        aside.mkdir()
        numbers = itertools.count()
        for part in parts:
            for image in np.load(part):
                suffix = pictures.FILM if image.ndim == 4 else ".png"
                pictures.save(aside / f"{next(numbers):05d}{suffix}", image)
