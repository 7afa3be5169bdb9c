"""Parts of a single picture: which pixels are taken, and what is refused."""

import imageio.v3 as iio
import numpy as np
import pytest

from tfgen.data import examples
from tfgen.errors import UserError


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    """Writes a picture of 20 rows and 30 columns, each pixel a colour of its own."""
    path = tmp_path_factory.mktemp("pictures") / "ramp.png"
    rows, columns = np.mgrid[:20, :30]
    pixels = np.stack([rows, columns, rows + columns], axis=-1).astype(np.uint8)
    iio.imwrite(path, pixels)
    return f"image:{path}", pixels


def test_the_box_is_taken_to_the_pixel(picture):
    name, pixels = picture
    found = examples.load(name, crop=(3, 2, 13, 12), test_fraction=0)
    np.testing.assert_array_equal(found.train.image[0], pixels[2:12, 3:13])
    whole = examples.load(name, crop=(0, 0, 30, 20), test_fraction=0)
    np.testing.assert_array_equal(whole.train.image[0], pixels)


def test_the_box_is_of_the_pictures_own_pixels_and_is_resized_after(picture):
    """A box whose pixels are of two colours, halved: each mean is of one colour alone."""
    name, pixels = picture
    found = examples.load(name, crop=(4, 4, 8, 8), image_size=(4, 4), test_fraction=0)
    np.testing.assert_array_equal(found.train.image[0], pixels[4:8, 4:8])


def test_a_large_jpeg_is_cropped_before_it_is_made_smaller(tmp_path):
    """Its decoder could read it at an eighth of its size, where the box would be another."""
    pixels = np.zeros((512, 512, 3), np.uint8)
    pixels[:, 256:] = 255
    iio.imwrite(tmp_path / "halves.jpg", pixels)
    name = f"image:{tmp_path / 'halves.jpg'}"
    found = examples.load(name, crop=(0, 0, 240, 240), image_size=(16, 16), test_fraction=0)
    assert found.train.image.max() < 8


@pytest.mark.parametrize(
    "box", [(0, 0, 31, 20), (0, 0, 30, 21), (-1, 0, 9, 9), (5, 5, 5, 9), (9, 5, 5, 9)]
)
def test_a_box_outside_of_the_picture_or_empty_is_refused(picture, box):
    with pytest.raises(UserError) as caught:
        examples.load(picture[0], crop=box)
    said = str(caught.value)
    assert "crop" in said
    assert "30 columns and 20 rows" in said
    assert ",".join(map(str, box)) in said


@pytest.mark.parametrize("name", ["digits", "folder:somewhere", "npz:a.npz", "toy/ring", "mnist"])
def test_sources_of_several_pictures_have_no_part_to_take(name):
    with pytest.raises(UserError, match=f"crop: expected a single picture.*found {name}"):
        examples.load(name, crop=(0, 0, 4, 4))
