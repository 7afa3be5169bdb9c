"""Pictures of batches: grids, heat maps, interpolations, PNG files."""

import imageio.v3 as iio
import numpy as np
import pytest

from trainers.drawings import pictures


def constant(*values, side=64, channels=1):
    """Images of one value each."""
    shape = (len(values), side, side, channels)
    return np.broadcast_to(np.float32(values)[:, None, None, None], shape)


def test_a_grid_shows_each_image_once_in_reading_order():
    grid = pictures.grid(constant(-1, -0.5, 0, 0.5, 1), columns=3)
    assert (grid.shape, grid.dtype) == ((130, 196, 1), np.uint8)
    levels = [int(grid[66 * (i // 3) + 5, 66 * (i % 3) + 5, 0]) for i in range(6)]
    assert levels == [0, 64, 128, 191, 255, 255]  # white where there is none


@pytest.mark.parametrize("channels", [1, 3])
def test_lines_between_the_images_of_a_grid_are_white(channels):
    grid = pictures.grid(constant(-1, -1, -1, -1, channels=channels))
    assert (grid[64:66] == 255).all()
    assert (grid[:, 64:66] == 255).all()
    assert (grid == 0).sum() == 128**2 * channels


def test_small_images_are_enlarged_by_a_whole_factor():
    image = np.array([[-1, 1], [1, -1]], np.float32)[None, :, :, None]
    grid = pictures.grid(image)
    assert grid.shape == (64, 64, 1)
    assert (grid[:32, :32] == 0).all()
    assert (grid[:32, 32:] == 255).all()


def test_values_outside_the_range_are_clipped_and_never_stretched():
    grid = pictures.grid(constant(-9, 0, 9, channels=3), columns=3)
    assert [int(grid[5, 66 * i + 5, 0]) for i in range(3)] == [0, 128, 255]


def test_points_in_the_plane_are_drawn_as_a_scatter_plot():
    origin = np.zeros((1, 1, 1, 2), np.float32)
    plot = pictures.sheet(origin)
    assert plot.ndim == 3
    np.testing.assert_array_equal(plot, pictures.points(origin))
    assert not np.array_equal(plot, pictures.points(origin + 0.5))


def test_a_heatmap_is_black_at_zero_and_white_at_the_largest_value():
    values = np.array([0.0, 1.0, 2.0, 4.0]).reshape(2, 2, 1, 1)
    found = pictures.heatmap(values, (2, 2, 1, 3))
    np.testing.assert_allclose(found[..., 0].ravel(), [-1, -0.5, 0, 1])
    assert found.shape == (2, 2, 1, 3)


def test_interpolations_lie_between_their_two_images():
    def linear(first, second, position):
        return first + (second - first) * position[:, None, None, None]

    images = constant(-1, 1, 1, 0, 0.5)  # the fifth has no partner
    found = pictures.interpolations(linear, images)
    levels = found[5::66, 5::66, 0].astype(int)
    assert levels.shape == (2, pictures.POSITIONS + 2)
    assert levels[0, 0] == levels[0, 1] == 0
    assert levels[0, -1] == levels[0, -2] == 255
    assert (np.diff(levels[0]) >= 0).all() and (np.diff(levels[1]) <= 0).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_is_saved_as_png(tmp_path, channels):
    picture = np.random.default_rng(0).integers(0, 256, (4, 5, channels), np.uint8)
    pictures.save(tmp_path / "new" / "out.png", picture)
    assert np.array_equal(iio.imread(tmp_path / "new" / "out.png").reshape(picture.shape), picture)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["out.png"]


# --- clips


def test_a_grid_of_clips_is_a_film_of_grids():
    clips = np.stack([constant(-1, 0, 1), constant(1, 0, -1)], axis=1)
    film = pictures.grid(clips, columns=3)
    np.testing.assert_array_equal(film[0], pictures.grid(clips[:, 0], columns=3))
    np.testing.assert_array_equal(film[1], pictures.grid(clips[:, 1], columns=3))


def test_a_strip_shows_frames_from_the_first_to_the_last():
    film = np.repeat(np.arange(30, dtype=np.uint8), 5 * 4 * 3).reshape(30, 5, 4, 3)
    strip = pictures.strip(film)
    assert strip.shape == (5, 8 * 4 + 7 * 4, 3)
    shown = strip[0, ::8, 0]
    assert shown[0] == 0 and shown[-1] == 29 and (np.diff(shown.astype(int)) > 0).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_a_film_is_written_as_a_gif_and_as_a_strip(tmp_path, channels):
    film = np.repeat(np.array([0, 120, 255], np.uint8), 8 * 8 * channels)
    film = film.reshape(3, 8, 8, channels)
    pictures.save(tmp_path / "a.gif", film)
    found = iio.imread(tmp_path / "a.gif")
    assert found[:, 4, 4].max(axis=-1).tolist() == [0, 120, 255]
    pictures.save(tmp_path / "a.png", film)
    assert iio.imread(tmp_path / "a.png").shape[:2] == (8, 3 * 8 + 2 * 4)
