"""Protocols record what was measured, not what was asked."""

import numpy as np
import pytest
from support.digit_models import DATA

from tfgen.data.description import Description
from tfgen.evaluation.completion import Completion
from tfgen.evaluation.outliers import Outliers
from tfgen.evaluation.reconstruction import Reconstruction


def protocol(cls, images=DATA, **fields):
    """Returns the protocol of a measurement of no model."""
    made = object.__new__(cls)
    defaults = {"model": None, "images": images, "seed": 0, "jit": False}
    for field in cls.__dataclass_fields__.values():
        if field.name != "_" and field.default is not field.default_factory:
            object.__setattr__(made, field.name, field.default)
    for name, value in (defaults | fields).items():
        object.__setattr__(made, name, value)
    return super(cls, made).protocol() if cls is Completion else made.protocol()


@pytest.mark.parametrize(("asked", "train", "test"), [(1_000_000, 150, 110), (120, 120, 110)])
def test_the_images_of_two_splits_are_counted(asked, train, test):
    found = protocol(Reconstruction, num_images=asked)
    assert (found["num_train"], found["num_test"]) == (train, test)
    assert found["num_images"] == train


def test_the_images_of_one_split_are_counted():
    assert protocol(Completion, num_images=1_000_000)["num_images"] == 110


def test_noise_is_drawn_as_often_as_it_is_asked():
    found = protocol(Outliers, num_images=1000)
    assert (found["num_images"], found["num_train"], found["num_test"]) == (1000, 150, 110)


def test_a_test_on_the_training_images_is_marked():
    assert "test" not in protocol(Reconstruction)
    same = DATA._replace(description=Description(held_out="test is train, since it is one"))
    assert protocol(Reconstruction, same)["test"] == "is train"
    assert np.array_equal(same.train.image, DATA.train.image)
