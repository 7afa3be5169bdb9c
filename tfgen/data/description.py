"""What is said and remembered of a data set: one line, and a fingerprint."""

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from tfgen.data import contents, stored
from tfgen.data.contents import Contents
from tfgen.data.splits import SAME, Parts

MOST_CLASSES = 12
"""Classes whose names a line has room for."""

MOST_FILES = 1000
"""Files whose sizes are remembered one by one, so that a change can be named."""


@dataclasses.dataclass(frozen=True)
class Description:
    """What is known of a data set beside its arrays.

    Attributes:
        name: as `--dataset` gives it.
        held_out: where the test pictures come from, in words.
        class_names: of labels 0, 1, ..., or None.
        unused: how many pictures the splits have that are not used, by split.
        left_out: how many files, folders and links were not read, by the reason.
        files: the sizes in bytes of the files that were read, by name.
        notes: what else is worth a word to the user.
    """

    name: str = "arrays"
    held_out: str = ""
    class_names: tuple[str, ...] | None = None
    unused: Mapping[str, int] = dataclasses.field(default_factory=dict)
    left_out: Mapping[str, int] = dataclasses.field(default_factory=dict)
    files: Mapping[str, int] = dataclasses.field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, found: Contents, parts: Parts) -> "Description":
        """Returns the description of a data set.

        Args:
            name: as `--dataset` gives it.
            found: what its source holds.
            parts: what was taken of it.
        """
        taken = ("all", "train", *parts.used)
        return cls(
            name=name,
            held_out=parts.held_out,
            class_names=found.class_names,
            unused={split: size for split, size in found.sizes.items() if split not in taken},
            left_out=found.left_out,
            files=found.files,
            notes=tuple(found.notes),
        )

    @property
    def tests_on_train(self) -> bool:
        """Tells whether the test pictures are the training pictures."""
        return self.held_out.startswith(SAME)


Facts = dict[str, Any]
"""What a work directory remembers of a data set, as JSON can hold it."""


def facts(images: Any) -> Facts:
    """Returns what is remembered of a data set: its counts, classes and fingerprint.

    Args:
        images: the data set, `tfgen.data.Images`.
    """
    return counted(images) | {"fingerprint": fingerprint(images)}


def counted(images: Any) -> Facts:
    """Returns the counts and classes of a data set, of which `line` is made.

    Args:
        images: the data set, `tfgen.data.Images`.
    """
    known: Description = images.description
    label = images.train.label
    classes = None if label is None else max(len(known.class_names or ()), int(label.max()) + 1)
    return {
        "source": known.name,
        "counts": {"train": len(images.train), "test": len(images.test)},
        "picture_shape": list(images.train.image.shape[1:]),
        "image_shape": list(images.shape),
        "held_out": known.held_out,
        "num_classes": classes,
        "class_names": None if known.class_names is None else list(known.class_names),
        "unused": dict(known.unused),
        "left_out": dict(known.left_out),
        "notes": list(known.notes),
    }


def fingerprint(images: Any) -> Facts:
    """Returns checksums of a data set's arrays, and the names and sizes of its files.

    Args:
        images: the data set, `tfgen.data.Images`.
    """
    files = images.description.files
    listed = "\n".join(f"{size} {name}" for name, size in files.items())
    return {
        "train": _checksum(images.train.image, images.train.label),
        "test": _checksum(images.test.image, images.test.label),
        "num_files": len(files),
        "bytes": sum(files.values()),
        "names": hashlib.sha256(listed.encode("utf-8", "surrogateescape")).hexdigest()[:16],
        "files": dict(files) if len(files) <= MOST_FILES else None,
    }


def line(found: Mapping[str, Any]) -> str:
    """Returns one line that says what a data set is.

    Args:
        found: its facts.

    Example:
        >>> line(counted(load("digits")))
        'digits: 1,617 training + 180 test pictures of 8x8x1 (held out at random), 10 classes'
    """
    counts = found["counts"]
    shape = "x".join(map(str, found["picture_shape"]))
    noun = "clip" if len(found["picture_shape"]) == 4 else "picture"
    if found["held_out"].startswith(SAME):
        words = f"{_counted(counts['train'], noun)} of {shape}, {found['held_out']}"
    else:
        words = (
            f"{counts['train']:,} training + {counts['test']:,} test {noun}s of {shape} "
            f"({found['held_out']})"
        )
    parts = [words]
    if found["image_shape"] != found["picture_shape"]:
        parts.append(f"in patches of {'x'.join(map(str, found['image_shape']))}")
    parts.append(_classes(found["num_classes"], found["class_names"]))
    for split, count in found["unused"].items():
        parts.append(f"{count:,} {split} pictures not used")
    if found["left_out"]:
        parts.append(f"left out: {contents.described(found['left_out'])}")
    parts += found.get("notes", [])
    return f"{found['source']}: {', '.join(parts)}"


def difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Returns in what a data set differs from what is remembered of it; empty if in nothing.

    Names and sizes of files name a difference. They make none: pictures that were moved, packed or
    written anew without loss are the same pictures.

    Args:
        before: the facts that are remembered.
        now: the facts of today's data.
    """
    if before["image_shape"] != now["image_shape"]:
        return f"pictures of {before['image_shape']} then and {now['image_shape']} now"
    if before["class_names"] != now["class_names"]:
        return _class_difference(before["class_names"], now["class_names"])
    then, today = before["fingerprint"], now["fingerprint"]
    if then["train"] == today["train"] and then["test"] == today["test"]:
        return ""
    files = _file_difference(then["files"], today["files"])
    for split, count in before["counts"].items():
        if count != now["counts"][split]:
            return f"{count:,} {split} pictures then and {now['counts'][split]:,} now{files}"
    return f"as many pictures with other pixels, labels or order{files}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _classes(count: int | None, names: list[str] | None) -> str:
    if count is None:
        return "no classes"
    words = f"{count:,} class{'' if count == 1 else 'es'}"
    if names is None:
        return words
    numbered = [f"{number} {name}" for number, name in enumerate(names)]
    if len(numbered) > MOST_CLASSES:
        numbered = [*numbered[: MOST_CLASSES - 2], "...", numbered[-1]]
    return f"{words} ({', '.join(numbered)})"


def _class_difference(before: list[str] | None, now: list[str] | None) -> str:
    if before is None or now is None:
        return f"classes {'without' if before is None else 'with'} names then and not so now"
    for names, others, when in ((now, before, "new"), (before, now, "gone")):
        only = [name for name in names if name not in others]
        if only:
            return f"the class {only[0]} is {when}"
    return f"classes {', '.join(before)} then and {', '.join(now)} now"


def _file_difference(before: dict[str, int] | None, now: dict[str, int] | None) -> str:
    """Returns the first files that differ, in words; empty where none are remembered."""
    if before is None or now is None:
        return ""
    kinds = {
        "new": [name for name in now if name not in before],
        "gone": [name for name in before if name not in now],
        "of another size": [n for n, size in now.items() if before.get(n, size) != size],
    }
    words = [
        f"{len(names):,} file{'' if len(names) == 1 else 's'} {kind}, such as {names[0]}"
        for kind, names in kinds.items()
        if names
    ]
    return f" ({'; '.join(words)})" if words else ""


def _checksum(image: stored.Array, label: np.ndarray | None) -> str:
    """Returns a checksum of pictures and labels, with their types and shapes."""

    def compute() -> str:
        found = hashlib.sha256()
        for array in (image, label):
            if array is not None:
                found.update(f"{array.dtype.str} {array.shape} ".encode())
                for chunk in stored.chunks(array):
                    found.update(np.ascontiguousarray(chunk).data)
        return found.hexdigest()[:16]

    return stored.remembered(image, "checksum", compute)
