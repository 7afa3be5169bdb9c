"""Arrays that a user gives in Python, and examples in the form that a model takes."""

import numpy as np
import pytest

from tfgen import random
from tfgen.data.examples import Examples, from_arrays, load
from tfgen.errors import UserError

RNG = np.random.default_rng(0)
BYTES = np.linspace(0, 255, 60).round().astype(np.uint8).reshape(5, 4, 3, 1)


def refused(*arrays):
    """Returns the sentence that refuses arrays."""
    with pytest.raises(UserError) as caught:
        from_arrays(*arrays)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("shape", [(5, 4, 3, 1), (2, 6, 4, 3, 3)], ids=["images", "clips"])
@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32", "float64"])
def test_bytes_and_floats_become_the_same_numbers(shape, dtype):
    if dtype == "uint8":
        image = RNG.integers(0, 256, shape, np.uint8)
        expected = image / 127.5 - 1
    else:
        image = expected = RNG.uniform(-1, 1, shape).astype(dtype)
    examples = from_arrays(image)
    assert (examples.shape, examples.label) == (shape[1:], None)
    assert examples.shown().dtype == np.float32
    np.testing.assert_allclose(examples.shown(), expected, atol=1e-6)


def test_labels_become_int64_and_come_with_their_images():
    examples = from_arrays(BYTES, [4, 3, 2, 1, 0])
    batch = next(examples.batches(3, random.root(0)).as_numpy_iterator())
    assert batch["label"].dtype == np.int64
    np.testing.assert_array_equal(batch["label"], 4 - batch["index"])


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (np.zeros((5, 4, 3)), "give image[..., None] for grey images"),
        (np.zeros((4, 3)), "found [4, 3]"),
        (np.zeros((0, 4, 3, 1)), "found [0, 4, 3, 1]"),
        (BYTES.astype(np.int64), "found int64; give image.astype(numpy.uint8)"),
        (BYTES > 99, "found bool"),
        (BYTES.astype(object), "found object"),
        (BYTES / 255, "found values from 0 to 1; give 2 * x - 1, or uint8"),
        (BYTES / 1.0, "found values from 0 to 255; give x / 127.5 - 1, or uint8"),
        (BYTES / 100.0 - 1, "expected image in [-1, 1] and found 1.55"),
        (np.where(BYTES[2, 1, 1] == BYTES, np.nan, -1.0), "NaN or infinity in image[2]"),
    ],
)
def test_arrays_that_are_no_images_are_refused_with_the_cure(image, said):
    assert said in refused(image)


@pytest.mark.parametrize(
    ("label", "said"),
    [
        (np.arange(4), "label: expected shape [5] and found [4]"),
        (np.eye(5, dtype=int), "found [5, 5]"),
        (np.arange(5.0), "label: expected integers and found float64"),
        (np.arange(5) - 1, "label: expected integers from 0 and found -1"),
    ],
)
def test_labels_of_another_shape_dtype_or_range_are_refused(label, said):
    assert said in refused(BYTES, label)


def test_shown_are_the_first_examples_cut_to_their_shape():
    image = RNG.uniform(-1, 1, (6, 9, 8, 3)).astype(np.float32)
    np.testing.assert_array_equal(Examples(image).shown(2), image[:2])
    np.testing.assert_array_equal(Examples(image, patch_size=5).shown(4), image[:4, :5, :5])
    assert len(Examples(image).shown(99)) == len(Examples(image).shown()) == 6


def test_shown_keeps_all_frames_of_clips():
    clips = RNG.uniform(-1, 1, (2, 7, 9, 8, 1)).astype(np.float32)
    np.testing.assert_array_equal(Examples(clips).shown(1), clips[:1])
    np.testing.assert_array_equal(Examples(clips, patch_size=5).shown(), clips[:, :, :5, :5])


def test_held_out_pictures_are_shown_in_the_shape_of_a_training_patch():
    data = load("textures/brick", patch_size=32, test_fraction=0.25)
    assert data.train.shown().shape == data.test.shown().shape == (1, 32, 32, 1)
    assert data.test.as_float().shape == (1, 512, 128, 1)
