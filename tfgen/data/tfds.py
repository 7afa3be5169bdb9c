"""Pictures from TensorFlow Datasets, which is imported only when one of its sets is read."""

import difflib
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tfgen.data.contents import ALL, TEST, TRAIN, VALIDATION, Contents, Pictures
from tfgen.errors import UserError


def read(name: str, data_dir: str | None, manual_dir: str | None, known: Sequence[str]) -> Contents:
    """Prepares a data set and returns its pictures, by split.

    Args:
        name: of TensorFlow Datasets.
        data_dir: where TensorFlow Datasets keeps what it prepared.
        manual_dir: where original files lie that need not be downloaded.
        known: names of the embedded sets, for complaints.

    Raises:
        UserError: if the data set is unknown, cannot be prepared or has no pictures.
    """
    import tensorflow_datasets as tfds

    builder = _builder(name, data_dir, known)
    # without its files a download would be tried, again and again
    if manual_dir is not None and not pathlib.Path(manual_dir).is_dir():
        raise UserError(f"manual_dir: expected a folder and found none at {manual_dir}")
    try:
        config = tfds.download.DownloadConfig(manual_dir=manual_dir)
        builder.download_and_prepare(download_config=config)
    except Exception as error:  # whatever a data set's own script, a proxy or a server raises
        place = manual_dir or "the folder given by --manual_dir"
        reason = str(error).splitlines()[0] if str(error) else "no reason given"
        raise UserError(
            f"dataset {name}: expected to download it, or to find its original files in {place}, "
            f"and could not ({type(error).__name__}: {reason})"
        ) from error
    features = dict(builder.info.features)  # the set's own mapping has no `get`
    if "image" not in features:
        raise UserError(
            f"dataset {name}: expected a feature named image and found {sorted(features)}"
        )
    label = features.get("label")
    sizes = _sizes(name, builder.info.splits)
    return Contents(
        {split: _pictures(builder, own) for split, (own, _) in sizes.items()},
        class_names=tuple(label.names) if isinstance(label, tfds.features.ClassLabel) else None,
        sizes={split: size for split, (_, size) in sizes.items()},
        bytes=int(builder.info.dataset_size),
    )


def _sizes(name: str, splits: Mapping[str, Any]) -> dict[str, tuple[str, int]]:
    """Returns the splits that are read: the set's own name of each, and its size.

    Raises:
        UserError: if there are several, none of which is for training.
    """
    found = {s: (s, splits[s].num_examples) for s in (TRAIN, VALIDATION, TEST) if s in splits}
    if TRAIN in found and len(found) > 1:
        return found
    if TRAIN not in found and len(splits) != 1:
        own = ", ".join(sorted(splits)) or "none"
        raise UserError(f"dataset {name}: expected a split train and found {own}")
    own = TRAIN if TRAIN in found else next(iter(splits))
    return {ALL: (own, splits[own].num_examples)}


def _builder(name: str, data_dir: str | None, known: Sequence[str]):
    import tensorflow_datasets as tfds

    try:
        return tfds.builder(name, data_dir=data_dir)
    except AssertionError as error:  # a version that there is not
        reason = (str(error).splitlines() or ["no reason given"])[0]
        raise UserError(f"dataset {name}: expected a version that there is ({reason})") from error
    except (tfds.core.DatasetNotFoundError, ValueError) as error:
        others = tfds.list_builders(with_community_datasets=False)
        close = difflib.get_close_matches(name, [*known, *others])
        hint = f"; did you mean {' or '.join(close)}?" if close else ""
        raise UserError(
            f"dataset {name}: expected a TensorFlow Datasets name, an embedded set "
            f"({', '.join(known)}), folder:, cifar10:, npz:, image: or video: with a path, and "
            f"found none of these{hint}"
        ) from error


def _pictures(builder, split: str) -> Pictures:
    """Yields the pictures of a split; those of a test split may have no label, which is -1."""
    import tensorflow_datasets as tfds

    labelled = "label" in builder.info.features
    for example in tfds.as_numpy(builder.as_dataset(split=split, shuffle_files=False)):
        label: Any = example["label"] if labelled else None
        missing = split == TEST and np.array_equal(label, -1)
        yield example["image"], None if missing else label
