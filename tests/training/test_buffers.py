"""Buffers of training: rows are taken, put, saved and restored; known pixels stay."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tfgen import random
from tfgen.errors import UserError
from tfgen.training.buffers import Buffer, MissingPixels, PseudoNegatives
from trainers.run import checkpoints

ROUNDING = 2**-11
"""Of half precision on [-1, 1]."""


def rows(count, shape=(2, 3), seed=0):
    """Returns rows of numbers in (-1, 1)."""
    return tf.tanh(random.normal((count, *shape), random.root(seed)))


def batch(index, seed=0, shape=(4, 4, 2), masked=True):
    """Returns images, about half of whose pixels are missing and zero."""
    found = {"image": rows(len(index), shape, seed), "index": tf.constant(index, tf.int64)}
    if masked:
        known = random.uniform((len(index), *shape[:2], 1), random.root(100 + seed)) < 0.5
        found["mask"] = tf.cast(known, tf.float32)
        found["image"] *= found["mask"]
    return found


def test_rows_start_at_zero_or_normal_with_their_scale():
    """60,000 numbers have the mean and the standard deviation s that were asked for.

    The tolerances are 5 / √(2n) of s, and 5 s / √n of the mean: this fails with a probability of
    1.2e-6.
    """
    np.testing.assert_array_equal(Buffer(3, (2,)).rows, np.zeros((3, 2)))
    start = Buffer(20_000, (3,), scale=0.5).rows.numpy()
    assert abs(start.std() / 0.5 - 1) < 5 / np.sqrt(2 * 60_000)
    assert abs(start.mean()) < 5 * 0.5 / np.sqrt(60_000)
    np.testing.assert_array_equal(start, Buffer(20_000, (3,), scale=0.5).rows)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(puts=st.lists(st.sets(st.integers(0, 8), min_size=1, max_size=5), max_size=5))
def test_what_was_put_is_taken_until_it_is_replaced_and_nothing_else_moves(puts):
    memory, model = Buffer(9, (2, 3), scale=1.0), {}
    start = memory.rows.numpy()
    for seed, chosen in enumerate(puts):
        index, values = list(chosen), rows(len(chosen), seed=seed)
        memory.scatter(tf.constant(index, tf.int64), values)
        model |= dict(zip(index, values.numpy(), strict=True))
    expected = np.stack([model.get(i, start[i]) for i in range(9)])
    np.testing.assert_array_equal(memory.gather(tf.range(9, dtype=tf.int64)), expected)


def test_rows_are_taken_in_the_order_asked_for_and_more_than_once():
    memory = Buffer(4, (2,), scale=1.0)
    np.testing.assert_array_equal(
        memory.gather(tf.constant([3, 0, 3])), memory.rows.numpy()[[3, 0, 3]]
    )


def test_rows_are_given_and_taken_as_float32_whatever_they_are_kept_as():
    memory = Buffer(4, (2, 3), dtype="float16")
    values = rows(2)
    memory.scatter(tf.constant([1, 3]), values)
    assert memory.rows.dtype == "float16"
    assert memory.gather(tf.constant([1])).dtype == tf.float32
    np.testing.assert_allclose(
        memory.gather(tf.constant([1, 3])), values, rtol=0, atol=ROUNDING / 2
    )


def test_rows_are_replaced_inside_a_compiled_update():
    memory = Buffer(4, (2, 3))
    tf.function(memory.scatter, autograph=False)(tf.constant([2]), rows(1))
    np.testing.assert_array_equal(memory.gather(tf.constant([2])), rows(1))


def test_rows_are_not_trained():
    assert Buffer(4, (2,)).trainable_variables == []


def test_rows_are_saved_and_restored(tmp_path):
    """They are as a run's checkpoints keep them; a memory of another size is refused."""
    memory, other = Buffer(4, (2, 3)), Buffer(4, (2, 3), scale=1.0)
    memory.scatter(tf.constant([1, 2]), rows(2))
    checkpoints.save(tmp_path, 7, {v.name: v for v in memory.weights}, keep=1)
    checkpoints.restore(tmp_path, {v.name: v for v in other.weights})
    np.testing.assert_array_equal(memory.rows, other.rows)
    with pytest.raises(UserError, match=r"rows is float32 \[4, 2, 3\] where float32 \[5, 2, 3\]"):
        checkpoints.restore(tmp_path, {v.name: v for v in Buffer(5, (2, 3)).weights})


# missing pixels


def test_missing_pixels_are_zeros_at_first_and_what_was_made_of_them_then():
    memory, first, other = MissingPixels(6, (4, 4, 2)), batch([4, 1]), batch([5, 0], seed=1)
    np.testing.assert_array_equal(memory.fill(first), first["image"])
    made = rows(2, (4, 4, 2), seed=9)
    memory.overwrite(first, made)
    expected = np.where(first["mask"] == 1, first["image"], made)
    np.testing.assert_allclose(memory.fill(first), expected, rtol=0, atol=ROUNDING)
    np.testing.assert_array_equal(memory.fill(other), other["image"])


def test_known_pixels_are_those_of_the_batch_to_the_last_bit():
    memory, given = MissingPixels(6, (4, 4, 2)), batch([0, 3, 5])
    memory.overwrite(given, rows(3, (4, 4, 2), seed=9))
    known = np.broadcast_to(given["mask"] == 1, given["image"].shape)
    np.testing.assert_array_equal(memory.fill(given).numpy()[known], given["image"].numpy()[known])


def test_each_image_keeps_its_own_whatever_its_place_in_the_batch():
    memory, given = MissingPixels(6, (4, 4, 2)), batch([4, 1, 2])
    memory.overwrite(given, rows(3, (4, 4, 2), seed=9))
    turned = {name: tf.reverse(values, [0]) for name, values in given.items()}
    np.testing.assert_array_equal(memory.fill(turned), tf.reverse(memory.fill(given), [0]))


def test_whole_images_pass_through_and_nothing_is_kept_of_them():
    memory, given = MissingPixels(0, (4, 4, 2)), batch([0, 7], masked=False)
    assert memory.rows.shape == (0, 4, 4, 2)
    assert memory.fill(given) is given["image"]
    memory.overwrite(given, tf.zeros([2, 4, 4, 2]))
    memory = MissingPixels(8, (4, 4, 2))
    memory.overwrite(given, tf.ones([2, 4, 4, 2]))
    np.testing.assert_array_equal(memory.rows, np.zeros((8, 4, 4, 2)))


# pseudo-negatives


def white(sigma):
    """Returns what draws white noise in [-1, 1] of a standard deviation."""
    return lambda shape, seed: tf.clip_by_value(sigma * random.normal(shape, seed), -1, 1)


def kept(stages, *, memory=3, num=4, side=6, recency=2.0):
    """Returns a memory after so many stages, with samples of known numbers.

    Each sample's pixels are 100 times its stage plus its own number, over 1000.
    """
    found = PseudoNegatives(memory, num, (side, side, 1), recency, white(0.3))
    for stage in range(stages):
        number = 100 * stage + tf.range(num, dtype=tf.float32)
        found.keep(
            tf.constant(stage), tf.ones([1, side, side, 1]) * number[:, None, None, None] / 1000
        )
    return found


def drawn(memory, count, stage, seed=0):
    """Returns the stage and the number of each drawn sample, read off its first pixel."""
    patch = memory.draw(count, tf.constant(stage), memory.rows.shape[1], random.root(seed)).numpy()
    number = np.round(1000 * patch[:, 0, 0, 0]).astype(int)
    return number // 100, number % 100


def test_before_the_first_stage_they_are_white_noise_in_range():
    """60,000 numbers follow N(0, 0.5²) clipped at two standard deviations.

    Their deviation is within 5 standard errors, which fails with a probability of 6e-7.
    """
    start = PseudoNegatives(2, 300, (10, 10, 1), 2.0, white(0.5)).newest(tf.constant(0)).numpy()
    assert np.abs(start).max() == 1
    inside = 1 - 2 * stats.norm.sf(2)  # E[x²] below 2 is inside - 2 * 2 φ(2), and 4 beyond
    variance = 0.25 * (inside - 4 * stats.norm.pdf(2) + 4 * (1 - inside))
    fourth = 0.0625 * (3 * inside - 2 * (8 + 6) * stats.norm.pdf(2) + 16 * (1 - inside))
    assert abs(np.mean(start**2) - variance) < 5 * np.sqrt((fourth - variance**2) / start.size)


def test_a_stages_samples_are_the_newest_until_they_are_replaced():
    memory = kept(5)
    for stage in (2, 3, 4):
        expected = (100 * stage + np.arange(4)) / 1000
        np.testing.assert_allclose(
            memory.newest(tf.constant(stage))[:, 0, 0, 0], expected, rtol=2**-11
        )
    np.testing.assert_array_equal(memory.newest(tf.constant(1)), memory.newest(tf.constant(4)))


@pytest.mark.parametrize("recency", [1.0, 2.0, 3.5])
@pytest.mark.parametrize("stage", [0, 1, 2, 7])
def test_stages_are_drawn_with_a_probability_that_falls_with_their_age(recency, stage):
    """20,000 draws are of kept stages alone, and of each in its share.

    The ages are compared by chi-square, which fails with a probability of 1e-6 each.
    """
    age = stage - drawn(kept(stage + 1, recency=recency), 20_000, stage)[0]
    known = min(stage + 1, 3)
    share = recency ** -np.arange(known)
    counts = np.bincount(age, minlength=known)
    assert len(counts) == known
    assert stats.chisquare(counts, 20_000 * share / share.sum()).pvalue > 1e-6 or known == 1


def test_a_fresh_share_is_of_the_newest_stage_and_the_rest_by_recency():
    """Of 20,000 draws the first 5,000 are fresh; the chi-square of the rest fails with 1e-6."""
    memory = kept(8)
    memory.fresh = 0.25
    age = 7 - drawn(memory, 20_000, 7)[0]
    assert (age[:5_000] == 0).all()
    share = 2.0 ** -np.arange(3)
    counts = np.bincount(age[5_000:], minlength=3)
    assert stats.chisquare(counts, 15_000 * share / share.sum()).pvalue > 1e-6


def test_samples_of_a_stage_are_drawn_equally_often_whatever_the_stage():
    """The chi-square of 20,000 draws for each of three stages fails with 3e-6 in all."""
    stage, sample = drawn(kept(3), 20_000, 2)
    for number in range(3):
        assert stats.chisquare(np.bincount(sample[stage == number], minlength=4)).pvalue > 1e-6


def test_noise_is_never_drawn_once_the_memory_is_full_nor_before_it_is():
    """Stages that have not been, which still hold the noise of the start, are never drawn."""
    memory = PseudoNegatives(5, 4, (6, 6, 1), 1.0, white(0.3))
    for stage in range(9):
        memory.keep(tf.constant(stage), tf.fill([4, 6, 6, 1], 0.5))
        np.testing.assert_array_equal(
            memory.draw(500, tf.constant(stage), 3, random.root(stage)),
            np.full((500, 3, 3, 1), 0.5),
        )


def test_patches_are_drawn_from_everywhere_in_a_sample():
    """8,000 draws of a patch of 3 in 6 meet its 4 x 4 places equally often.

    The chi-square fails with a probability of 1e-6.
    """
    memory = PseudoNegatives(1, 2, (6, 6, 1), 2.0, white(0.3))
    number = tf.reshape(tf.range(36.0), [1, 6, 6, 1])
    memory.keep(tf.constant(0), tf.repeat(number, 2, axis=0))
    patch = memory.draw(8_000, tf.constant(0), 3, random.root(0)).numpy()[..., 0]
    corner = patch[:, 0, 0].astype(int)
    np.testing.assert_array_equal(
        patch - patch[:, :1, :1], np.broadcast_to([[0, 1, 2], [6, 7, 8], [12, 13, 14]], patch.shape)
    )
    counts = np.bincount(corner // 6 * 4 + corner % 6, minlength=16)
    assert len(counts) == 16
    assert stats.chisquare(counts).pvalue > 1e-6


def test_draws_depend_on_their_seed_and_the_rows_alone():
    once, again, other = (drawn(kept(3), 100, 2, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(once, again)
    assert not np.array_equal(once, other)


def test_they_are_kept_and_drawn_inside_a_compiled_update_with_the_stage_a_variable():
    memory, stage = kept(2), tf.Variable(1)
    traced = tf.function(lambda: memory.draw(50, stage, 6, random.root(0)), autograph=False)
    np.testing.assert_array_equal(traced(), memory.draw(50, tf.constant(1), 6, random.root(0)))
    tf.function(lambda: memory.keep(stage + 1, tf.zeros([4, 6, 6, 1])), autograph=False)()
    np.testing.assert_array_equal(memory.newest(tf.constant(2)), np.zeros((4, 6, 6, 1)))
