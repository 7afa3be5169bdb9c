"""Tests pictures in files that are larger than what may be held in memory."""

import pathlib
import sys

import numpy as np
import pytest
import tensorflow as tf

from tfgen import random
from tfgen.data.examples import Examples
from tfgen.data.stored import Stored

ROWS = 50_000
SHAPE = (ROWS, 64, 64, 3)
"""614 MB."""

STATUS = pathlib.Path("/proc/self/status")


@pytest.fixture
def pictures(tmp_path) -> Stored:
    """A file without blocks: picture n begins with n % 251, the rest is 0."""
    path = tmp_path / "pictures.raw"
    with path.open("wb") as file:
        file.truncate(int(np.prod(SHAPE, dtype=np.int64)))
    stored = Stored(path, SHAPE, np.dtype(np.uint8))
    written = np.memmap(path, np.uint8, "r+", shape=SHAPE)
    written[::1000, 0, 0, 0] = np.arange(0, ROWS, 1000) % 251
    written.flush()
    return stored


def most_memory() -> int:
    """Returns the most bytes that the process held since the mark was reset."""
    row = next(row for row in STATUS.read_text().splitlines() if row.startswith("VmHWM"))
    return int(row.split()[1]) * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="reads the kernel's account of memory")
def test_a_file_is_not_copied_when_batches_are_read(pictures):
    every = pictures.select(np.arange(0, ROWS, 1000))
    # compiles what every pipeline needs, on a small array
    next(iter(Examples(np.zeros((8, 64, 64, 3), np.uint8)).batches(4, random.root(0))))
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # resets the mark
    before = most_memory()
    batches = iter(Examples(every).batches(10, random.root(0)))
    found = [next(batches) for _ in range(5)]
    grown = most_memory() - before
    assert grown < pictures.nbytes / 10
    index = np.concatenate([batch["index"] for batch in found])
    pixels = np.concatenate([batch["image"][:, 0, 0, 0] for batch in found])
    expected = np.float32(index * 1000 % 251) / 127.5 - 1
    np.testing.assert_array_equal(np.sort(index), np.arange(len(every)))
    np.testing.assert_allclose(pixels, expected, atol=1e-6)


def test_the_graph_reads_what_numpy_reads(pictures):
    read = pictures.reader()

    @tf.function
    def gathered(index):
        return tf.gather(*read(index))

    index = np.array([0, 7000, ROWS - 1000, 1])
    np.testing.assert_array_equal(gathered(tf.constant(index)), pictures[index])
