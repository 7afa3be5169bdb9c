"""Draws the embedded digits `mnist5k` from MNIST's four original files.

    python -m experiments.mnist5k --originals=DIR [--output=FILE.npz]

DIR holds train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and
t10k-labels-idx1-ubyte.gz. `tfgen.data.mnist5k` states which images are taken.
"""

import argparse
import gzip
import pathlib
import sys

import numpy as np

from tfgen.data import mnist5k
from tfgen.errors import UserError

PREFIXES = {"train": "train", "test": "t10k"}
"""What the names of MNIST's files begin with, by split."""

OUTPUT = pathlib.Path(__file__).parents[1] / "tfgen/data/embedded/mnist5k/digits.npz"


def drawn(originals: pathlib.Path) -> dict[str, np.ndarray]:
    """Returns the arrays of the embedded file, drawn anew.

    Args:
        originals: the directory of MNIST's files.

    Returns:
        uint8 images [n, 28, 28] and labels [n], as SPLIT_image and SPLIT_label.

    Raises:
        UserError: if a file is missing or is not MNIST's.
    """
    found: dict[str, np.ndarray] = {}
    for split, count in mnist5k.OF_EACH_CLASS.items():
        prefix = originals / PREFIXES[split]
        images = _idx(prefix.with_name(f"{prefix.name}-images-idx3-ubyte.gz"), 3)
        labels = _idx(prefix.with_name(f"{prefix.name}-labels-idx1-ubyte.gz"), 1)
        taken = evenly(labels, count)
        found |= {f"{split}_image": images[taken], f"{split}_label": labels[taken]}
    return found


def evenly(labels: np.ndarray, count: int) -> np.ndarray:
    """Returns the numbers of as many examples of each class, in rising order.

    Args:
        labels: int [n].
        count: examples of each class, spread evenly over all that it has.

    Returns:
        int [classes x count].
    """
    taken = []
    for label in np.unique(labels):
        places = np.flatnonzero(labels == label)
        taken.append(places[np.arange(count) * len(places) // count])
    return np.sort(np.concatenate(taken))


def _idx(path: pathlib.Path, rank: int) -> np.ndarray:
    """Returns the bytes of a gzipped IDX file as an array of the rank that is expected."""
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError) as error:
        raise UserError(
            f"--originals: expected MNIST's file at {path} and found none that can be read "
            f"({type(error).__name__})"
        ) from error
    # two zeros, 8 for bytes, the rank; then each side as four bytes, the highest first
    magic, start = content[:4], 4 + 4 * rank
    if magic != bytes([0, 0, 8, rank]):
        raise UserError(
            f"--originals: expected IDX bytes of rank {rank} in {path} and found {magic!r}"
        )
    shape = np.frombuffer(content[4:start], ">i4")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def main(argv: list[str] | None = None) -> None:
    """Writes the file of the embedded digits."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments.mnist5k",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--originals", type=pathlib.Path, required=True, help="The directory of MNIST's files."
    )
    parser.add_argument("--output", type=pathlib.Path, default=OUTPUT, help="The file to write.")
    given = parser.parse_args(argv)
    try:
        arrays = drawn(given.originals)
    except UserError as error:
        sys.exit(str(error))
    with given.output.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    print(f"Wrote {given.output}, {given.output.stat().st_size:,} bytes.")


if __name__ == "__main__":
    main()
