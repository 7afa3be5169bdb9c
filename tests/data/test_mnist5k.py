"""The embedded digits of MNIST: counts, classes, bytes, and the originals where they lie nearby."""

import hashlib
import pathlib

import numpy as np
import pytest

from experiments import mnist5k as drawing
from tfgen.data import examples, mnist5k
from tfgen.errors import UserError

ORIGINALS = pathlib.Path(__file__).parents[2].parent / "shared" / "data" / "mnist"


def test_they_keep_mnists_splits_sizes_and_grey_values():
    data = examples.load("mnist5k")
    assert (data.size, len(data.test), data.shape) == (5000, 1000, (28, 28, 1))
    assert data.train.image.dtype == data.test.image.dtype == np.uint8
    # MNIST's mean grey value is 33.5 of 255 if its classes count alike
    assert data.train.image.mean() == pytest.approx(33.5, abs=0.3)
    assert (data.train.image.min(), data.train.image.max()) == (0, 255)


def test_classes_are_equally_frequent():
    data = examples.load("mnist5k")
    np.testing.assert_array_equal(np.bincount(data.train.label), [500] * 10)
    np.testing.assert_array_equal(np.bincount(data.test.label), [100] * 10)


def test_the_bytes_are_those_that_were_drawn():
    found = hashlib.sha256()
    for name, values in sorted(mnist5k.arrays().items()):
        found.update(name.encode() + np.ascontiguousarray(values).tobytes())
    assert found.hexdigest() == "e1e125232720406680462eaa7a6475aa1898e6b10c2279314a3ad35091787e13"


def test_no_image_comes_twice():
    arrays = mnist5k.arrays()
    every = np.concatenate([arrays["train_image"], arrays["test_image"]]).reshape(6000, -1)
    assert len(np.unique(every, axis=0)) == 6000


@pytest.mark.skipif(not ORIGINALS.exists(), reason="needs ../shared/data/mnist")
def test_they_are_the_originals_at_the_stated_numbers():
    drawn = drawing.drawn(ORIGINALS)
    embedded = mnist5k.arrays()
    assert drawn.keys() == embedded.keys()
    for name, values in embedded.items():
        np.testing.assert_array_equal(drawn[name], values)


def test_images_of_each_class_are_taken_evenly_and_in_order():
    # class 0 has 4 images, of which numbers 0 and 2 are taken; class 1 has 3, of which 0 and 1
    labels = np.array([1, 0, 0, 1, 0, 0, 1])
    np.testing.assert_array_equal(drawing.evenly(labels, 2), [0, 1, 3, 4])


def test_drawing_says_which_file_is_missing(tmp_path):
    with pytest.raises(UserError, match=r"train-images-idx3-ubyte\.gz"):
        drawing.drawn(tmp_path)


def test_the_licence_lies_beside_the_file():
    place = pathlib.Path(mnist5k.__file__).parent / "embedded" / "mnist5k"
    assert sorted(path.name for path in place.iterdir()) == ["LICENSE.md", "digits.npz"]
    text = (place / "LICENSE.md").read_text(encoding="utf-8")
    for words in ("CC BY-SA 3.0", "LeCun", "Cortes", "Burges", "floor(j n / 500)"):
        assert words in text
