"""Splits: which images are taken, trained on, held out and set aside; the same in every run."""

import numpy as np
import pytest
import tensorflow as tf

from tfgen.data import sources, splits
from tfgen.data.contents import Contents
from tfgen.data.examples import load
from tfgen.errors import UserError

EVERYTHING = {"test_fraction": 0}


def numbered(path, count=50):
    """Writes a data set whose pictures and labels are their numbers; returns its name."""
    values = np.arange(count, dtype=np.uint8)
    np.savez(path, image=np.tile(values[:, None, None], (1, 2, 2)), label=values.astype(np.int64))
    return f"npz:{path}"


def label_of_each(part):
    """Returns the label of each image, by its bytes."""
    return dict(zip(contents(part), part.label, strict=True))


def contents(part):
    """Returns the bytes of each image."""
    return [image.tobytes() for image in part.image]


# held-out images


def test_held_out_images_are_not_trained_on_and_none_is_lost():
    data, whole = load("digits", test_fraction=0.2), load("digits", **EVERYTHING)
    assert (data.size, len(data.test)) == (1797 - 359, 359)
    parts = contents(data.train) + contents(data.test)
    assert sorted(parts) == sorted(contents(whole.train))


def test_labels_stay_with_their_images_when_some_are_held_out():
    whole, data = load("digits", **EVERYTHING), load("digits", test_fraction=0.2)
    parts = label_of_each(data.train) | label_of_each(data.test)
    assert parts == label_of_each(whole.train)


def test_the_split_does_not_depend_on_any_global_seed():
    found = []
    for seed in (0, 1):
        np.random.seed(seed)
        tf.random.set_seed(seed)
        found.append(load("digits").test.image)
    np.testing.assert_array_equal(*found)


def test_the_right_part_of_a_single_picture_is_held_out():
    data = load("textures/grass", test_fraction=0.25)
    whole = load("textures/grass", **EVERYTHING).train.image
    np.testing.assert_array_equal(data.train.image, whole[:, :, :384])
    np.testing.assert_array_equal(data.test.image, whole[:, :, 384:])


def test_with_a_fraction_of_0_all_images_are_trained_on_and_tested_on():
    data = load("digits", **EVERYTHING)
    assert data.size == len(data.test) == 1797


# images set aside for validation


def test_validation_images_come_from_the_training_images_and_hide_nothing():
    """The test images are in neither part. Masks stay with their images."""
    usual, chosen = load("digits", missing="B20"), load("digits", missing="B20", validation=180)
    assert (chosen.size, len(chosen.test)) == (usual.size - 180, 180)
    assert chosen.test.mask is None
    masks = dict(zip(contents(usual.train), usual.train.mask, strict=True))
    for image, mask in zip(contents(chosen.train), chosen.train.mask, strict=True):
        np.testing.assert_array_equal(masks.pop(image), mask)
    assert masks.keys() == set(contents(chosen.test))


def test_setting_all_images_aside_is_refused():
    said = "validation: expected fewer than the 1617 training images and found 1617"
    with pytest.raises(UserError, match=said):
        load("digits", validation=1617)


# a part of a data set


def test_max_images_takes_each_image_at_most_once_with_its_label(tmp_path):
    found = load(numbered(tmp_path / "a.npz"), max_images=20, **EVERYTHING).train
    values = found.image[:, 0, 0, 0]
    assert len(set(values)) == len(values) == 20
    np.testing.assert_array_equal(found.label, values)


def test_a_max_images_above_the_number_of_images_takes_all_in_their_order(tmp_path):
    name = numbered(tmp_path / "a.npz")
    for most in (50, 51):
        found = load(name, max_images=most, **EVERYTHING).train
        np.testing.assert_array_equal(found.label, np.arange(50))


def test_the_part_is_the_same_in_every_run_and_not_the_first_images(tmp_path):
    """The first 20 of 50 are drawn by chance once in 10^13."""
    name, found = numbered(tmp_path / "a.npz"), []
    for seed in (0, 1):
        np.random.seed(seed)
        found.append(load(name, max_images=20, **EVERYTHING).train.label)
    np.testing.assert_array_equal(*found)
    assert set(found[0]) != set(range(20))


def test_a_reservoir_holds_every_item_with_the_same_probability(monkeypatch):
    """4,000 draws of 3 of 10, each with a seed of its own.

    An item is held 1,200 times, with a standard deviation of 29. Five of these are exceeded for one
    of ten items in 1 of 10^5 tests.
    """
    rng, counts = np.random.default_rng(1), np.zeros(10)
    default_rng = np.random.default_rng
    monkeypatch.setattr(np.random, "default_rng", lambda seed: default_rng(rng.integers(2**32)))
    for _ in range(4000):
        counts[splits.reservoir(range(10), 3)] += 1
    assert counts.sum() == 12_000
    assert np.abs(counts - 1200).max() < 145


def test_test_images_are_held_out_of_the_part(tmp_path):
    data = load(numbered(tmp_path / "a.npz"), max_images=20, test_fraction=0.25)
    assert (data.size, len(data.test)) == (15, 5)
    assert not set(data.train.label) & set(data.test.label)


def test_the_part_is_drawn_from_a_sources_training_images_alone(monkeypatch):
    def pictures(values):
        return ((np.full((2, 2), value, np.uint8), value) for value in values)

    found = Contents({"train": pictures(range(10)), "test": pictures(range(90, 99))})
    monkeypatch.setattr(sources, "read", lambda *_: found)
    data = load("any", max_images=4, test_fraction=0.25)
    assert (data.size, len(data.test)) == (3, 1)
    assert {*data.train.label, *data.test.label} < set(range(10))


def test_the_same_pixels_of_a_part_are_missing_in_every_run(tmp_path):
    name = numbered(tmp_path / "a.npz")
    options = {"max_images": 20, "missing": "salt_and_pepper:0.5"} | EVERYTHING
    one, two = (load(name, **options).train for _ in range(2))
    assert one.mask.shape == (20, 2, 2, 1)
    np.testing.assert_array_equal(one.mask, two.mask)
    assert 0.2 < one.mask.mean() < 0.8
