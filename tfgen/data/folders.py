"""Folders and .zip archives of image files."""

import pathlib
from collections.abc import Iterator, Sequence

import numpy as np

from tfgen.data import archives, contents, layout, parallel, zips
from tfgen.data.contents import Contents
from tfgen.data.decode import Decoder
from tfgen.data.entries import Entry
from tfgen.data.reading import Reading
from tfgen.errors import UserError

IMAGE_SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".pgm", ".ppm", ".pbm", ".pnm"),
    *(".bmp", ".gif", ".tif", ".tiff", ".webp"),
)
"""Files of other suffixes are not opened."""


def read(name: str, path: pathlib.Path, stated: Reading) -> Contents:
    """Returns the pictures of a folder or a .zip archive, by split, with their labels.

    Args:
        name: of the data set, for complaints.
        path: of the folder, the archive, or a folder in one (`pets.zip/cats`).
        stated: what the user states about the pictures.

    Raises:
        UserError: if it is neither, holds no pictures, or is laid out in none of the ways that
            `tfgen.data.layout` knows.
    """
    if not path.is_dir() and not zips.is_archive(archives.archive_of(path)):
        raise UserError(
            f"dataset {name}: expected a folder or a .zip of images and found the file {path}"
        )
    found = archives.listing(name, path)
    images = [entry for entry in found.entries if entry.path.suffix.lower() in IMAGE_SUFFIXES]
    left_out = contents.left_out(found, images)
    if not images:
        raise UserError(
            f"dataset {name}: expected image files ({', '.join(IMAGE_SUFFIXES)}) and found none"
            f"{contents.among(left_out)}"
        )
    arranged = layout.arrange(name, images)
    decoder = Decoder(f"dataset {name}", stated)  # one, so that splits have one depth
    return Contents(
        {split: decoded(name, taken, decoder) for split, taken in arranged.splits.items()},
        class_names=arranged.class_names,
        sizes={split: len(taken) for split, taken in arranged.splits.items()},
        files=contents.file_sizes(images),
        left_out=left_out,
        notes=decoder.notes,
        evident=decoder.evident,
        bytes=sum(entry.size for entry in images),
        later=lambda split, start: decoded(name, arranged.splits[split][start:], decoder),
    )


def decoded(
    name: str, taken: Sequence[tuple[Entry, int | None]], decoder: Decoder
) -> Iterator[tuple[np.ndarray, int | None]]:
    """Yields the pictures of files with their labels, in order; few of them are in memory at once.

    Args:
        name: of the data set, for complaints.
        taken: the files, each with its label or None.
        decoder: of all pictures of the data set.

    Raises:
        UserError: if a file cannot be read or decoded.
    """
    label_of = {id(entry): label for entry, label in taken}

    def work(item: tuple[Entry, bytes]) -> tuple[np.ndarray, int | None]:
        entry, content = item
        return decoder.sized(entry.shown, content), label_of[id(entry)]

    files = archives.contents(name, [entry for entry, _ in taken])
    yield from parallel.in_order(work, files)
