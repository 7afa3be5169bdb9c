"""Images written one by one: as PNG files of a directory, or as an array."""

import pathlib
from collections.abc import Iterable

import numpy as np

from tfgen import files
from tfgen.data import preprocess
from tfgen.errors import UserError
from trainers.drawings import pictures

ARRAYS = ".npz"


def check(path: pathlib.Path) -> None:
    """Raises UserError unless images can be written to a path.

    Args:
        path: an .npz file, or a new or empty directory.
    """
    if path.suffix == ARRAYS:
        return
    if path.is_file() or (path.is_dir() and any(path.iterdir())):
        raise UserError(f"--output: expected a new or an empty directory and found {path} in use")


def write(path: pathlib.Path, batches: Iterable[np.ndarray]) -> None:
    """Writes images, which appear all or none.

    Args:
        path: an .npz file, of which the array `image` is uint8 [n, h, w, c]; or a directory of the
            files 00000.png, 00001.png and so on.
        batches: of images, [b, h, w, c] in [-1, 1].
    """
    with files.written_aside(path) as aside:
        if path.suffix == ARRAYS:
            image = np.concatenate([preprocess.to_uint8(batch) for batch in batches])
            np.savez_compressed(aside, image=image)
            return
        aside.mkdir()
        number = 0
        for batch in batches:
            for image in preprocess.to_uint8(batch):
                pictures.save(aside / f"{number:05d}.png", image)
                number += 1
