"""Data sets of TensorFlow Datasets, read through its own builders and files."""

import numpy as np
import pytest
import tensorflow_datasets as tfds

from tfgen.data import examples
from tfgen.errors import UserError

COUNTS = {"train": 12, "test": 5}
NAMES = ("circle", "cross", "square")


class Shapes(tfds.core.GeneratorBasedBuilder):
    """Pictures of three classes, with names."""

    VERSION = tfds.core.Version("1.0.0")
    pkg_dir_path = "."  # read by no one, and looked up in a package otherwise
    label: tfds.features.FeatureConnector = tfds.features.ClassLabel(names=NAMES)

    def _info(self):
        features = {"image": tfds.features.Image(shape=(6, 6, 1))}
        features |= {"label": self.label} if self.label is not None else {}
        return tfds.core.DatasetInfo(
            builder=self, features=tfds.features.FeaturesDict(features), description="shapes"
        )

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split) for split in COUNTS}

    def _generate_examples(self, split):
        for number in range(COUNTS[split]):
            picture = {"image": image_of(split, number)}
            yield number, picture | ({} if self.label is None else {"label": number % 3})


class Numbered(Shapes):
    """The same, whose classes have numbers alone."""

    label = tfds.features.ClassLabel(num_classes=3)


class Unlabelled(Shapes):
    """The same without labels."""

    label = None


def image_of(split: str, number: int) -> np.ndarray:
    """Returns a picture, uint8 [6, 6, 1], unlike any other."""
    return np.random.default_rng([len(split), number]).integers(0, 256, (6, 6, 1), np.uint8)


def images_of(split: str) -> set[bytes]:
    """Returns the pictures of a split."""
    return {image_of(split, number).tobytes() for number in range(COUNTS[split])}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory) -> str:
    """Returns the directory of the prepared sets."""
    place = str(tmp_path_factory.mktemp("tensorflow_datasets"))
    for builder in (Shapes, Numbered, Unlabelled):
        builder(data_dir=place).download_and_prepare()
    return place


def test_pictures_labels_and_names_of_both_splits_are_read(data_dir):
    found = examples.load("shapes", data_dir=data_dir)
    assert found.description.class_names == NAMES
    for split in COUNTS:
        part = {"train": found.train, "test": found.test}[split]
        assert {image.tobytes() for image in part.image} == images_of(split)
        for image, label in zip(part.image, part.label, strict=True):
            numbers = [n for n in range(COUNTS[split]) if (image == image_of(split, n)).all()]
            assert [n % 3 for n in numbers] == [label]


def test_classes_without_names_are_numbered(data_dir):
    found = examples.load("numbered", data_dir=data_dir)
    assert set(found.train.label) == {0, 1, 2}


def test_a_set_without_labels_has_none(data_dir):
    found = examples.load("unlabelled", data_dir=data_dir)
    assert found.train.label is None
    assert len(found.train.image) == COUNTS["train"]


def test_a_name_that_is_nearly_one_is_told(data_dir):
    with pytest.raises(UserError, match="did you mean"):
        examples.load("mnis", data_dir=data_dir)
