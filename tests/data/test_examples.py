"""Batches: their form, order, resumption and patches; incomplete images."""

import dataclasses
import functools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfgen import patches, random
from tfgen.data import masks
from tfgen.data.examples import Examples, load
from tfgen.errors import UserError

SEED = random.root(0)


def numbered(size, side=3):
    """Makes images that carry their number in every pixel, and as their label."""
    values = (np.arange(size, dtype=np.float32) / size)[:, None, None, None]
    return Examples(np.broadcast_to(values, (size, side, side, 1)).copy(), np.arange(size))


def take(examples, count, *, batch_size=4, seed=SEED, start=0):
    """Returns some batches, as arrays."""
    return list(examples.batches(batch_size, seed, start).take(count).as_numpy_iterator())


def test_batches_are_float32_in_unit_range_with_index_and_label():
    data = load("digits").train
    batch = take(data, 1)[0]
    assert (batch["image"].dtype, batch["image"].shape) == (np.float32, (4, 8, 8, 1))
    np.testing.assert_array_equal(batch["image"], data.as_float()[batch["index"]])
    np.testing.assert_array_equal(batch["label"], data.label[batch["index"]])


def test_batches_scale_bytes_as_as_float_does():
    data = Examples(np.arange(4 * 9, dtype=np.uint8).reshape(4, 3, 3, 1) * 7)
    batch = take(data, 1)[0]
    np.testing.assert_allclose(batch["image"], data.as_float()[batch["index"]], atol=1e-7)
    assert "label" not in batch


def test_batches_have_a_static_shape():
    spec = numbered(5).batches(2, SEED).element_spec
    assert spec["image"].shape == (2, 3, 3, 1)


@settings(max_examples=4, deadline=None, derandomize=True)
@given(size=st.integers(1, 12), batch_size=st.integers(1, 5), start=st.integers(0, 30))
def test_batches_from_a_later_step_are_those_of_the_uninterrupted_stream(size, batch_size, start):
    whole = take(numbered(size), start + 2, batch_size=batch_size)[start:]
    resumed = take(numbered(size), 2, batch_size=batch_size, start=start)
    for a, b in zip(whole, resumed, strict=True):
        np.testing.assert_array_equal(a["index"], b["index"])
        np.testing.assert_array_equal(a["image"], b["image"])


@settings(max_examples=4, deadline=None, derandomize=True)
@given(size=st.integers(1, 12), batch_size=st.integers(1, 5))
def test_every_example_comes_once_an_epoch(size, batch_size):
    """Three epochs; a batch may straddle two."""
    batches = take(numbered(size), -(-3 * size // batch_size), batch_size=batch_size)
    stream = np.concatenate([b["index"] for b in batches])[: 3 * size].reshape(3, size)
    np.testing.assert_array_equal(np.sort(stream, axis=1), np.tile(np.arange(size), (3, 1)))


def test_another_seed_gives_another_order():
    """Equal by chance with a probability of 1 / 100!."""
    orders = [
        take(numbered(100), 1, batch_size=100, seed=random.root(s))[0]["index"] for s in (0, 1)
    ]
    assert not np.array_equal(*orders)


@functools.cache
def places(size=9, patch=4, count=50, start=0):
    """Returns an image whose pixels tell where they are, patches of it, and their places."""
    image = (np.arange(size * size, dtype=np.float32) / size**2).reshape(1, size, size, 1)
    examples = Examples(image, patch_size=patch)
    cut = np.concatenate([b["image"] for b in take(examples, count, start=start)])
    corner = np.rint(cut[:, 0, 0, 0] * size**2).astype(int)
    return image[0], cut, corner // size, corner % size


def test_patches_are_parts_of_the_image():
    image, cut, top, left = places()
    for patch, i, j in zip(cut, top, left, strict=True):
        np.testing.assert_array_equal(patch, image[i : i + 4, j : j + 4])


def test_patches_come_from_everywhere_including_the_last_row_and_column():
    """One of 6 positions is missed by 200 draws with a probability of 6 (5/6)^200 < 1e-14."""
    _, _, top, left = places()
    assert set(top) == set(left) == set(range(6))
    assert len({*zip(top, left, strict=True)}) > 20


def test_patches_are_the_same_after_a_resumption():
    np.testing.assert_array_equal(places(count=6)[1][3 * 4 :], places(count=3, start=3)[1])


def test_a_patch_as_large_as_the_image_is_the_image():
    x = random.normal([2, 5, 5, 3], SEED)
    np.testing.assert_array_equal(patches.cut(x, patches.places(tf.range(2), 5, 5, 5, SEED), 5), x)


def test_the_shape_of_an_example_is_that_of_its_patch():
    data = load("textures/brick", patch_size=32, test_fraction=0.25)
    assert data.shape == (32, 32, 1)
    assert data.train.as_float().shape == (1, 512, 384, 1)
    assert take(data.train, 1)[0]["image"].shape == (4, 32, 32, 1)


def test_a_patch_larger_than_the_image_is_refused():
    with pytest.raises(UserError, match="patch_size: expected at most 384"):
        load("textures/brick", patch_size=400, test_fraction=0.25)


def test_image_size_and_channels_are_those_asked_for():
    data = load("textures/gravel", image_size=(32, 48), channels=3, test_fraction=0)
    assert data.shape == (32, 48, 3)


def test_a_stream_from_a_late_step_starts_at_once():
    """Reading a million batches to skip them would take minutes."""
    assert take(numbered(7), 1, start=1_000_000)[0]["image"].shape == (4, 3, 3, 1)


def test_streams_are_not_autotuned():
    """The autotuner's thread can block the destruction of a stream for up to 60 s."""
    assert numbered(7).batches(4, SEED).options().autotune.enabled is False


# incomplete images


def incomplete(size=12, spec="P.5", **options):
    """Returns a few of the embedded digits, with pixels hidden."""
    whole = load("digits").train
    mask = masks.parse(spec, (size, 8, 8), SEED).numpy() > 0
    return Examples(whole.image[:size], whole.label[:size], mask=mask, **options)


def test_missing_pixels_are_exactly_zero_and_known_ones_are_unchanged():
    examples = incomplete()
    for batch in take(examples, 5):
        known = np.broadcast_to(batch["mask"] == 1, batch["image"].shape)
        assert batch["mask"].dtype == np.float32
        assert set(np.unique(batch["mask"])) == {0.0, 1.0}
        np.testing.assert_array_equal(batch["image"][~known], 0.0)
        np.testing.assert_array_equal(
            batch["image"][known], examples.as_float()[batch["index"]][known]
        )


def test_an_image_has_one_mask_whatever_the_epoch_the_batch_and_the_seed():
    examples, seen = incomplete(), {}
    for batch_size, seed, start in ((4, 0, 0), (5, 1, 0), (3, 0, 1000)):
        for batch in take(examples, 8, batch_size=batch_size, seed=random.root(seed), start=start):
            for index, mask in zip(batch["index"], batch["mask"], strict=True):
                np.testing.assert_array_equal(seen.setdefault(index, mask), mask)
    assert len(seen) == 12
    np.testing.assert_array_equal(np.stack([seen[i] for i in range(12)]), examples.mask)


def test_as_float_hides_nothing_and_batches_of_complete_images_have_no_mask():
    examples = incomplete()
    np.testing.assert_array_equal(
        examples.as_float(), dataclasses.replace(examples, mask=None).as_float()
    )
    assert "mask" not in take(dataclasses.replace(examples, mask=None), 1)[0]


def test_incomplete_batches_have_a_static_shape():
    assert incomplete().batches(2, SEED).element_spec["mask"].shape == (2, 8, 8, 1)


@pytest.mark.parametrize("spec", ["P.7", "B20", "half:left"])
def test_missing_hides_pixels_of_the_training_images_alone(spec):
    data, whole = load("digits", missing=spec), load("digits")
    assert data.train.mask.shape == (data.size, 8, 8, 1)
    assert data.test.mask is None
    np.testing.assert_array_equal(data.train.as_float(), whole.train.as_float())
    np.testing.assert_array_equal(data.test.image, whole.test.image)


def test_the_hidden_share_is_the_patterns_and_masks_differ_between_images():
    """103,488 pixels, 5 binomial standard errors: fails with a probability of 6e-7."""
    mask = load("digits", missing="P.7").train.mask
    assert abs(np.mean(~mask) - 0.7) < 5 * np.sqrt(0.7 * 0.3 / mask.size)
    assert len({m.tobytes() for m in mask}) == len(mask)


def test_masks_do_not_depend_on_any_global_seed():
    found = []
    for seed in (0, 1):
        np.random.seed(seed)
        tf.random.set_seed(seed)
        found.append(load("digits", missing="P.5").train.mask)
    np.testing.assert_array_equal(*found)


def test_incomplete_patches_and_unknown_patterns_are_refused():
    with pytest.raises(
        UserError, match="missing: expected whole images and found a patch_size too"
    ):
        load("textures/brick", patch_size=32, missing="P.5")
    with pytest.raises(UserError, match=r"mask: expected .* and found P\.6"):
        load("digits", missing="P.6")
