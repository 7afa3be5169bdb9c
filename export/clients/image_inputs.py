"""The pictures that a request takes: images of the user or of a run, and masks."""

import dataclasses
import pathlib
from collections.abc import Sequence

import numpy as np

from export.saved_model.description import EndpointDescription, Entry
from tfgen import random
from tfgen.data import masks as patterns
from tfgen.data import preprocess, reading, sources
from tfgen.data.reading import Reading
from tfgen.errors import UserError
from trainers.run.trained import held_out_of

Sides = tuple[int, ...]
"""Height and width in pixels; before these, frames of clips."""

IMAGES = ("image", "clip")
MASKS = ("mask", "clip_mask")


def images(endpoint: EndpointDescription) -> list[str]:
    """Returns the names of the inputs that are images, or clips."""
    return [name for name, entry in endpoint.inputs.items() if entry.encoding in IMAGES]


def masks(endpoint: EndpointDescription) -> list[str]:
    """Returns the names of the inputs that are masks of images, or of clips."""
    return [name for name, entry in endpoint.inputs.items() if entry.encoding in MASKS]


def sides(entry: Entry) -> Sides | None:
    """Returns the sides of an input's images or clips, or None where it takes any."""
    *found, _ = entry.shape
    known = tuple(side for side in found if side is not None)
    return known if len(known) == len(found) else None


def any_size(endpoint: EndpointDescription) -> bool:
    """Tells whether an endpoint takes images of any size."""
    return any(sides(endpoint.inputs[name]) is None for name in images(endpoint))


def of_file(
    path: str, size: tuple[int, int] | None, channels: int | None, stated: Reading = reading.PLAIN
) -> np.ndarray:
    """Returns the image of a file in [-1, 1], [h, w, c], cropped and resized to a size if given.

    Args:
        path: of the file.
        size: height, width.
        channels: 1, 3 or None.
        stated: what the user states about the file.

    Raises:
        UserError: if it is none.
    """
    found = sources.read_image(path, dataclasses.replace(stated, size=size))
    return preprocess.to_unit(preprocess.prepare(found, size, channels))


def of_files(
    paths: Sequence[str], entry: Entry, size: Sides | None, stated: Reading = reading.PLAIN
) -> np.ndarray:
    """Returns the images of files, [n, h, w, c].

    Args:
        paths: at least one.
        entry: of the input that takes them.
        size: where the input takes any; None: as large as the first.
        stated: what the user states about the files.
    """
    *_, channels = entry.shape
    own = sides(entry) or size
    if entry.encoding == "clip":
        raise UserError("--image: expected none, since this model is of clips; give --workdir")
    wanted = None if own is None else (own[0], own[1])
    first = of_file(paths[0], wanted, channels, stated)
    others = [of_file(path, first.shape[:2], channels, stated) for path in paths[1:]]
    return np.stack([first, *others])


def of_run(
    workdir: pathlib.Path, count: int, entry: Entry, size: Sides | None, moved_to: str | None = None
) -> np.ndarray:
    """Returns held-out images, or clips, of a run's data, [n, h, w, c] or [n, t, h, w, c].

    Args:
        workdir: of the run.
        count: how many at most.
        entry: of the input that takes them.
        size: where the input takes any; None: as large as they are.
        moved_to: the data set as `--dataset` names it today; None: as the run's flags have it.
    """
    found = held_out_of(workdir, moved_to).image[:count]
    own = sides(entry) or size or found.shape[1:-1]
    if len(own) != found.ndim - 2 or any(np.greater(own, found.shape[1:-1])):
        least = "x".join(map(str, own))
        raise UserError(
            f"--workdir: expected held-out images of at least {least} and found smaller ones; give "
            "one by --image"
        )
    return preprocess.to_unit(found[:, *(slice(side) for side in own)])


def shared_out(names: Sequence[str], found: np.ndarray) -> dict[str, np.ndarray]:
    """Deals images out to the inputs in turn: the first to the first, the second to the second.

    Raises:
        UserError: if an input is left without.
    """
    each = len(found) // len(names)
    if not each:
        raise UserError(
            f"--image: expected at least {len(names)} images, for {' and '.join(names)}, and found "
            f"{len(found)}; give --image again"
        )
    whole = found[: each * len(names)]
    return {name: whole[number :: len(names)] for number, name in enumerate(names)}


def mask(spec: str, shape: tuple[int, ...], seed: random.Seed) -> np.ndarray:
    """Returns masks, [n, h, w, 1], or of clips [n, t, h, w, 1].

    Args:
        spec: see `tfgen.data.masks`.
        shape: n, h, w; or n, t, h, w.
        seed: of the request; masks that are drawn are drawn with another.
    """
    return patterns.parse(spec, shape, random.fold_in(seed, -1)).numpy()
