"""What training remembers of each example: rows are taken, put, saved and restored; known pixels stay."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfgen import random
from tfgen.errors import UserError
from tfgen.memory import Memory, MissingPixels
from trainers import checkpoints

ROUNDING = 2**-11
"""Of half precision on [-1, 1]."""


def rows(count, shape=(2, 3), seed=0):
    """Some numbers in (-1, 1)."""
    return tf.tanh(random.normal((count, *shape), random.root(seed)))


def batch(index, seed=0, shape=(4, 4, 2), masked=True):
    """Images with about half of their pixels missing, which are zeros."""
    found = {"image": rows(len(index), shape, seed), "index": tf.constant(index, tf.int64)}
    if masked:
        known = random.uniform((len(index), *shape[:2], 1), random.root(100 + seed)) < 0.5
        found["mask"] = tf.cast(known, tf.float32)
        found["image"] *= found["mask"]
    return found


def test_rows_start_at_zero_or_normal_with_their_scale():
    """60,000 numbers: s within 5 / √(2n) of itself and the mean within 5 s / √n; fails with 1.2e-6."""
    np.testing.assert_array_equal(Memory(3, (2,)).rows, np.zeros((3, 2)))
    start = Memory(20_000, (3,), scale=0.5).rows.numpy()
    assert abs(start.std() / 0.5 - 1) < 5 / np.sqrt(2 * 60_000)
    assert abs(start.mean()) < 5 * 0.5 / np.sqrt(60_000)
    np.testing.assert_array_equal(start, Memory(20_000, (3,), scale=0.5).rows)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(puts=st.lists(st.sets(st.integers(0, 8), min_size=1, max_size=5), max_size=5))
def test_what_was_put_is_taken_until_it_is_replaced_and_nothing_else_moves(puts):
    memory, model = Memory(9, (2, 3), scale=1.0), {}
    start = memory.rows.numpy()
    for seed, chosen in enumerate(puts):
        index, values = list(chosen), rows(len(chosen), seed=seed)
        memory.put(tf.constant(index, tf.int64), values)
        model |= dict(zip(index, values.numpy(), strict=True))
    expected = np.stack([model.get(i, start[i]) for i in range(9)])
    np.testing.assert_array_equal(memory.take(tf.range(9, dtype=tf.int64)), expected)


def test_rows_are_taken_in_the_order_asked_for_and_more_than_once():
    memory = Memory(4, (2,), scale=1.0)
    np.testing.assert_array_equal(memory.take(tf.constant([3, 0, 3])), memory.rows.numpy()[[3, 0, 3]])


def test_rows_are_given_and_taken_as_float32_whatever_they_are_kept_as():
    memory = Memory(4, (2, 3), dtype="float16")
    values = rows(2)
    memory.put(tf.constant([1, 3]), values)
    assert memory.rows.dtype == "float16"
    assert memory.take(tf.constant([1])).dtype == tf.float32
    np.testing.assert_allclose(memory.take(tf.constant([1, 3])), values, rtol=0, atol=ROUNDING / 2)


def test_rows_are_replaced_inside_a_compiled_update():
    memory = Memory(4, (2, 3))
    tf.function(memory.put, autograph=False)(tf.constant([2]), rows(1))
    np.testing.assert_array_equal(memory.take(tf.constant([2])), rows(1))


def test_rows_are_not_trained():
    assert Memory(4, (2,)).trainable_variables == []


def test_rows_are_saved_and_restored(tmp_path):
    """As a run's checkpoints keep them; a memory of another size is refused."""
    memory, other = Memory(4, (2, 3)), Memory(4, (2, 3), scale=1.0)
    memory.put(tf.constant([1, 2]), rows(2))
    checkpoints.save(tmp_path, 7, {"weights": memory.weights}, keep=1)
    checkpoints.restore(tmp_path, {"weights": other.weights})
    np.testing.assert_array_equal(memory.rows, other.rows)
    with pytest.raises(UserError, match="a whole checkpoint of this run"):
        checkpoints.restore(tmp_path, {"weights": Memory(5, (2, 3)).weights})


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
