"""Clips: how films are cut, what is held out, and where films are read from."""

import numpy as np
import pytest
from PIL import Image

from tfgen import random
from tfgen.data import clips, description
from tfgen.data.examples import load
from tfgen.errors import UserError

FILM = np.repeat(np.arange(20, dtype=np.uint8)[:, None, None, None], 4 * 6 * 3, axis=1)
FILM = FILM.reshape(20, 4, 6, 3) * 10 + 1
"""Frame number i is 10 i + 1 everywhere."""


@pytest.fixture
def npz(tmp_path):
    np.savez(tmp_path / "films.npz", fire=FILM, water=FILM[:12] + 1)
    return tmp_path / "films.npz"


def first_frames(examples):
    """The numbers of the frames that clips of `fire` begin with."""
    return [int(value) // 10 for value in np.asarray(examples.image)[:, 0, 0, 0, 0]]


def test_one_film_is_cut_and_its_end_held_out(npz):
    data = load(f"video:{npz}/fire", clip_length=4, clip_stride=2, test_fraction=0.3)
    assert data.shape == (4, 4, 6, 3)
    assert first_frames(data.train) == [0, 2, 4, 6, 8, 10]
    assert first_frames(data.test) == [14, 16]
    np.testing.assert_array_equal(data.train.image[1], FILM[2:6])
    assert data.description.held_out == "the end of each film"


def test_no_frame_is_trained_on_and_held_out(npz):
    data = load(f"video:{npz}/fire", clip_length=5, test_fraction=0.1)
    trained = set(np.asarray(data.train.image).ravel())
    assert not trained & set(np.asarray(data.test.image).ravel())
    assert len(data.test) == 1  # a clip at least


def test_no_clip_crosses_from_one_film_to_another(npz):
    data = load(f"video:{npz}", clip_length=4, test_fraction=0.2)
    for clip in np.asarray(data.train.image):
        assert (np.diff(clip[:, 0, 0, 0].astype(int)) == 10).all()
    assert len(data.train) == (16 - 3) + (8 - 3)
    assert len(data.test) == 2


def test_without_a_length_films_are_clips_as_they_are(npz):
    assert load(f"video:{npz}/water").train.image.shape == (1, 12, 4, 6, 3)


def test_nothing_is_held_out_if_it_is_not_wanted(npz):
    data = load(f"video:{npz}/fire", clip_length=10, clip_stride=5, test_fraction=0)
    assert len(data.train) == len(data.test) == 3
    assert data.description.tests_on_train


def test_frames_are_resized(npz):
    data = load(f"video:{npz}/fire", clip_length=4, image_size=(2, 2), channels=1)
    assert data.shape == (4, 2, 2, 1)


def test_some_clips_are_drawn(npz):
    data = load(f"video:{npz}/fire", clip_length=4, max_images=3)
    assert len(data.train) == 3


def test_stored_frames_give_the_same_clips(npz, tmp_path):
    name = f"video:{npz}"
    memory = load(name, clip_length=4)
    stored = load(name, clip_length=4, data_dir=str(tmp_path / "data"), stored_always=True)
    np.testing.assert_array_equal(np.asarray(stored.train.image), np.asarray(memory.train.image))
    assert description.facts(stored) == description.facts(memory)
    kept = next((tmp_path / "data").rglob("all.raw"))
    assert kept.stat().st_size == 32 * 4 * 6 * 3  # each frame once
    both = [data.train.batches(3, random.root(1)) for data in (memory, stored)]
    for one, other in zip(*(stream.take(4) for stream in both), strict=True):
        np.testing.assert_array_equal(one["image"], other["image"])


def test_batches_hold_the_clips_of_their_numbers(npz):
    train = load(f"video:{npz}/fire", clip_length=4).train
    for batch in train.batches(5, random.root(0)).take(3):
        expected = np.asarray(train.image)[batch["index"].numpy()].astype(np.float32) / 127.5 - 1
        np.testing.assert_allclose(batch["image"], expected, atol=1e-6)


def test_clips_are_sliced_like_an_array(npz):
    found = load(f"video:{npz}/fire", clip_length=4).train.image
    whole = np.asarray(found)
    for key in (2, -1, slice(1, 4), np.array([3, 1]), (slice(2), slice(1, 3)), (1, 2), ...):
        np.testing.assert_array_equal(found[key], whole[key])
    np.testing.assert_array_equal(found.select(np.array([4, 0]))[:], whole[[4, 0]])
    assert found.ndim == 5 and found.nbytes == whole.nbytes
    assert len(list(found)) == len(whole)


def test_the_line_counts_clips(npz):
    data = load(f"video:{npz}/fire", clip_length=4)
    line = description.line(description.counted(data))
    assert "13 training + 1 test clips of 4x4x6x3 (the end of each film)" in line


# --- folders


def test_still_pictures_of_a_folder_are_frames_in_the_order_of_their_numbers(tmp_path):
    for film in ("a", "b"):
        (tmp_path / film).mkdir()
        for number, frame in enumerate(FILM[:12]):
            Image.fromarray(frame + (film == "b")).save(tmp_path / film / f"frame{number}.png")
    data = load(f"video:{tmp_path}", clip_length=4, test_fraction=0)
    image = np.asarray(data.train.image)
    np.testing.assert_array_equal(image[:9, 0], FILM[:9])  # frame9 before frame10
    np.testing.assert_array_equal(image[9:, 0], FILM[:9] + 1)


def test_each_file_of_a_folder_that_moves_is_a_film(tmp_path):
    for name, film in (("a.tif", FILM), ("b.webp", FILM[:8])):
        frames = [Image.fromarray(frame) for frame in film]
        options = {} if name == "a.tif" else {"lossless": True}
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], **options)
    (tmp_path / "notes.txt").write_text("no film")
    data = load(f"video:{tmp_path}", clip_length=4, test_fraction=0)
    assert len(data.train) == 17 + 5
    assert data.description.left_out == {".txt": 1}


def test_frames_of_several_sizes_are_refused(tmp_path):
    for number, side in enumerate((4, 4, 5)):
        Image.new("RGB", (side, 4)).save(tmp_path / f"{number}.png")
    with pytest.raises(UserError, match="frames of one size"):
        load(f"video:{tmp_path}", clip_length=2, test_fraction=0)


# --- mistakes


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"clip_length": 11}, "at least 22 frames"),
        ({"clip_length": 4, "clip_stride": 0}, "clip_stride"),
        ({"clip_length": 4, "patch_size": 2}, "patch_size"),
        ({"clip_length": 4, "missing": "half:left"}, "missing"),
        ({"clip_length": 4, "validation": 1}, "validation"),
    ],
)
def test_what_does_not_fit_is_refused(npz, options, word):
    with pytest.raises(UserError, match=word):
        load(f"video:{npz}/fire", **options)


def test_an_unknown_array_is_named(npz):
    with pytest.raises(UserError, match="named smoke and found fire, water"):
        load(f"video:{npz}/smoke", clip_length=4)


def test_pictures_are_not_cut_into_clips():
    with pytest.raises(UserError, match="expected films, video:PATH, and found digits"):
        load("digits", clip_length=4)


def test_a_folder_without_films_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("no film")
    with pytest.raises(UserError, match="expected films or frames and found none among 1"):
        load(f"video:{tmp_path}", clip_length=4)


def test_clips_look_like_lazy_pictures():
    frames = np.zeros((6, 2, 2, 1), np.uint8)
    found = clips.Clips(frames, np.array([0, 3]), 3)
    assert found.shape == (2, 3, 2, 2, 1) and found.dtype == np.uint8
    assert found.remembered("mean", lambda: 7) == 7
