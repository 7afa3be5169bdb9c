"""Where pictures come from: each source yields them one by one, as they are, with a label where it has one.

| name | content |
|------|---------|
| `digits` | scikit-learn's 1,797 handwritten digits, 8x8 grey, labelled |
| `textures/brick`, `textures/grass`, `textures/gravel` | scikit-image's, 512x512 grey |
| `toy/NAME` | 10,000 draws of a known density (`tfgen.data.toy`) |
| `folder:PATH` | image files, also in a .zip; labelled by sub-folder where there are any |
| `cifar10:PATH` | CIFAR-10's binary batches (`data_batch_1.bin`, ...): a folder or a .zip of them, or one |
| `npz:PATH` | an array `image` [n, h, w] or [n, h, w, c], uint8 or float in [-1, 1], and maybe `label` [n] |
| `image:PATH` | one image file, also in a .zip (`image:textures.zip/bark.png`): a texture |
| `video:PATH` | an .npz of clips [t, h, w, c], or one film file |
| else | a TensorFlow Datasets name |
"""

import difflib
import io
import pathlib
import zipfile
import zlib
from collections.abc import Iterator

import imageio.v3 as iio
import numpy as np

from tfgen.data import toy
from tfgen.errors import UserError

TEXTURES = ("brick", "grass", "gravel")
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".pgm", ".ppm", ".bmp", ".gif", ".tif", ".tiff", ".webp")
TOY_SIZE = 10_000

Pictures = Iterator[tuple[np.ndarray, int | None]]
"""Pictures [h, w], [h, w, c] or [t, h, w, c], with their labels."""


def read(
    name: str, data_dir: str | None = None, manual_dir: str | None = None
) -> dict[str, Pictures]:
    """The pictures of a data set, by split.

    Args:
        name: of the table above.
        data_dir: where TensorFlow Datasets keeps what it prepared.
        manual_dir: where original files lie that TensorFlow Datasets need not download.

    Returns:
        Iterators under "train" and "test", or under "all" where the source has no split of its own.

    Raises:
        UserError: if the data set is unknown, missing, empty or corrupt.
    """
    kind, _, path = name.partition(":")
    readers = {
        "folder": _folder,
        "cifar10": _cifar10,
        "npz": _npz,
        "image": _image,
        "video": _video,
    }
    if kind in readers and path:
        path = pathlib.Path(path)
        if not (_archive(path) if kind == "image" else path).exists():
            raise UserError(
                f"dataset {name}: expected an existing path and found nothing at {path}"
            )
        return {"all": readers[kind](name, path)}
    if name == "digits":
        return {"all": _digits()}
    if name.startswith("textures/"):
        return {"all": _texture(name)}
    if name.startswith("toy/"):
        return {"all": _toy(name)}
    return _tfds(name, data_dir, manual_dir)


def _digits() -> Pictures:
    from sklearn import datasets

    images, labels = datasets.load_digits(return_X_y=True)
    for image, label in zip(images.reshape(-1, 8, 8), labels, strict=True):
        yield (image / 8 - 1).astype(np.float32), int(label)  # 0..16 to [-1, 1]


def _texture(name: str) -> Pictures:
    import skimage.data

    _check_member(name, "textures/", TEXTURES)
    yield getattr(skimage.data, name.removeprefix("textures/"))(), None


def _toy(name: str) -> Pictures:
    _check_member(name, "toy/", toy.DENSITIES)
    for point in toy.DENSITIES[name.removeprefix("toy/")].sample(TOY_SIZE, seed=0):
        yield point, None


def _check_member(name: str, prefix: str, members) -> None:
    if name.removeprefix(prefix) not in members:
        raise UserError(
            f"dataset {name}: expected one of {', '.join(prefix + member for member in members)}"
        )


def _files(name: str, path: pathlib.Path) -> Iterator[tuple[pathlib.PurePath, bytes]]:
    """The files under a folder or in a .zip, or the one file, in the order of their names: paths and contents."""
    if path.is_dir():
        for file in sorted(f for f in path.rglob("*") if f.is_file()):
            yield file.relative_to(path), _content(name, file)
    elif path.suffix == ".zip":
        try:
            with zipfile.ZipFile(path) as archive:
                # in the order of a folder, which goes by the parts of a path
                members = [m for m in archive.namelist() if not m.endswith("/")]
                for member in sorted(members, key=pathlib.PurePosixPath):
                    yield pathlib.PurePosixPath(member), archive.read(member)
        # of a cut archive, of a damaged member, of one with a password
        except (OSError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
            raise UserError(
                f"dataset {name}: expected a .zip archive and could not read {path}"
            ) from error
    else:
        yield pathlib.PurePath(path.name), _content(name, path)


def _content(name: str, path: pathlib.Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"dataset {name}: expected a file and could not read {path}") from error


def _decode(name: str, path: pathlib.PurePath, content: bytes) -> np.ndarray:
    try:
        # the first frame of a file that has several
        picture = iio.imread(io.BytesIO(content), index=0, extension=path.suffix.lower())
    except (OSError, ValueError, SyntaxError) as error:  # Pillow's own errors are of these kinds
        raise UserError(
            f"dataset {name}: expected an image file and could not decode {path}"
        ) from error
    return _as_uint8(name, path, picture)


def _as_uint8(name: str, path: pathlib.PurePath, picture: np.ndarray) -> np.ndarray:
    """8 bits a channel, without transparency."""
    if picture.dtype == np.bool_:
        return picture.astype(np.uint8) * 255
    if picture.dtype == np.uint16:
        return (picture >> 8).astype(np.uint8)
    if picture.dtype != np.uint8:
        raise UserError(
            f"dataset {name}: expected 8 or 16 bits a channel and found {picture.dtype} in {path}"
        )
    has_alpha = picture.ndim == 3 and picture.shape[-1] in (2, 4)
    return picture[..., :-1] if has_alpha else picture


def _folder(name: str, path: pathlib.Path) -> Pictures:
    if not path.is_dir() and path.suffix != ".zip":
        raise UserError(
            f"dataset {name}: expected a folder or a .zip of images and found the file {path}"
        )
    files = [
        (f, content) for f, content in _files(name, path) if f.suffix.lower() in IMAGE_SUFFIXES
    ]
    if not files:
        raise UserError(
            f"dataset {name}: expected image files ({', '.join(IMAGE_SUFFIXES)}) and found none"
        )
    classes = sorted({f.parts[0] for f, _ in files if len(f.parts) > 1})
    labelled = all(len(f.parts) > 1 for f, _ in files)
    for f, content in files:
        yield _decode(name, path / f, content), classes.index(f.parts[0]) if labelled else None


def _cifar10(name: str, path: pathlib.Path) -> Pictures:
    batches = [(f, content) for f, content in _files(name, path) if f.suffix == ".bin"]
    if not batches:
        raise UserError(f"dataset {name}: expected binary batches (.bin) and found none")
    for f, content in batches:
        if len(content) % 3073:
            raise UserError(
                f"dataset {name}: expected 3,073 bytes an image in {f} and found {len(content):,} in all"
            )
        for row in np.frombuffer(content, np.uint8).reshape(-1, 3073):
            yield row[1:].reshape(3, 32, 32).transpose(1, 2, 0), int(row[0])


def _image(name: str, path: pathlib.Path) -> Pictures:
    archive = _archive(path)
    if archive == path:
        yield _decode(name, path, _content(name, path)), None
        return
    member = pathlib.PurePosixPath(path.relative_to(archive))
    found = dict(_files(name, archive))
    if member not in found:
        raise UserError(
            f"dataset {name}: expected the archive to hold {member} and found {', '.join(map(str, found))}"
        )
    yield _decode(name, member, found[member]), None


def _archive(path: pathlib.Path) -> pathlib.Path:
    """The .zip that a path leads into, or the path."""
    return next(
        (parent for parent in path.parents if parent.suffix == ".zip" and parent.is_file()), path
    )


def _load_npz(name: str, path: pathlib.Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, ValueError, zipfile.BadZipFile, AttributeError) as error:
        raise UserError(
            f"dataset {name}: expected a NumPy .npz archive and could not read {path}"
        ) from error


def _check_values(name: str, key: str, array: np.ndarray) -> np.ndarray:
    if array.dtype == np.uint8:
        return array
    if not np.issubdtype(array.dtype, np.floating):
        raise UserError(
            f"dataset {name}: expected {key} to be uint8 or float and found {array.dtype}"
        )
    finite = np.isfinite(array.reshape(len(array), -1)).all(axis=1)
    if not finite.all():
        raise UserError(
            f"dataset {name}: expected finite numbers and found NaN or infinity in {key}[{int(np.argmin(finite))}]"
        )
    if np.abs(array).max(initial=0) > 1:
        raise UserError(
            f"dataset {name}: expected {key} in [-1, 1] and found {np.abs(array).max():.4g}"
        )
    return array.astype(np.float32)


def _npz(name: str, path: pathlib.Path) -> Pictures:
    arrays = _load_npz(name, path)
    if "image" not in arrays:
        raise UserError(
            f"dataset {name}: expected an array named image and found {sorted(arrays) or 'none'}"
        )
    images = arrays["image"]
    if images.ndim not in (3, 4) or not len(images):
        raise UserError(
            f"dataset {name}: expected image of shape [n, h, w] or [n, h, w, c] and found {list(images.shape)}"
        )
    labels = arrays.get("label")
    if labels is not None and labels.shape != images.shape[:1]:
        raise UserError(
            f"dataset {name}: expected {len(images)} labels and found shape {list(labels.shape)}"
        )
    images = _check_values(name, "image", images)
    for i, image in enumerate(images):
        yield image, None if labels is None else int(labels[i])


def _video(name: str, path: pathlib.Path) -> Pictures:
    if path.suffix == ".npz":
        clips = _load_npz(name, path)
    else:
        try:
            clips = {path.name: iio.imread(path)}
        except (OSError, ValueError, ImportError) as error:
            raise UserError(
                f"dataset {name}: expected an .npz of clips or a film and could not read {path}"
            ) from error
    for key, clip in sorted(clips.items()):
        if clip.ndim != 4:
            raise UserError(
                f"dataset {name}: expected {key} of shape [t, h, w, c] and found {list(clip.shape)}"
            )
        yield _check_values(name, key, clip), None


def _tfds(name: str, data_dir: str | None, manual_dir: str | None) -> dict[str, Pictures]:
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder(name, data_dir=data_dir)
    except (tfds.core.DatasetNotFoundError, ValueError) as error:
        known = [
            "digits",
            *(f"textures/{t}" for t in TEXTURES),
            *(f"toy/{d}" for d in toy.DENSITIES),
        ]
        close = difflib.get_close_matches(
            name, known + tfds.list_builders(with_community_datasets=False)
        )
        hint = f"; did you mean {' or '.join(close)}?" if close else ""
        raise UserError(
            f"dataset {name}: expected a TensorFlow Datasets name, an embedded set ({', '.join(known)}), "
            f"folder:, cifar10:, npz:, image: or video: with a path, and found none of these{hint}"
        ) from error
    try:
        builder.download_and_prepare(
            download_config=tfds.download.DownloadConfig(manual_dir=manual_dir)
        )
    except Exception as error:  # whatever a data set's own script, a proxy or a server raises
        raise UserError(
            f"dataset {name}: expected to download it, or to find its original files in "
            f"{manual_dir or 'the folder given by --manual_dir'}, and could not ({type(error).__name__}: "
            f"{str(error).splitlines()[0] if str(error) else 'no reason given'})"
        ) from error
    if "image" not in builder.info.features:
        raise UserError(
            f"dataset {name}: expected a feature named image and found {sorted(builder.info.features)}"
        )
    splits = [split for split in ("train", "test") if split in builder.info.splits]
    return {split if len(splits) == 2 else "all": _tfds_split(builder, split) for split in splits}


def _tfds_split(builder, split: str) -> Pictures:
    import tensorflow_datasets as tfds

    labelled = "label" in builder.info.features
    for example in tfds.as_numpy(builder.as_dataset(split=split, shuffle_files=False)):
        yield example["image"], int(example["label"]) if labelled else None
