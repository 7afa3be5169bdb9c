"""Masks of clips."""

import numpy as np
import pytest

from tfgen import random
from tfgen.data import masks
from tfgen.errors import UserError

SHAPE = (3, 8, 10, 12)
SEED = random.root(0)


def test_hidden_frames_are_hidden_whole_and_no_others():
    found = masks.parse("frames:2-4", SHAPE, SEED).numpy()
    assert found.shape == (*SHAPE, 1)
    assert [frame.all() for frame in found[1]] == [True, True, *[False] * 3, *[True] * 3]
    assert not found[:, 2:5].any()


def test_a_block_moves_on_a_straight_line():
    found = masks.parse("moving_block:4", SHAPE, SEED).numpy()[..., 0]
    assert (found.sum(axis=(2, 3)) == 10 * 12 - 16).all()  # in each frame, inside it
    corners = np.array([[np.argwhere(frame == 0)[0] for frame in clip] for clip in found])
    steps = np.diff(corners, axis=1)
    assert np.abs(steps - steps.mean(axis=1, keepdims=True)).max() <= 1  # an even pace, rounded
    assert (corners[:, 0] != corners[:, -1]).any()


def test_masks_of_images_hide_the_same_in_all_frames():
    found = masks.parse("salt_and_pepper:0.5", SHAPE, SEED).numpy()
    assert (found == found[:, :1]).all()
    assert found.std() > 0
    np.testing.assert_array_equal(
        found[:, 0], masks.parse("salt_and_pepper:0.5", (3, 10, 12), SEED)
    )


@pytest.mark.parametrize("spec", ["frames:7-8", "frames:x", "moving_block:11", "frames:0-7"])
def test_masks_that_do_not_fit_are_refused(spec):
    with pytest.raises(UserError, match="mask"):
        masks.parse(spec, SHAPE, SEED)


def test_images_have_no_hidden_frames():
    with pytest.raises(UserError, match="found frames:0-1"):
        masks.parse("frames:0-1", (1, 4, 4), SEED)
