"""What numbers and labels of arrays may mean, for every source."""

import numpy as np
import pytest
from PIL import Image

from tfgen.data import arrays, description, examples, sources
from tfgen.data.contents import Contents
from tfgen.data.reading import Reading
from tfgen.errors import UserError

RNG = np.random.default_rng(0)
BYTES = RNG.integers(0, 256, (6, 8, 9, 3), np.uint8)
UNIT = (BYTES / 255).astype(np.float32)
BITS = (BYTES > 99).astype(np.uint8)


def read(image, label=None, **stated):
    """Returns pictures that came through the check of all sources, and their labels."""
    pictures = ((picture, None if label is None else label[n]) for n, picture in enumerate(image))
    found = list(arrays.checked("data", pictures, Reading(**stated)))
    return np.stack([picture for picture, _ in found]), [label for _, label in found]


def refusal(image, label=None, **stated):
    """Returns the sentence that refuses pictures."""
    with pytest.raises(UserError) as caught:
        read(image, label, **stated)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("data: expected ")
    return str(caught.value)


def saved(path, **named):
    """Writes an .npz; returns the data set's name."""
    np.savez(path / "a.npz", **named)
    return f"npz:{path / 'a.npz'}"


# values


@pytest.mark.parametrize(
    ("image", "value_range", "cure"),
    [
        (UNIT, (0, 1), "--value_range=0,1"),
        (UNIT.astype(np.float64) * 255, (0, 255), "--value_range=0,255"),
        (UNIT.astype(np.float16) * 0.9, (0, 0.9), "--value_range=0,1"),
        (BITS, (0, 1), "--value_range=0,1"),
        (BITS.astype(bool), (0, 1), "--value_range=0,1"),
        (BYTES.astype(np.int64), (0, 255), "--value_range=0,255"),
        (BYTES.astype(np.uint16) * 16, (0, 4080), "--value_range=0,4095"),
        (BYTES.astype(np.uint16) * 257, (0, 65535), "--value_range=0,65535"),
        (BYTES.astype(np.int32) - 128, (-128, 127), "--value_range=LOW,HIGH"),
        (3 * UNIT - 1.5, (-1.5, 1.5), "--value_range=LOW,HIGH"),
    ],
)
def test_numbers_in_another_range_are_refused_until_it_is_stated(image, value_range, cure):
    assert cure in refusal(image)
    found, _ = read(image, value_range=value_range)
    low, high = value_range
    expected = (image.astype(np.float64) - low) / (high - low)
    if image.dtype.kind == "f":
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, 2 * expected - 1, atol=1e-6)
    else:
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, np.rint(255 * expected))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_rounding_beyond_the_range_is_clipped(dtype):
    image = (2 * UNIT - 1).astype(dtype)
    image[0, 0, 0] = np.nextafter(dtype(1), dtype(2)) if dtype != np.float16 else 1
    image[1, 0, 0] = -1 - 1e-6
    found, _ = read(image)
    assert (found.min(), found.max()) == (-1, 1)
    np.testing.assert_allclose(found, np.clip(image, -1, 1).astype(np.float32))
    assert "found 1.25;" in refusal(np.where(image == image.max(), dtype(1.25), image))


def test_a_range_is_of_all_pictures_not_of_each():
    """A bright picture among others, or one of black and 1, is as it is."""
    image = 2 * UNIT - 1
    image[3] = np.abs(image[3])
    np.testing.assert_array_equal(read(image)[0], image)
    mixed = BYTES.copy()
    mixed[:3] = BITS[:3]
    np.testing.assert_array_equal(read(mixed)[0], mixed)


@pytest.mark.parametrize("image", [np.zeros_like(BYTES), np.zeros_like(UNIT)])
def test_black_pictures_alone_tell_no_range(image):
    np.testing.assert_array_equal(read(image)[0], image)


def test_floats_without_a_negative_value_are_taken_as_stated():
    found, _ = read(UNIT, value_range=(-1, 1))
    np.testing.assert_allclose(found, UNIT, atol=1e-6)


def test_numbers_beyond_a_stated_range_are_refused():
    assert "[0, 1]" in refusal(UNIT * 1.5, value_range=(0, 1))
    assert "image[0]" in refusal(BYTES, value_range=(0, 100))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_located_also_in_a_stated_range(value):
    image = UNIT.copy()
    image[4, 1, 1, 1] = value
    for stated in ({}, {"value_range": (0, 1)}):
        assert "image[4]" in refusal(image, **stated)


# shapes


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((6, 3, 8, 9), "channels last"),
        ((6, 1, 8, 9), "channels last"),
        ((6, 5, 3, 8, 9), "channels last"),
        ((6, 8, 9, 4), "leave transparency out"),
        ((6, 8, 9, 2), "leave transparency out"),
        ((6, 8, 9, 5), "1 or 3 channels"),
        ((6, 8, 9, 0), "found [8, 9, 0]"),
        ((6, 0, 9, 3), "found [0, 9, 3]"),
        ((6, 9), "found [9]"),
    ],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_shapes_that_are_no_pictures_are_refused(shape, said, dtype):
    assert said in refusal(np.zeros(shape, dtype))


@pytest.mark.parametrize(
    "shape", [(6, 3, 3, 3), (6, 1, 4, 1), (6, 3, 8, 1), (6, 3, 8), (2, 4, 3, 8, 3)]
)
def test_small_and_flat_pictures_are_pictures(shape):
    image = RNG.integers(0, 256, shape, np.uint8)
    np.testing.assert_array_equal(read(image)[0], image)


@pytest.mark.parametrize("dtype", [object, "U3", np.complex64])
def test_what_is_no_number_is_refused(dtype):
    assert "expected numbers" in refusal(np.full((2, 5, 5), 1, dtype))


# labels


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64, np.uint64])
def test_labels_become_integers(dtype):
    assert read(BYTES, np.arange(6).astype(dtype))[1] == list(range(6))


@pytest.mark.parametrize(
    ("label", "said"),
    [
        (np.array([0, 1, -1, 0, 1, 2]), "found -1"),
        (np.full(6, -1), "found -1"),
        (np.array([0.7, 1.7, 0, 0, 0, 0]), "found float64"),
        (np.full(6, np.nan), "found float64"),
        (np.array(list("abcdef")), "found <U1"),
        (np.arange(6) > 2, "found bool"),
        (np.eye(6, dtype=int), "argmax"),
        (np.arange(6)[:, None], "found shape"),
        (np.full(6, 2**40), "found 1099511627776"),
    ],
)
def test_labels_that_number_no_classes_are_refused(tmp_path, label, said):
    """Of streams, such as TensorFlow Datasets, and of archives."""
    assert said in refusal(BYTES, label) or "label[0]" in refusal(BYTES, label)
    with pytest.raises(UserError) as caught:
        examples.load(saved(tmp_path, image=BYTES, label=label))
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["labels", "y", "targets", "Label", "LABELS", "y_train"])
def test_labels_under_a_near_name_are_refused(tmp_path, name):
    with pytest.raises(UserError, match=f"under the name label, or none, and found {name}"):
        examples.load(saved(tmp_path, image=BYTES, **{name: np.arange(6)}))


def test_other_arrays_of_an_archive_are_left_alone(tmp_path):
    name = saved(tmp_path, image=BYTES, label=np.arange(6), names=np.array(["a"] * 6), y=UNIT)
    np.testing.assert_array_equal(examples.load(name, test_fraction=0).train.image, BYTES)


def test_one_picture_in_colour_is_not_taken_for_many_in_grey(tmp_path):
    with pytest.raises(UserError, match=r"image\[None\]"):
        examples.load(saved(tmp_path, image=BYTES[0]))


# the check is of all sources


@pytest.mark.parametrize(
    ("image", "options"),
    [
        (UNIT, {"value_range": (0, 1)}),
        (BITS, {"value_range": (0, 1)}),
        (BYTES.astype(np.uint16), {"value_range": (0, 255)}),
        (BITS.astype(bool), {"value_range": (0, 1)}),
    ],
)
def test_sets_of_tensorflow_datasets_are_checked(monkeypatch, image, options):
    """As binarized_mnist, which holds bytes of 0 and 1."""

    def prepared(*_):
        return Contents({name: ((p, 0) for p in image) for name in ("train", "test")})

    monkeypatch.setattr(sources.tfds, "read", prepared)
    with pytest.raises(UserError, match="--value_range=0,"):
        examples.load("a_set")
    found = examples.load("a_set", **options)
    assert (found.train.as_float().min(), found.train.as_float().max()) == (-1, 1)


def test_a_picture_file_of_0_and_1_is_refused_too(tmp_path):
    for number, pixels in enumerate(BITS[..., 0]):
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    with pytest.raises(UserError, match="--value_range=0,1"):
        examples.load(f"folder:{tmp_path}")
    found = examples.load(f"folder:{tmp_path}", value_range=(0, 1), test_fraction=0)
    np.testing.assert_array_equal(found.train.image, 255 * BITS[..., :1])
    with pytest.raises(UserError, match="--value_range=0,1"):
        sources.read_image(tmp_path / "0.png")


def test_a_depth_taken_for_evident_is_said_in_the_line_about_the_data(tmp_path):
    for number in range(4):
        samples = np.full((8, 8), 4000 + number, np.uint16)
        Image.fromarray(samples).save(tmp_path / f"{number}.png")
    data = examples.load(f"folder:{tmp_path}")
    said = description.line(description.counted(data))
    assert said.endswith("samples of 16 bits taken for 12 bits")


def test_training_and_test_pictures_have_one_depth(tmp_path):
    for split, white in (("train", 65535), ("test", 4000)):
        (tmp_path / split).mkdir()
        Image.fromarray(np.full((8, 8), white, np.uint16)).save(tmp_path / split / "a.png")
    with pytest.raises(UserError, match="--bit_depth=16"):
        examples.load(f"folder:{tmp_path}")
    found = examples.load(f"folder:{tmp_path}", bit_depth=16)
    assert (found.train.image.max(), found.test.image.max()) == (255, 16)
