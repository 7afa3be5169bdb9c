"""Sources of pictures: dtype, range, shape, labels, and the sentences that refuse bad files."""

import io
import pathlib
import zipfile

import imageio.v3 as iio
import numpy as np
import pytest
from PIL import Image

from tfgen.data import examples, sources, toy
from tfgen.errors import UserError

RNG = np.random.default_rng(0)
SHARED = pathlib.Path(__file__).parents[2].parent / "shared" / "data"


def picture(*shape):
    """Returns random bytes."""
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def load(name, **options):
    """Loads everything as training data."""
    return examples.load(name, **({"test_fraction": 0} | options))


def complaint(name, **options):
    """Returns the sentence that refuses a data set."""
    with pytest.raises(UserError) as caught:
        load(name, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def save_npz(path, **arrays):
    """Writes arrays; returns the data set's name."""
    np.savez(path, **arrays)
    return f"npz:{path}"


@pytest.mark.parametrize(
    ("name", "size", "shape"),
    [
        ("digits", 1797, (8, 8, 1)),
        ("mnist5k", 5000, (28, 28, 1)),
        ("textures/brick", 1, (512, 512, 1)),
        ("textures/grass", 1, (512, 512, 1)),
        ("textures/gravel", 1, (512, 512, 1)),
        *((f"toy/{name}", 10_000, (1, 1, 2)) for name in toy.DENSITIES),
    ],
)
def test_embedded_sets_have_their_size_and_shape_and_range(name, size, shape):
    data = load(name)
    whole = data.train.as_float()
    assert (data.size, data.shape, whole.shape, whole.dtype) == (
        size,
        shape,
        (size, *shape),
        np.float32,
    )
    assert np.isfinite(whole).all()
    if not name.startswith("toy/"):
        assert -1 <= whole.min() < -0.5
        assert 0.5 < whole.max() <= 1


def test_digits_are_scikit_learns_with_their_labels():
    from sklearn import datasets

    pixels, labels = datasets.load_digits(return_X_y=True)
    data = load("digits")
    np.testing.assert_array_equal(data.train.label, labels)
    np.testing.assert_allclose((data.train.as_float().reshape(-1, 64) + 1) * 8, pixels)


def test_toy_sets_are_draws_of_their_density():
    np.testing.assert_array_equal(
        load("toy/mixture").train.image, toy.DENSITIES["mixture"].sample(10_000, seed=0)
    )


def test_a_folder_without_sub_folders_has_no_labels(tmp_path):
    pixels = picture(6, 5, 3)
    iio.imwrite(tmp_path / "b.png", pixels)
    iio.imwrite(tmp_path / "a.PNG", 255 - pixels, extension=".png")
    (tmp_path / "notes.txt").write_text("not an image")
    data = load(f"folder:{tmp_path}")
    assert data.train.label is None
    np.testing.assert_array_equal(data.train.image, [255 - pixels, pixels])
    np.testing.assert_allclose(data.train.as_float()[1], pixels / 127.5 - 1, atol=1e-6)


def test_sub_folders_are_labels_in_alphabetical_order(tmp_path):
    for animal, value in (("dog", 1), ("cat", 2), ("emu", 3)):
        (tmp_path / animal / "deep").mkdir(parents=True)
        iio.imwrite(tmp_path / animal / "deep" / "1.png", np.full((4, 4), value, np.uint8))
    data = load(f"folder:{tmp_path}")
    assert dict(zip(data.train.image[:, 0, 0, 0], data.train.label, strict=True)) == {
        2: 0,
        1: 1,
        3: 2,
    }
    assert data.train.label.dtype == np.int64


def test_the_order_of_a_folder_is_that_of_its_names(tmp_path):
    for i in RNG.permutation(12):
        iio.imwrite(tmp_path / f"{i:02d}.png", np.full((2, 2), i, np.uint8))
    np.testing.assert_array_equal(load(f"folder:{tmp_path}").train.image[:, 0, 0, 0], np.arange(12))


def test_sixteen_bits_are_rounded_to_eight(tmp_path):
    pixels = np.array([[0, 255], [256, 65535]], np.uint16)
    iio.imwrite(tmp_path / "deep.png", pixels)
    np.testing.assert_array_equal(
        load(f"image:{tmp_path / 'deep.png'}").train.image[0, ..., 0], [[0, 1], [1, 255]]
    )


@pytest.mark.parametrize("channels", [2, 4])
def test_opaque_transparency_is_left_out(tmp_path, channels):
    pixels = picture(4, 5, channels)
    pixels[..., -1] = 255
    iio.imwrite(tmp_path / "a.png", pixels)
    found = load(f"image:{tmp_path / 'a.png'}").train.image[0]
    np.testing.assert_array_equal(found, pixels[..., :-1])


def test_black_and_white_pictures_become_0_and_255(tmp_path):
    pixels = np.array([[True, False], [False, True]])
    iio.imwrite(tmp_path / "a.png", pixels)
    np.testing.assert_array_equal(
        load(f"image:{tmp_path / 'a.png'}").train.image[0, ..., 0], pixels * 255
    )


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".ppm", ".gif"])
def test_lossless_formats_are_read_exactly(tmp_path, suffix):
    pixels = np.repeat(picture(6, 7, 1), 3, axis=2)  # greys fit a GIF's palette
    iio.imwrite(tmp_path / f"a{suffix}", pixels)
    np.testing.assert_array_equal(
        load(f"image:{tmp_path / f'a{suffix}'}", channels=3).train.image[0], pixels
    )


def archived(path, **pixels):
    """Writes a .zip of a text and of pictures, by name without suffix; `__` stands for a slash."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", "no picture")
        for name, array in pixels.items():
            archive.writestr(
                f"{name.replace('__', '/')}.png", iio.imwrite("<bytes>", array, extension=".png")
            )
    return path


@pytest.mark.parametrize("member", ["bark.png", "inn/bark.png", "inn/deep/bark.png"])
def test_an_image_in_an_archive_is_the_one_that_is_named(tmp_path, member):
    """Also in a folder of the archive, and not another image of the same name."""
    names = ("bark", "inn__bark", "inn__deep__bark")
    pixels = {name: picture(4, 5, 3) for name in names}
    path = archived(tmp_path / "textures.zip", **pixels)
    found = load(f"image:{path}/{member}")
    np.testing.assert_array_equal(
        found.train.image, [pixels[member.removesuffix(".png").replace("/", "__")]]
    )
    assert (found.size, found.train.label) == (1, None)


def test_a_folder_whose_name_ends_like_an_archives_is_a_folder(tmp_path):
    (tmp_path / "all.zip").mkdir()
    pixels = picture(4, 5, 3)
    iio.imwrite(tmp_path / "all.zip" / "a.png", pixels)
    np.testing.assert_array_equal(load(f"image:{tmp_path}/all.zip/a.png").train.image, [pixels])


def test_an_npz_of_bytes_with_labels_is_read(tmp_path):
    pixels, label = picture(5, 4, 3, 3), np.array([3, 1, 2, 0, 1])
    data = load(save_npz(tmp_path / "a.npz", image=pixels, label=label))
    np.testing.assert_array_equal(data.train.image, pixels)
    np.testing.assert_array_equal(data.train.label, label)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_an_npz_of_floats_keeps_its_numbers_as_float32(tmp_path, dtype):
    pixels = RNG.uniform(-1, 1, (5, 4, 3)).astype(dtype)
    whole = load(save_npz(tmp_path / "a.npz", image=pixels)).train.as_float()
    assert whole.dtype == np.float32
    np.testing.assert_array_equal(whole[..., 0], pixels.astype(np.float32))


def test_clips_are_videos_with_a_time_axis(tmp_path):
    clip = picture(5, 8, 6, 3)
    np.savez(tmp_path / "a.npz", one=clip)
    data = load(f"video:{tmp_path / 'a.npz'}")
    assert data.shape == (5, 8, 6, 3)
    np.testing.assert_array_equal(data.train.image[0], clip)


def test_frames_of_a_clip_are_resized_each(tmp_path):
    np.savez(tmp_path / "a.npz", one=picture(5, 8, 6, 3), two=picture(5, 8, 6, 3))
    data = load(f"video:{tmp_path / 'a.npz'}", image_size=(4, 3), channels=1)
    assert data.train.image.shape == (2, 5, 4, 3, 1)


@pytest.mark.parametrize("options", [{"patch_size": 4}, {"missing": "half:top"}])
def test_clips_have_neither_patches_nor_missing_pixels(tmp_path, options):
    np.savez(tmp_path / "a.npz", one=picture(5, 8, 6, 3))
    (name,) = options
    said = complaint(f"video:{tmp_path / 'a.npz'}", **options)
    assert said.startswith(f"{name}: expected")
    assert "clips" in said


def test_a_film_is_read_frame_by_frame(tmp_path):
    clip = np.stack([np.full((8, 8, 3), v, np.uint8) for v in (0, 80, 160)])
    iio.imwrite(tmp_path / "film.gif", clip)
    assert load(f"video:{tmp_path / 'film.gif'}", channels=1).train.image[
        0, :, 0, 0, 0
    ].tolist() == [0, 80, 160]


@pytest.mark.slow
@pytest.mark.skipif(not (SHARED / "mnist").exists(), reason="needs ../shared/data/mnist")
def test_mnist_is_prepared_offline_from_its_original_files(tmp_path):
    data = load("mnist", data_dir=str(tmp_path), manual_dir=str(SHARED / "mnist"))
    assert (data.size, len(data.test), data.shape) == (60_000, 10_000, (28, 28, 1))
    assert sorted(set(data.train.label)) == list(range(10))
    assert data.train.image.dtype == np.uint8


# what cannot be read


@pytest.mark.parametrize("kind", ["folder", "cifar10", "npz", "image", "video"])
def test_a_missing_path_is_named(kind, tmp_path):
    assert str(tmp_path / "nowhere") in complaint(f"{kind}:{tmp_path / 'nowhere'}")


def test_an_empty_folder_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("no image")
    assert "found none" in complaint(f"folder:{tmp_path}")


@pytest.mark.parametrize(
    "content", [b"", b"not an image", b"\x89PNG\r\n\x1a\n truncated"], ids=["empty", "text", "cut"]
)
def test_a_corrupt_image_in_a_folder_is_named(tmp_path, content):
    iio.imwrite(tmp_path / "a.png", picture(4, 4, 3))
    (tmp_path / "b.png").write_bytes(content)
    assert str(tmp_path / "b.png") in complaint(f"folder:{tmp_path}")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".gif", ".tif", ".bmp", ".webp"])
def test_an_image_file_cut_in_half_is_named(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    iio.imwrite(path, picture(64, 64, 3))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert str(path) in complaint(f"image:{path}")


def test_an_image_of_too_many_pixels_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50)
    iio.imwrite(tmp_path / "a.png", picture(16, 16, 3))
    said = complaint(f"image:{tmp_path / 'a.png'}")
    assert str(tmp_path / "a.png") in said
    assert "256 pixels" in said


def test_a_folder_given_as_an_image_is_refused(tmp_path):
    assert str(tmp_path) in complaint(f"image:{tmp_path}")


@pytest.mark.parametrize("member", ["brak.png", "inn", "bark.png/x"])
def test_an_image_that_an_archive_does_not_hold_is_answered_with_those_that_it_does(
    tmp_path, member
):
    path = archived(tmp_path / "textures.zip", bark=picture(4, 4, 3), inn__pebbles=picture(4, 4, 3))
    said = complaint(f"image:{path}/{member}")
    for word in (member, "bark.png", "inn/pebbles.png"):
        assert word in said


def test_a_text_in_an_archive_is_no_image(tmp_path):
    path = archived(tmp_path / "textures.zip", bark=picture(4, 4, 3))
    assert "notes.txt" in complaint(f"image:{path}/notes.txt")


def test_an_archive_itself_is_no_image(tmp_path):
    path = archived(tmp_path / "textures.zip", bark=picture(4, 4, 3))
    assert "textures.zip" in complaint(f"image:{path}")


def test_a_missing_archive_is_named(tmp_path):
    assert str(tmp_path / "nowhere.zip") in complaint(f"image:{tmp_path}/nowhere.zip/bark.png")


@pytest.mark.parametrize("content", [b"", b"PK not a zip"], ids=["empty", "no zip"])
def test_a_damaged_archive_of_an_image_is_named(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    assert str(tmp_path / "a.zip") in complaint(f"image:{tmp_path}/a.zip/bark.png")


def test_a_file_given_as_a_folder_is_refused(tmp_path):
    iio.imwrite(tmp_path / "a.png", picture(4, 4, 3))
    assert "a.png" in complaint(f"folder:{tmp_path / 'a.png'}")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_located(tmp_path, value):
    pixels = np.zeros((4, 3, 3), np.float32)
    pixels[2, 1, 1] = value
    assert "image[2]" in complaint(save_npz(tmp_path / "a.npz", image=pixels))


@pytest.mark.parametrize("dtype", [np.int64, np.uint16, np.complex64, np.bool_])
def test_other_types_than_bytes_and_floats_are_refused(tmp_path, dtype):
    assert np.dtype(dtype).name in complaint(
        save_npz(tmp_path / "a.npz", image=np.ones((2, 3, 3), dtype))
    )


def test_floats_outside_their_range_are_refused(tmp_path):
    message = complaint(save_npz(tmp_path / "a.npz", image=np.full((2, 3, 3), 1.5)))
    assert "[-1, 1]" in message
    assert "1.5" in message


def test_an_npz_without_images_tells_what_it_has(tmp_path):
    assert "pixels" in complaint(save_npz(tmp_path / "a.npz", pixels=np.ones((2, 3, 3))))


@pytest.mark.parametrize("shape", [(3, 3), (2, 3, 3, 3, 3), (0, 3, 3)])
def test_images_of_another_rank_or_none_are_refused(tmp_path, shape):
    assert str(list(shape)) in complaint(
        save_npz(tmp_path / "a.npz", image=np.ones(shape, np.float32))
    )


def test_labels_that_do_not_match_the_images_are_refused(tmp_path):
    assert "2 labels" in complaint(
        save_npz(tmp_path / "a.npz", image=np.zeros((2, 3, 3)), label=np.array([1, 2, 3]))
    )


def single_array():
    """Returns a .npy file's content."""
    file = io.BytesIO()
    np.save(file, np.zeros((2, 3, 3), np.float32))
    return file.getvalue()


def damaged_archive():
    """Returns a compressed .npz file's content, a few bytes of it overwritten."""
    file = io.BytesIO()
    np.savez_compressed(file, image=picture(5, 16, 16))
    content = bytearray(file.getvalue())
    content[200:220] = bytes(20)
    return bytes(content)


@pytest.mark.parametrize(
    "content",
    [b"PK not a zip", single_array(), damaged_archive()],
    ids=["no zip", "npy", "damaged"],
)
def test_an_npz_that_is_none_is_refused(tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    assert str(tmp_path / "a.npz") in complaint(f"npz:{tmp_path / 'a.npz'}")


def test_an_npz_cut_in_half_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, image=picture(50, 8, 8))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert str(path) in complaint(f"npz:{path}")


def test_objects_are_not_unpickled(tmp_path):
    np.savez(tmp_path / "a.npz", image=np.array([{"a": 1}, None], dtype=object))
    assert "a.npz" in complaint(f"npz:{tmp_path / 'a.npz'}")


def test_a_damaged_film_is_refused(tmp_path):
    (tmp_path / "film.mp4").write_bytes(b"no film")
    assert "film.mp4" in complaint(f"video:{tmp_path / 'film.mp4'}")


def test_clips_without_a_time_axis_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", one=picture(8, 6, 3))
    assert "[t, h, w, c]" in complaint(f"video:{tmp_path / 'a.npz'}")


def test_an_empty_archive_of_clips_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz")
    assert "a.npz" in complaint(f"video:{tmp_path / 'a.npz'}")


def test_pictures_of_different_shapes_are_refused_unless_resized(tmp_path):
    iio.imwrite(tmp_path / "a.png", picture(4, 4, 3))
    iio.imwrite(tmp_path / "b.png", picture(5, 4, 3))
    assert "image_size" in complaint(f"folder:{tmp_path}")
    assert load(f"folder:{tmp_path}", image_size=(4, 4)).size == 2


def test_unknown_names_are_answered_with_a_suggestion():
    assert "did you mean digits" in complaint("digit")
    assert "did you mean mnist" in complaint("mnits")


def test_unknown_members_are_answered_with_the_known_ones():
    assert all(f"textures/{name}" in complaint("textures/brik") for name in sources.TEXTURES)
    assert all(f"toy/{name}" in complaint("toy/gauss") for name in toy.DENSITIES)


def test_a_kind_without_a_path_is_refused():
    assert "folder:" in complaint("folder:")
