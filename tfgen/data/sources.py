"""Sources of pictures: each yields them one by one, as they are, with a label where it has one.

| name | content |
|------|---------|
| `digits` | scikit-learn's 1,797 handwritten digits, 8x8 grey, labelled |
| `mnist5k` | 5,000 + 1,000 of MNIST's digits, 28x28 grey, labelled (`tfgen.data.mnist5k`) |
| `textures/brick`, `textures/grass`, `textures/gravel` | scikit-image's, 512x512 grey |
| `toy/NAME` | 10,000 draws of a known density (`tfgen.data.toy`) |
| `folder:PATH` | image files, also in a .zip; labelled by sub-folder where there are any |
| `cifar10:PATH` | CIFAR-10's binary batches (`data_batch_1.bin`, ...): a folder, a .zip, or one |
| `npz:PATH` | an array `image` [n, h, w] or [n, h, w, c], and maybe an array `label` [n] |
| `image:PATH` | one image file, also in a .zip (`image:textures.zip/bark.png`): a texture |
| `video:PATH` | an .npz of clips [t, h, w, c], or one film file |
| else | a TensorFlow Datasets name |

Numbers are uint8, or float in [-1, 1], unless a `Reading` states another range. What is converted
and what is refused is listed in `docs/data.md`.
"""

import functools
import pathlib
from collections.abc import Callable, Iterator

import numpy as np

from tfgen.data import archives, arrays, films, mnist5k, npz, reading, tfds, toy
from tfgen.data.decode import Decoder
from tfgen.data.reading import Reading
from tfgen.errors import UserError

TEXTURES = ("brick", "grass", "gravel")
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".pgm", ".ppm", ".bmp", ".gif", ".tif", ".tiff", ".webp")
TOY_SIZE = 10_000
CIFAR10_ROW = 1 + 3 * 32 * 32
"""Bytes of an image in CIFAR-10's binary batches: its label, then three planes of pixels."""

Pictures = Iterator[tuple[np.ndarray, int | None]]
"""Pictures [h, w], [h, w, c] or [t, h, w, c], with their labels."""


def read(
    name: str,
    data_dir: str | None = None,
    manual_dir: str | None = None,
    stated: Reading = reading.PLAIN,
) -> dict[str, Pictures]:
    """Returns the pictures of a data set, by split, as uint8 or as float32 in [-1, 1].

    Args:
        name: of the table above.
        data_dir: where TensorFlow Datasets keeps what it prepared.
        manual_dir: where original files lie that TensorFlow Datasets need not download.
        stated: what the user states about the pictures.

    Returns:
        Iterators under "train" and "test", or under "all" where the source has no split of its own.

    Raises:
        UserError: if the data set is unknown, missing, empty or corrupt; some of this only while
            the pictures are read.
    """
    kind, _, place = name.partition(":")
    if kind in READERS and place:
        found = {"all": _read_path(name, kind, pathlib.Path(place), stated)}
        return _checked(name, found, stated)
    if name in EMBEDDED:
        return EMBEDDED[name]()
    group, slash, _ = name.partition("/")
    siblings = [other for other in EMBEDDED if slash and other.startswith(f"{group}/")]
    if siblings:
        raise UserError(f"dataset {name}: expected one of {', '.join(siblings)}")
    return _checked(name, tfds.read(name, data_dir, manual_dir, list(EMBEDDED)), stated)


def _checked(name: str, found: dict[str, Pictures], stated: Reading) -> dict[str, Pictures]:
    """Returns pictures whose numbers and labels are checked as they come."""
    subject = f"dataset {name}"
    return {split: arrays.checked(subject, given, stated) for split, given in found.items()}


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
    ((picture, _),) = read(f"image:{path}", stated=stated)["all"]
    return picture


def _read_path(name: str, kind: str, path: pathlib.Path, stated: Reading) -> Pictures:
    place = archives.archive_of(path) if kind == "image" else path
    if not place.exists():
        raise UserError(f"dataset {name}: expected an existing path and found nothing at {path}")
    return READERS[kind](name, path, stated)


# --- embedded sets


def _digits() -> dict[str, Pictures]:
    return {"all": _scikit_learns_digits()}


def _texture(name: str) -> dict[str, Pictures]:
    import skimage.data

    return {"all": iter([(getattr(skimage.data, name)(), None)])}


def _toy(name: str) -> dict[str, Pictures]:
    points = toy.DENSITIES[name].sample(TOY_SIZE, seed=0)
    return {"all": ((point, None) for point in points)}


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


def _folder(name: str, path: pathlib.Path, stated: Reading) -> Pictures:
    if not path.is_dir() and path.suffix != ".zip":
        raise UserError(
            f"dataset {name}: expected a folder or a .zip of images and found the file {path}"
        )
    found = archives.files(name, path)
    images = [(file, content) for file, content in found if file.suffix.lower() in IMAGE_SUFFIXES]
    if not images:
        raise UserError(
            f"dataset {name}: expected image files ({', '.join(IMAGE_SUFFIXES)}) and found none"
        )
    # a single image outside of a sub-folder leaves all without labels
    labelled = all(len(file.parts) > 1 for file, _ in images)
    classes = sorted({file.parts[0] for file, _ in images})
    decoder = Decoder(f"dataset {name}", stated)
    for file, content in images:
        label = classes.index(file.parts[0]) if labelled else None
        yield decoder.image(path / file, content), label


def _cifar10(name: str, path: pathlib.Path, stated: Reading) -> Pictures:
    found = archives.files(name, path)
    batches = [(file, content) for file, content in found if file.suffix == ".bin"]
    if not batches:
        raise UserError(f"dataset {name}: expected binary batches (.bin) and found none")
    for file, content in batches:
        if len(content) % CIFAR10_ROW:
            raise UserError(
                f"dataset {name}: expected {CIFAR10_ROW:,} bytes an image in {file} and found "
                f"{len(content):,} in all"
            )
        for row in np.frombuffer(content, np.uint8).reshape(-1, CIFAR10_ROW):
            if row[0] > 9:
                raise UserError(
                    f"dataset {name}: expected labels 0 to 9 and found {row[0]} in {file}"
                )
            # from planes of red, green and blue to [h, w, c]
            yield row[1:].reshape(3, 32, 32).transpose(1, 2, 0), int(row[0])


def _image(name: str, path: pathlib.Path, stated: Reading) -> Pictures:
    decoder = Decoder(f"dataset {name}", stated)
    archive = archives.archive_of(path)
    if archive == path:
        yield decoder.image(path, archives.content(name, path)), None
        return
    member = pathlib.PurePosixPath(path.relative_to(archive))
    found = dict(archives.files(name, archive))
    if member not in found:
        raise UserError(
            f"dataset {name}: expected the archive to hold {member} and found "
            f"{', '.join(map(str, found))}"
        )
    yield decoder.image(member, found[member]), None


def _npz(name: str, path: pathlib.Path, stated: Reading) -> Pictures:
    return npz.pictures(f"dataset {name}", path)


def _video(name: str, path: pathlib.Path, stated: Reading) -> Pictures:
    if path.suffix == ".npz":
        clips = npz.read(f"dataset {name}", path)
    else:
        clips = {path.name: films.frames(f"dataset {name}", path, stated)}
    for key, clip in sorted(clips.items()):
        if clip.ndim != 4:
            raise UserError(
                f"dataset {name}: expected {key} of shape [t, h, w, c] and found {list(clip.shape)}"
            )
        yield clip, None


READERS: dict[str, Callable[[str, pathlib.Path, Reading], Pictures]] = {
    "folder": _folder,
    "cifar10": _cifar10,
    "npz": _npz,
    "image": _image,
    "video": _video,
}
"""Readers of `KIND:PATH`, by kind; each takes the data set's name, for complaints, the path,
and what the user states."""
