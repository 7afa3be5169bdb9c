"""CIFAR-10's binary batches, in a folder or archive as it is downloaded."""

import pathlib
import re
from collections.abc import Sequence

import numpy as np

from tfgen.data import archives, contents, zips
from tfgen.data.contents import ALL, TEST, TRAIN, Contents, Pictures
from tfgen.data.entries import Entry
from tfgen.data.reading import Reading
from tfgen.errors import UserError

ROW = 1 + 3 * 32 * 32
"""Bytes of an image: its label, then three planes of pixels."""

TEST_BATCH = "test_batch.bin"
BATCH = re.compile(r"data_batch_\d+\.bin|test_batch\.bin", re.IGNORECASE)
CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)


def read(name: str, path: pathlib.Path, stated: Reading) -> Contents:
    """Returns the images of binary batches; those of test_batch.bin are the test split.

    Args:
        name: of the data set, for complaints.
        path: of a folder or .zip archive of batches, or of one batch under any name.
        stated: nothing, since the format leaves nothing open.

    Raises:
        UserError: if there are none. If one is damaged or has other labels, while it is read.
    """
    del stated
    found = archives.listing(name, path)
    batches = found.entries
    if path.is_dir() or zips.is_archive(path):
        batches = [entry for entry in batches if BATCH.fullmatch(entry.path.name)]
    left_out = contents.left_out(found, batches)
    if not batches:
        raise UserError(
            f"dataset {name}: expected binary batches (data_batch_1.bin, ..., test_batch.bin) and "
            f"found none{contents.among(left_out)}"
        )
    test = [entry for entry in batches if entry.path.name.lower() == TEST_BATCH]
    train = [entry for entry in batches if entry not in test]
    splits = {TRAIN: train, TEST: test} if test and train else {ALL: batches}
    return Contents(
        {split: _batches(name, taken) for split, taken in splits.items()},
        class_names=CLASSES,
        files=contents.file_sizes(batches),
        left_out=left_out,
        bytes=sum(entry.size for entry in batches),
    )


def _batches(name: str, entries: Sequence[Entry]) -> Pictures:
    for entry, content in archives.contents(name, entries):
        if len(content) % ROW:
            raise UserError(
                f"dataset {name}: expected {ROW:,} bytes an image in {entry.path} and "
                f"found {len(content):,} in all"
            )
        for number, row in enumerate(np.frombuffer(content, np.uint8).reshape(-1, ROW)):
            if row[0] >= len(CLASSES):
                raise UserError(
                    f"dataset {name}: expected labels from 0 to {len(CLASSES) - 1} and "
                    f"found {row[0]} at image {number} of {entry.path}"
                )
            # from planes of red, green and blue to [h, w, c]
            yield row[1:].reshape(3, 32, 32).transpose(1, 2, 0), int(row[0])
