"""How a folder of pictures is laid out: its splits and its classes, by the names of its folders.

    PICTURES                    no labels
    CLASS/PICTURES              a label for each class
    SPLIT/PICTURES              train, val or validation, test
    SPLIT/CLASS/PICTURES

A single folder around all of these does not count.
"""

import pathlib
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tfgen.data.contents import ALL, TEST, TRAIN, VALIDATION
from tfgen.data.entries import Entry
from tfgen.errors import UserError

SPLIT_NAMES = {
    "train": TRAIN,
    "training": TRAIN,
    "val": VALIDATION,
    "valid": VALIDATION,
    "validation": VALIDATION,
    "test": TEST,
    "testing": TEST,
}
"""The splits that folders at the top stand for, by their names in lower case."""

Parts = tuple[str, ...]
"""A picture's path below the folders that do not count."""


class Layout(NamedTuple):
    """The pictures of a folder, by split, with their labels."""

    splits: dict[str, list[tuple[Entry, int | None]]]
    class_names: tuple[str, ...] | None


def arrange(name: str, entries: Sequence[Entry]) -> Layout:
    """Finds the splits and the classes of pictures by the folders that they lie in.

    Args:
        name: of the data set, for complaints.
        entries: at least one.

    Raises:
        UserError: if some pictures lie in the folder of a split or a class and others do not, or a
            class is in the test split alone.
    """
    below = _without_common_folders({entry.path: entry.path.parts for entry in entries})
    split_of = _splits(name, below)
    if split_of is None:
        split_of = dict.fromkeys(below, ALL)
    else:
        below = _without_common_folders({path: parts[1:] for path, parts in below.items()})
    classes = _classes(name, below)
    if classes is not None:
        _check_classes(name, below, split_of)
    splits: dict[str, list[tuple[Entry, int | None]]] = {}
    for entry in entries:
        label = None if classes is None else classes[below[entry.path][0]]
        splits.setdefault(split_of[entry.path], []).append((entry, label))
    return Layout(splits, None if classes is None else tuple(classes))


def natural(name: str) -> tuple[list[str | int], str]:
    """Returns what a name is sorted by, so that numbers in names count as numbers: 1, 2, 10."""
    words = re.split(r"(\d+)", name)
    # every second word is of digits, so that words are compared with words alone
    return [int(word) if number % 2 else word for number, word in enumerate(words)], name


def _without_common_folders(
    below: Mapping[pathlib.PurePosixPath, Parts],
) -> dict[pathlib.PurePosixPath, Parts]:
    """Leaves out the folders at the top that all pictures share."""
    found = dict(below)
    while len({parts[0] for parts in found.values()}) == 1 and all(
        len(parts) > 1 for parts in found.values()
    ):
        found = {path: parts[1:] for path, parts in found.items()}
    return found


def _splits(
    name: str, below: Mapping[pathlib.PurePosixPath, Parts]
) -> dict[pathlib.PurePosixPath, str] | None:
    """Returns the split of each picture, or None where the folders at the top are no splits."""
    tops = {parts[0] for parts in below.values() if len(parts) > 1}
    folders: dict[str, list[str]] = {}
    for top in sorted(tops):
        if top.casefold() in SPLIT_NAMES:
            folders.setdefault(SPLIT_NAMES[top.casefold()], []).append(top)
    named = ", ".join(folder for several in folders.values() for folder in several)
    for several in folders.values():
        if len(several) > 1:
            raise UserError(f"dataset {name}: expected one folder for each split and found {named}")
    if len(folders) < 2:
        return None  # a single folder of such a name is a class
    if TRAIN not in folders:
        raise UserError(f"dataset {name}: expected a folder train beside {named} and found none")
    found = {}
    for path, parts in below.items():
        split = SPLIT_NAMES.get(parts[0].casefold()) if len(parts) > 1 else None
        if split is None:
            raise UserError(
                f"dataset {name}: expected pictures in the folders of splits, {named}, alone and "
                f"found {path} beside them; move it into one, or away"
            )
        found[path] = split
    return found


def _classes(name: str, below: Mapping[pathlib.PurePosixPath, Parts]) -> dict[str, int] | None:
    """Returns the label of each class, or None where pictures lie in no folders of classes."""
    inside = [path for path, parts in below.items() if len(parts) > 1]
    outside = [path for path, parts in below.items() if len(parts) == 1]
    if not inside:
        return None
    if outside:
        raise UserError(
            f"dataset {name}: expected all pictures in folders of their classes, or none, and "
            f"found {len(outside)} outside of one, such as {outside[0]}, and {len(inside)} inside, "
            f"such as {inside[0]}; move them"
        )
    names = sorted({parts[0] for parts in below.values()}, key=natural)
    return {found: label for label, found in enumerate(names)}


def _check_classes(
    name: str,
    below: Mapping[pathlib.PurePosixPath, Parts],
    split_of: Mapping[pathlib.PurePosixPath, str],
) -> None:
    """Refuses a class that no training picture has."""
    trained = {parts[0] for path, parts in below.items() if split_of[path] in (TRAIN, ALL)}
    for path, parts in below.items():
        if parts[0] not in trained:
            raise UserError(
                f"dataset {name}: expected the classes of the training pictures in the "
                f"{split_of[path]} split too and found {path} of the class {parts[0]}, which no "
                "training picture has"
            )
