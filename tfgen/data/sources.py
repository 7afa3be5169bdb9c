"""Sources of pictures: each yields them one by one, as they are, with a label where it has one.

| name | content |
|------|---------|
| `digits` | scikit-learn's 1,797 handwritten digits, 8x8 grey, labelled |
| `mnist5k` | 5,000 + 1,000 of MNIST's digits, 28x28 grey, labelled (`tfgen.data.mnist5k`) |
| `textures/brick`, `textures/grass`, `textures/gravel` | scikit-image's, 512x512 grey |
| `toy/NAME` | 10,000 draws of a known density (`tfgen.data.toy`) |
| `folder:PATH` | image files, also in a .zip or in a folder of one (`folder:pets.zip/cats`) |
| `cifar10:PATH` | CIFAR-10's binary batches (`data_batch_1.bin`, ...): a folder, a .zip, or one |
| `npz:PATH` | an array `image` [n, h, w] or [n, h, w, c], and maybe an array `label` [n] |
| `image:PATH` | one image file, also in a .zip (`image:textures.zip/bark.png`): a texture |
| `video:PATH` | films: an .npz of some [t, h, w, c], or PATH.npz/NAME; a file; a folder |
| else | a TensorFlow Datasets name |

Numbers are uint8, or float in [-1, 1], unless a `Reading` states another range. What is converted
and what is refused is listed in `docs/data.md`.
"""

import functools
import pathlib
from collections.abc import Callable

import numpy as np

from tfgen.data import (
    archives,
    arrays,
    cifar10,
    entries,
    films,
    folders,
    mnist5k,
    npz,
    reading,
    tfds,
    toy,
)
from tfgen.data.contents import ALL, Contents, Pictures
from tfgen.data.decode import Decoder
from tfgen.data.entries import Entry
from tfgen.data.reading import Reading
from tfgen.errors import UserError

TEXTURES = ("brick", "grass", "gravel")
TOY_SIZE = 10_000
IN_ARCHIVES = ("folder", "image")
"""Kinds of `KIND:PATH` whose path may lead into a .zip archive."""


def read(
    name: str,
    data_dir: str | None = None,
    manual_dir: str | None = None,
    stated: Reading = reading.PLAIN,
) -> Contents:
    """Returns the pictures of a data set, by split, and what is known of them.

    Args:
        name: of the table above.
        data_dir: where TensorFlow Datasets keeps what it prepared.
        manual_dir: where original files lie that TensorFlow Datasets need not download.
        stated: what the user states about the pictures.

    Returns:
        Pictures that are uint8, or float32 in [-1, 1].

    Raises:
        UserError: if the data set is unknown, missing, empty or corrupt; some of this only while
            the pictures are read.
    """
    kind, _, place = name.partition(":")
    checked = functools.partial(arrays.checked, f"dataset {name}", stated=stated)
    if kind in READERS and place:
        path = pathlib.Path(place).expanduser()
        return _read_path(name, kind, path, stated).mapped(checked)
    if name in EMBEDDED:
        return Contents(EMBEDDED[name](), texture=name.startswith("textures/"))
    group, slash, _ = name.partition("/")
    siblings = [other for other in EMBEDDED if slash and other.startswith(f"{group}/")]
    if siblings:
        raise UserError(f"dataset {name}: expected one of {', '.join(siblings)}")
    return tfds.read(name, data_dir, manual_dir, list(EMBEDDED)).mapped(checked)


def read_image(path: str | pathlib.Path, stated: Reading = reading.PLAIN) -> np.ndarray:
    """Returns the picture in an image file, or in one of a .zip archive.

    Args:
        path: of the file; `textures.zip/bark.png` for one in an archive.
        stated: what the user states about it.

    Returns:
        uint8 [h, w] or [h, w, c].

    Raises:
        UserError: if there is no such file, or it cannot be decoded.
    """
    # to the end, where values are judged
    ((picture, _),) = read(f"image:{path}", stated=stated).splits[ALL]
    return picture


def on_disk(kind: str, path: pathlib.Path) -> pathlib.Path:
    """Returns the file or folder that a path leads to or into.

    Args:
        kind: of `READERS`.
        path: it, or one in it: `pets.zip/cats`, `films.npz/fire`.
    """
    return films.container(archives.archive_of(path) if kind in IN_ARCHIVES else path)[0]


def _read_path(name: str, kind: str, path: pathlib.Path, stated: Reading) -> Contents:
    if not on_disk(kind, path).exists():
        raise UserError(f"dataset {name}: expected an existing path and found nothing at {path}")
    return READERS[kind](name, path, stated)


# --- embedded sets


def _digits() -> dict[str, Pictures]:
    return {ALL: _scikit_learns_digits()}


def _texture(name: str) -> dict[str, Pictures]:
    import skimage.data

    return {ALL: [(getattr(skimage.data, name)(), None)]}


def _toy(name: str) -> dict[str, Pictures]:
    points = toy.DENSITIES[name].sample(TOY_SIZE, seed=0)
    return {ALL: ((point, None) for point in points)}


def _scikit_learns_digits() -> Pictures:
    from sklearn import datasets

    images, labels = datasets.load_digits(return_X_y=True)
    for image, label in zip(images.reshape(-1, 8, 8), labels, strict=True):
        yield (image / 8 - 1).astype(np.float32), int(label)  # 0..16 to [-1, 1]


EMBEDDED: dict[str, Callable[[], dict[str, Pictures]]] = {
    "digits": _digits,
    mnist5k.NAME: mnist5k.read,
    **{f"textures/{name}": functools.partial(_texture, name) for name in TEXTURES},
    **{f"toy/{name}": functools.partial(_toy, name) for name in toy.DENSITIES},
}
"""Sets that need no file, by name: each returns its pictures by split, see `read`."""


# --- sets at a path


def _image(name: str, path: pathlib.Path, stated: Reading) -> Contents:
    archive = archives.archive_of(path)
    entry = archives.single(name, path) if archive == path else _member(name, archive, path)
    decoder = Decoder(f"dataset {name}", stated)
    pictures = folders.decoded(name, [(entry, None)], decoder)
    files = {str(entry.path): entry.size}
    return Contents({ALL: pictures}, files=files, texture=True, notes=decoder.notes)


def _member(name: str, archive: pathlib.Path, path: pathlib.Path) -> Entry:
    """Returns the member of an archive that a path through it names."""
    member = pathlib.PurePosixPath(path.relative_to(archive))
    found = archives.listing(name, archive).entries
    for entry in found:
        if entry.path == member:
            return entry
    shown = entries.shown_of([str(entry.path) for entry in found])
    raise UserError(f"dataset {name}: expected the archive to hold {member} and found {shown}")


def _npz(name: str, path: pathlib.Path, stated: Reading) -> Contents:
    del stated  # `arrays.checked` goes by it
    pictures = npz.pictures(f"dataset {name}", path)
    size = npz.unpacked(f"dataset {name}", path)
    return Contents({ALL: pictures}, files={path.name: path.stat().st_size}, bytes=size)


READERS: dict[str, Callable[[str, pathlib.Path, Reading], Contents]] = {
    "folder": folders.read,
    "cifar10": cifar10.read,
    "npz": _npz,
    "image": _image,
    "video": films.read,
}
"""Readers of `KIND:PATH`, by kind; each takes the data set's name, for complaints, the path,
and what the user states."""
