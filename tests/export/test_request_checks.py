"""A graph refuses what it cannot answer, and names the input."""

import numpy as np
import pytest
import tensorflow as tf
from support.rows import answer, endpoint_of, picture

from export.clients.exported import refusal
from export.saved_model import checks
from tfgen.models import inputs

BAD = {
    "nan": ("complete", "image", lambda image: image * np.nan, "image: expected finite numbers"),
    "infinite": ("energy", "image", lambda image: image * np.inf, "image: expected finite numbers"),
    "grey mask": (
        "complete",
        "mask",
        lambda mask: 0.5 * mask,
        "mask: expected 0 where a pixel is missing and 1",
    ),
    "nan mask": ("complete", "mask", lambda mask: mask * np.nan, "mask: expected"),
    "sides": (
        "complete",
        "image",
        lambda image: image[:, :4],
        "image: expected the shape [any, 8, 8, 1]",
    ),
    "rank": ("energy", "image", lambda image: image[0], "image: expected the shape [any, 8, 8, 1]"),
    "empty": (
        "energy",
        "image",
        lambda image: image[:0],
        "image: expected at least 1 row",
    ),
    "rows": ("complete", "seed", lambda seed: seed[:2], "seed: expected as many rows"),
    "steps": (
        "complete",
        "num_steps",
        lambda steps: steps - 5,
        "num_steps: expected numbers that are not negative",
    ),
    "one draw": (
        "uncertainty",
        "draws",
        lambda draws: 0 * draws + 1,
        "draws: expected numbers of at least 2",
    ),
    "draws": (
        "uncertainty",
        "draws",
        lambda draws: draws + np.arange(3, dtype=np.int32),
        "draws: expected the same",
    ),
    "no file": (
        "complete_png",
        "image_bytes",
        lambda files: np.array([b"x"] * 3),
        "image_bytes: expected PNG files",
    ),
    "no bytes": (
        "energy_png",
        "image_bytes",
        lambda files: np.array([b""] * 3),
        "image_bytes: expected PNG files",
    ),
    "cut": (
        "complete_png",
        "mask_bytes",
        lambda files: np.array([f[:-5] for f in files]),
        "mask_bytes: expected whole",
    ),
    "hole": (
        "energy_png",
        "image_bytes",
        lambda files: np.array([f[:40] + f[41:] for f in files]),
        "image_bytes",
    ),
    "larger": (
        "complete_png",
        "image_bytes",
        lambda files: np.array([picture(np.zeros((8, 300, 1)))] * 3),
        "image_bytes: expected pictures of 8x8 pixels",
    ),
}
"""Endpoint, input, what is wrong with it, and what is said."""


@pytest.mark.parametrize("kind", BAD)
def test_what_cannot_be_answered_is_an_invalid_argument_that_names_the_input(
    triangle_signatures, triangle_rows, kind
):
    name, culprit, spoil, said = BAD[kind]
    given = triangle_rows(name)
    given[culprit] = spoil(given[culprit])
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        answer(triangle_signatures[name], given)
    assert said in refusal(caught.value.message)


OUT_OF_RANGE = {
    "label": (inputs.label(10), [0, 9], [10, 0], "label: expected classes from 0 to 9"),
    "negative label": (inputs.label(10), [0, 9], [-1, 0], "label: expected classes from 0 to 9"),
    "stage": (inputs.stage(3), [2, 2], [3, 3], "stage: expected classifiers from 0 to 2"),
    "size": (inputs.size((4, 4), 3), [[3, 9]] * 2, [[2, 9]] * 2, "size: expected at least 3 pix"),
    "gamma": (inputs.gamma(), [1.0, 1.0], [1.5, 1.5], "gamma: expected numbers from 0 to 1"),
    "seeds": (inputs.seed(), [[1, 2], [3, 4]], [[1, 2, 3]] * 2, "seed: expected the shape"),
    "sizes": (inputs.size((4, 4)), [[4, 4]] * 2, [[4, 4], [4, 5]], "size: expected the same"),
}
"""An input, rows that it takes, rows that it does not take, and what is said."""


@pytest.mark.parametrize("kind", OUT_OF_RANGE)
def test_every_input_is_checked_by_what_it_declares(kind):
    known, good, bad, said = OUT_OF_RANGE[kind]
    image = inputs.image((2, 2, 1))
    checked = checks.checked(endpoint_of(lambda image, **given: {"energy": image}, image, known))
    images = tf.zeros((2, 2, 2, 1))
    assert len(checked.fn(image=images, **{known.name: tf.constant(good)})["energy"]) == 2
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        checked.fn(image=images, **{known.name: tf.constant(bad)})
    assert said in caught.value.message
