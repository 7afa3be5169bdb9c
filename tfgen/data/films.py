"""Films: animated pictures by Pillow, folders of frames, arrays, and all others by PyAV."""

import io
import itertools
import pathlib
import re
from collections.abc import Iterable, Iterator

import numpy as np
from PIL import Image, ImageSequence

from tfgen.data import archives, contents, folders, modes, npz, reading
from tfgen.data.contents import ALL, Contents, Pictures
from tfgen.data.decode import Decoder
from tfgen.data.entries import Entry
from tfgen.data.reading import Reading
from tfgen.errors import UserError

ARRAYS = ".npz"

SUFFIXES = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".ogv")
"""Files of a folder that PyAV reads."""

UNPACKED = 30
"""About how many times the bytes of a film's file its frames take."""

ANIMATED = ("GIF", "PNG", "WEBP", "TIFF")
"""Formats of pictures whose frames make a film."""

MOVING = (".png", ".gif", ".tif", ".tiff", ".webp")
STILL = tuple(suffix for suffix in folders.IMAGE_SUFFIXES if suffix not in MOVING)
"""Files that are still pictures without a look into them."""

MOST_PIXELS = 2**30
"""Pixels of all frames together that are decoded."""


def container(path: pathlib.Path) -> tuple[pathlib.Path, str | None]:
    """Returns the file or folder that a path leads to, and the array in it that the path names.

    Args:
        path: of a file or folder; `films.npz/fire` for one array of an archive.
    """
    if path.parent.suffix == ARRAYS and path.parent.is_file():
        return path.parent, path.name
    return path, None


def read(name: str, path: pathlib.Path, stated: Reading) -> Contents:
    """Returns the films at a path, each a picture [t, h, w, c] without a label.

    In a folder or a .zip archive, each file that moves is a film, and the still pictures of one
    folder are the frames of another, in the order of the numbers in their names.

    Args:
        name: of the data set, for complaints.
        path: of an .npz of films or one of its arrays, a file, a folder or a .zip archive.
        stated: what the user states about the pictures.

    Raises:
        UserError: if there are no films; some of this only while they are read.
    """
    place, key = container(path)
    if place.suffix == ARRAYS:
        size = npz.unpacked(f"dataset {name}", place)
        return Contents({ALL: _arrays(name, place, key)}, files=_size(place), bytes=size)
    listing = archives.listing(name, place)
    suffixes = (*folders.IMAGE_SUFFIXES, *SUFFIXES)
    taken = [entry for entry in listing.entries if entry.path.suffix.lower() in suffixes]
    if place.is_file() and len(listing.entries) == 1:
        taken = listing.entries  # one file, whatever it is called
    left_out = contents.left_out(listing, taken)
    if not taken:
        raise UserError(
            f"dataset {name}: expected films or frames and found none{contents.among(left_out)}"
        )
    decoder = Decoder(f"dataset {name}", stated)
    return Contents(
        {ALL: _films(name, taken, decoder)},
        files=contents.file_sizes(taken),
        left_out=left_out,
        notes=decoder.notes,
        bytes=UNPACKED * sum(entry.size for entry in taken),
    )


def as_frames(films: Pictures) -> Pictures:
    """Yields the frames of films one by one, each with the number of its film.

    Args:
        films: [t, h, w, c] each; their labels are not used.
    """
    for number, (film, _) in enumerate(films):
        for frame in film:
            yield frame, number


def _arrays(name: str, path: pathlib.Path, key: str | None) -> Pictures:
    """Yields the films in an archive of arrays, or the one of a name."""
    known = npz.names(f"dataset {name}", path)
    if key is not None and key not in known:
        raise UserError(
            f"dataset {name}: expected an array named {key} and found {', '.join(known) or 'none'}"
        )
    for chosen in known if key is None else [key]:
        film = npz.read(f"dataset {name}", path, (chosen,))[chosen]
        if film.ndim != 4:
            raise UserError(
                f"dataset {name}: expected {chosen} of shape [t, h, w, c] and found "
                f"{list(film.shape)}"
            )
        yield film, None


def _films(name: str, taken: Iterable[Entry], decoder: Decoder) -> Pictures:
    """Yields the films of files: those that move, and the still pictures of each folder."""
    in_order = sorted(taken, key=lambda entry: _natural(entry.path))
    for _, entries in itertools.groupby(in_order, key=lambda entry: entry.path.parent):
        stills: list[np.ndarray] = []
        for entry, content in archives.contents(name, entries):
            found = decoded(decoder, entry.shown, content)
            if len(found) > 1:
                yield found, None
            else:
                _check_length(decoder.subject, entry.shown, len(stills) + 1, found.shape[1:3])
                stills.append(found[0])
        if stills:
            yield _stacked(decoder.subject, stills), None


def _natural(path: pathlib.PurePath) -> list:
    """Returns a key that sorts frame9 before frame10; files of one folder stay together."""
    words = re.split(r"(\d+)", path.name)
    numbered = [(int(word), "") if word.isdigit() else (-1, word) for word in words]
    return [str(path.parent), numbered, path.name]


def _size(path: pathlib.Path) -> dict[str, int]:
    return {path.name: path.stat().st_size}


def frames(subject: str, path: pathlib.Path, stated: Reading = reading.PLAIN) -> np.ndarray:
    """Decodes all frames of a film.

    Args:
        subject: what a complaint begins with, such as `dataset video:a.gif`.
        path: of the file.
        stated: what the user states about the pictures.

    Returns:
        uint8 [t, h, w, c].

    Raises:
        UserError: if the file cannot be decoded, or is longer than `MOST_PIXELS`.
    """
    return decoded(Decoder(subject, stated), path, path.read_bytes())


def decoded(decoder: Decoder, path: pathlib.PurePath, content: bytes) -> np.ndarray:
    """Decodes all frames of a file; of a still picture there is one.

    Args:
        decoder: of the data set.
        path: of the file, for complaints.
        content: of the file.

    Returns:
        uint8 [t, h, w, c].

    Raises:
        UserError: as `frames`.
    """
    if path.suffix.lower() in STILL:
        return _stacked(decoder.subject, [decoder.sized(path, content)])
    with decoder.answered(path):
        try:
            found = list(_animated(decoder, path, content))
        except Image.UnidentifiedImageError:
            found = list(_film(decoder.subject, path, content))
    if not found:
        raise UserError(f"{decoder.subject}: expected frames and found none in {path}")
    return _stacked(decoder.subject, found)


def _stacked(subject: str, found: list[np.ndarray]) -> np.ndarray:
    """Stacks frames of one size, [h, w] or [h, w, c]."""
    sizes = sorted({frame.shape[:2] for frame in found})
    if len(sizes) > 1:
        raise UserError(f"{subject}: expected frames of one size and found {sizes[0]}, {sizes[1]}")
    deepest = max(frame.ndim for frame in found)
    # of an animation whose first frame alone is grey
    grown = [np.stack([f] * 3, -1) if f.ndim < deepest else f for f in found]
    return np.stack(grown) if deepest == 3 else np.stack(grown)[..., None]


def _animated(decoder: Decoder, path: pathlib.PurePath, content: bytes) -> Iterator[np.ndarray]:
    """Yields the frames of a picture that moves."""
    with Image.open(io.BytesIO(content), formats=ANIMATED) as picture:
        for number, frame in enumerate(ImageSequence.Iterator(picture), start=1):
            _check_length(decoder.subject, path, number, frame.size)
            yield decoder.opaque(path, modes.colours(frame.copy()))


def _film(subject: str, path: pathlib.PurePath, content: bytes) -> Iterator[np.ndarray]:
    """Yields the frames of a film that PyAV reads."""
    try:
        import av
    except ImportError as error:
        raise UserError(
            f"{subject}: expected an .npz of clips or an animated GIF, PNG, WebP or TIFF, and "
            f"found {path}; other films need PyAV, the extra `video` (pip install av)"
        ) from error
    with av.open(io.BytesIO(content)) as film:
        for number, frame in enumerate(film.decode(video=0), start=1):
            _check_length(subject, path, number, (frame.width, frame.height))
            yield frame.to_ndarray(format="rgb24")


def _check_length(subject: str, path: pathlib.PurePath, count: int, size: tuple[int, ...]) -> None:
    if count * size[0] * size[1] > MOST_PIXELS:
        raise UserError(
            f"{subject}: expected at most {MOST_PIXELS:,} pixels in all frames and found more in "
            f"{path}; cut the film, or give an .npz of smaller clips"
        )
