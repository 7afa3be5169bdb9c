"""The pictures that a request takes: images of the user or of a run, and masks."""

import dataclasses
import pathlib
from collections.abc import Sequence

import numpy as np

from export.saved_model.description import EndpointDescription, Entry
from tfgen import random
from tfgen.data import masks, preprocess, reading, sources
from tfgen.data.reading import Reading
from tfgen.errors import UserError
from trainers.run import experiment

Sides = tuple[int, int]
"""Height and width in pixels."""


def named(endpoint: EndpointDescription, encoding: str) -> list[str]:
    """Returns the names of the inputs that are pictures of a kind.

    Args:
        endpoint: to ask.
        encoding: `image` or `mask`.
    """
    return [name for name, entry in endpoint.inputs.items() if entry.encoding == encoding]


def sides(entry: Entry) -> Sides | None:
    """Returns the height and width of an input's pictures, or None where it takes any."""
    height, width, _ = entry.shape
    return None if height is None or width is None else (height, width)


def any_size(endpoint: EndpointDescription) -> bool:
    """Tells whether an endpoint takes images of any size."""
    return any(sides(endpoint.inputs[name]) is None for name in named(endpoint, "image"))


def of_file(
    path: str, size: Sides | None, channels: int | None, stated: Reading = reading.PLAIN
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
    channels = entry.shape[-1]
    first = of_file(paths[0], sides(entry) or size, channels, stated)
    others = [of_file(path, first.shape[:2], channels, stated) for path in paths[1:]]
    return np.stack([first, *others])


def of_run(
    workdir: pathlib.Path, count: int, entry: Entry, size: Sides | None, moved_to: str | None = None
) -> np.ndarray:
    """Returns held-out images of a run's data, [n, h, w, c].

    Args:
        workdir: of the run.
        count: how many at most.
        entry: of the input that takes them.
        size: where the input takes any; None: as large as they are.
        moved_to: the data set as `--dataset` names it today; None: as the run's flags have it.
    """
    found = experiment.held_out_of(workdir, moved_to).image[:count]
    height, width = sides(entry) or size or found.shape[1:3]
    if height > found.shape[1] or width > found.shape[2]:
        raise UserError(
            f"--workdir: expected held-out images of at least {height}x{width} and found smaller "
            "ones; give one by --image"
        )
    return preprocess.to_unit(found[:, :height, :width])


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


def mask(spec: str, shape: tuple[int, int, int], seed: random.Seed) -> np.ndarray:
    """Returns masks, [n, h, w, 1].

    Args:
        spec: see `tfgen.data.masks`.
        shape: n, h, w.
        seed: of the request; masks that are drawn are drawn with another.
    """
    return masks.parse(spec, shape, random.fold_in(seed, -1)).numpy()
