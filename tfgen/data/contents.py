"""What a source of pictures holds, before anything is resized or held out."""

import dataclasses
import itertools
import pathlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tfgen.data.archives import Listing
from tfgen.data.entries import Entry

Pictures = Iterable[tuple[np.ndarray, Any]]
"""Pictures [h, w], [h, w, c] or [t, h, w, c], each with its label or None; read while they are
iterated."""

TRAIN, VALIDATION, TEST, ALL = "train", "validation", "test", "all"
"""The names of splits."""


@dataclasses.dataclass(frozen=True)
class Contents:
    """What a source holds.

    Attributes:
        splits: pictures under TRAIN and at least one of VALIDATION and TEST, or under ALL where
            the source has no splits of its own.
        class_names: the names of labels 0, 1, ..., or None where there are none.
        sizes: how many pictures a split has, where that is known before they are read.
        files: the sizes in bytes of the files that are read, by their names within the source.
        left_out: how many files, folders and links are not read, by the reason.
        texture: whether a single picture is a texture, of which a part may be held out.
        notes: what else is worth a word to the user; grows while pictures are read.
        evident: the samples that evidently stand for white, each with a file; grows, too.
        bytes: of what is read, packed or not.
        later: returns the pictures of a split from the one with a number on; None where the first
            ones must be read to come to the later ones.
    """

    splits: Mapping[str, Pictures]
    class_names: tuple[str, ...] | None = None
    sizes: Mapping[str, int] = dataclasses.field(default_factory=dict)
    files: Mapping[str, int] = dataclasses.field(default_factory=dict)
    left_out: Mapping[str, int] = dataclasses.field(default_factory=dict)
    texture: bool = False
    notes: list[str] = dataclasses.field(default_factory=list)
    evident: dict[int, pathlib.PurePath] = dataclasses.field(default_factory=dict)
    bytes: int = 0
    later: Callable[[str, int], Pictures] | None = None

    def mapped(self, change: Callable[[Any], Any]) -> "Contents":
        """Returns the same contents with the pictures of each split passed through a function."""
        splits = {split: change(pictures) for split, pictures in self.splits.items()}
        if self.later is None:
            return dataclasses.replace(self, splits=splits)
        later = self.later
        return dataclasses.replace(
            self, splits=splits, later=lambda split, start: change(later(split, start))
        )

    def since(self, split: str, start: int) -> Pictures:
        """Returns the pictures of a split from one on.

        Args:
            split: its name.
            start: the number of the first one.
        """
        if self.later is None or start == 0:
            return itertools.islice(self.splits[split], start, None)
        return self.later(split, start)


NO_SUFFIX = "file without a suffix"
"""Why a file was left out."""


def left_out(listing: Listing, taken: Sequence[Entry]) -> dict[str, int]:
    """Returns how many files are not read, by the reason: hidden, of another suffix, ...

    Args:
        listing: of a folder or an archive.
        taken: its files that are read.
    """
    ours = {id(entry) for entry in taken}
    others = [entry for entry in listing.entries if id(entry) not in ours]
    suffixes = Counter(entry.path.suffix.lower() or NO_SUFFIX for entry in others)
    return dict(sorted((suffixes + Counter(listing.left_out)).items()))


def file_sizes(entries: Sequence[Entry]) -> dict[str, int]:
    """Returns the sizes of files in bytes, by their names."""
    return {str(entry.path): entry.size for entry in entries}


def described(left_out: Mapping[str, int]) -> str:
    """Returns what was left out in words, such as `12 .jfif, 3 hidden files`."""
    words = []
    for reason, count in left_out.items():
        noun, space, rest = reason.partition(" without")
        plural = "" if count == 1 or reason.startswith(".") else "s"
        words.append(f"{count:,} {noun}{plural}{space}{rest}")
    return ", ".join(words)


def among(left_out: Mapping[str, int]) -> str:
    """Returns what was found instead of what was looked for, for the end of a complaint."""
    return f" among {described(left_out)}" if left_out else ""
