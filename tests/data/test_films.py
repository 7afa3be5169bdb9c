"""Films: frames of animated pictures, and the sentence without PyAV."""

import builtins
import importlib.util
import pathlib

import numpy as np
import pytest
from PIL import Image

from tfgen.data import films
from tfgen.data.reading import Reading
from tfgen.errors import UserError

CLIP = np.random.default_rng(0).integers(0, 256, (4, 6, 8, 3), np.uint8)


def written(path, clip, **options):
    """Writes frames as an animated picture."""
    frames = [Image.fromarray(frame) for frame in clip]
    frames[0].save(path, save_all=True, append_images=frames[1:], **options)
    return path


@pytest.mark.parametrize(
    ("suffix", "options"), [(".png", {}), (".tif", {}), (".webp", {"lossless": True})]
)
def test_all_frames_are_read_exactly(tmp_path, suffix, options):
    path = written(tmp_path / f"a{suffix}", CLIP, **options)
    np.testing.assert_array_equal(films.frames("data", path), CLIP)


def test_pages_of_grey_have_one_channel(tmp_path):
    path = written(tmp_path / "a.tif", CLIP[..., 0])
    np.testing.assert_array_equal(films.frames("data", path), CLIP[..., :1])


def test_transparent_frames_need_a_background(tmp_path):
    clear = np.concatenate([CLIP, np.zeros_like(CLIP[..., :1])], axis=-1)
    path = written(tmp_path / "a.png", clear)
    with pytest.raises(UserError, match="--background"):
        films.frames("data", path)
    assert films.frames("data", path, Reading(background="white")).min() == 255


def test_a_long_film_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(films, "MOST_PIXELS", 100)
    with pytest.raises(UserError, match="at most 100 pixels in all frames"):
        films.frames("data", written(tmp_path / "a.tif", CLIP))


def test_other_films_ask_for_pyav(tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *given):
        if name == "av":
            raise ImportError(name)
        return real(name, *given)

    monkeypatch.setattr(builtins, "__import__", without)
    path = tmp_path / "film.mp4"
    path.write_bytes(b"\0\0\0\x18ftypmp42")
    with pytest.raises(UserError, match=r"the extra `video` \(pip install av\)"):
        films.frames("data", path)


@pytest.mark.skipif(importlib.util.find_spec("av") is None, reason="needs PyAV")
def test_an_mp4_is_read_by_pyav(tmp_path):
    import av

    path = pathlib.Path(tmp_path / "film.mp4")
    shades = (20, 120, 220)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height = 32, 16
        for shade in shades:
            frame = av.VideoFrame.from_ndarray(np.full((16, 32, 3), shade, np.uint8), "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    found = films.frames("data", path)
    assert found.shape == (3, 16, 32, 3)
    assert np.abs(found.mean(axis=(1, 2, 3)) - shades).max() < 6
