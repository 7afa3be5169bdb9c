"""Pictures from TensorFlow Datasets, which is imported only when one of its sets is read."""

import difflib
from collections.abc import Iterator, Sequence

import numpy as np

from tfgen.errors import UserError


def read(
    name: str, data_dir: str | None, manual_dir: str | None, known: Sequence[str]
) -> dict[str, Iterator[tuple[np.ndarray, int | None]]]:
    """Prepares a data set and returns its pictures, by split.

    Args:
        name: of TensorFlow Datasets.
        data_dir: where TensorFlow Datasets keeps what it prepared.
        manual_dir: where original files lie that need not be downloaded.
        known: names of the embedded sets, for complaints.

    Returns:
        Iterators under "train" and "test", or under "all" if there is only one of these splits.

    Raises:
        UserError: if the data set is unknown, cannot be prepared or has no pictures.
    """
    import tensorflow_datasets as tfds

    builder = _builder(name, data_dir, known)
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
    features = builder.info.features
    if "image" not in features:
        raise UserError(
            f"dataset {name}: expected a feature named image and found {sorted(features)}"
        )
    splits = [split for split in ("train", "test") if split in builder.info.splits]
    return {split if len(splits) == 2 else "all": _pictures(builder, split) for split in splits}


def _builder(name: str, data_dir: str | None, known: Sequence[str]):
    import tensorflow_datasets as tfds

    try:
        return tfds.builder(name, data_dir=data_dir)
    except (tfds.core.DatasetNotFoundError, ValueError) as error:
        others = tfds.list_builders(with_community_datasets=False)
        close = difflib.get_close_matches(name, [*known, *others])
        hint = f"; did you mean {' or '.join(close)}?" if close else ""
        raise UserError(
            f"dataset {name}: expected a TensorFlow Datasets name, an embedded set "
            f"({', '.join(known)}), folder:, cifar10:, npz:, image: or video: with a path, and "
            f"found none of these{hint}"
        ) from error


def _pictures(builder, split: str) -> Iterator[tuple[np.ndarray, int | None]]:
    import tensorflow_datasets as tfds

    labelled = "label" in builder.info.features
    for example in tfds.as_numpy(builder.as_dataset(split=split, shuffle_files=False)):
        yield example["image"], int(example["label"]) if labelled else None
