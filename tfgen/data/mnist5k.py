"""The embedded digits `mnist5k`: 5,000 training and 1,000 test images of MNIST, 28x28 grey.

They keep MNIST's splits and its order. Of the n images of a class in a split, 500 are taken for
training and 100 for testing: those with the numbers floor(j n / 500), or floor(j n / 100), among
the images of the class. An even stride over all images would not do: MNIST's training images come
in turn from two sources, one of thinner strokes. `python -m experiments.mnist5k` draws them.
"""

import functools
import importlib.resources

import numpy as np

from tfgen.data.contents import Pictures

NAME = "mnist5k"
OF_EACH_CLASS = {"train": 500, "test": 100}
"""How many images of each class are taken, by split."""

_FILE = importlib.resources.files("tfgen.data") / "embedded" / NAME / "digits.npz"


@functools.cache
def arrays() -> dict[str, np.ndarray]:
    """Returns the images, uint8 [n, 28, 28], and labels, [n], as SPLIT_image and SPLIT_label."""
    with _FILE.open("rb") as file, np.load(file) as archive:
        return {name: archive[name] for name in archive.files}


def read() -> dict[str, Pictures]:
    """Returns the images with their labels, by split."""
    return {split: _split(split) for split in OF_EACH_CLASS}


def _split(split: str) -> Pictures:
    found = arrays()
    for image, label in zip(found[f"{split}_image"], found[f"{split}_label"], strict=True):
        yield image, int(label)
