"""What is asked for: a data set, and the options that its pixels depend on."""

import dataclasses
import hashlib
import json
import os
import pathlib
import re
from typing import Any

from tfgen.data import crops, films, reading, signature, sources
from tfgen.data.contents import Contents
from tfgen.data.crops import Box
from tfgen.data.reading import Reading

FORMAT = 1
"""Of stores; those of another are prepared anew."""

KINDS = ("folder", "npz", "cifar10")
"""Kinds of `KIND:PATH` that are stored; and so are TensorFlow Datasets, and the frames of films."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """A data set, and the options that its pixels depend on.

    Attributes:
        name: see `tfgen.data.sources`.
        size: height and width of the pictures; None keeps their own.
        channels: 1, 3, or None to keep the pictures' own.
        crop: the part of a single picture to take; None takes the whole.
        stated: what the user states about the pictures.
        data_dir: holds `prepared/`, and what TensorFlow Datasets prepared; None: the usual places.
        manual_dir: where original files lie that TensorFlow Datasets need not download.
        frames: whether films are read frame by frame, each labelled with its film's number.
    """

    name: str
    size: tuple[int, int] | None = None
    channels: int | None = None
    crop: Box | None = None
    stated: Reading = reading.PLAIN
    data_dir: str | None = None
    manual_dir: str | None = None
    frames: bool = False

    @property
    def is_stored(self) -> bool:
        """Tells whether data of this kind are stored, if they are not small."""
        kind, _, place = self.name.partition(":")
        if kind in sources.READERS and place:
            return kind in KINDS or self.frames
        return self.name not in sources.EMBEDDED

    def contents(self) -> Contents:
        """Returns what the source holds.

        Raises:
            UserError: if the source is unknown, missing or empty, or has no part to crop.
        """
        if self.crop is not None:
            crops.check_source(self.name)
        # pictures may be read smaller, where no pixel counts
        size = None if self.crop else self.size
        stated = dataclasses.replace(self.stated, size=size)
        found = sources.read(self.name, self.data_dir, self.manual_dir, stated)
        if self.frames:
            return found.mapped(films.as_frames)
        if self.crop is None:
            return found
        box = self.crop
        return found.mapped(lambda pictures: crops.cropped(pictures, box))

    def facts(self) -> dict[str, Any]:
        """Returns what a store is found by."""
        kind, _, place = self.name.partition(":")
        facts = dataclasses.asdict(self.stated) | {"size": self.size, "channels": self.channels}
        facts["format"] = FORMAT
        if kind in sources.READERS and place:
            path = pathlib.Path.cwd() / pathlib.Path(place).expanduser()
            if self.frames:
                facts["frames"] = True
            files = signature.of_path(sources.on_disk(kind, path))
            return facts | {"dataset": f"{kind}:{path}", "files": files}
        found = signature.of_tfds(self.name, self.data_dir)
        return facts | {"dataset": self.name, "files": found, "manual_dir": self.manual_dir}

    def place(self) -> pathlib.Path:
        """Returns the directory of the store."""
        facts = self.facts()
        key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
        short = re.sub(r"\W+", "-", facts["dataset"]).strip("-")[-40:].strip("-")
        return root(self.data_dir) / f"{short}-{key}"


def root(data_dir: str | None) -> pathlib.Path:
    """Returns the directory of all stores.

    Args:
        data_dir: holds it; None: $TFGEN_CACHE, or else `tfgen` in the user's cache folder.
    """
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    base = data_dir or os.environ.get("TFGEN_CACHE") or f"{cache}/tfgen"
    return pathlib.Path(base).expanduser() / "prepared"
