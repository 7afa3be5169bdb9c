"""Exports of models of clips, and what the client makes of them."""

import warnings

import imageio.v3 as iio
import numpy as np
import pytest
from support import command_line
from support.command_line import mistake

from export.clients import in_process
from export.litert import convert
from export.saved_model import archive
from export.web import site
from trainers.run.experiment import Experiment

pytestmark = pytest.mark.usefixtures("loaded_once")
slow = pytest.mark.slow  # tracing nets of clips takes half a minute


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A generator and an inference net of clips of 16 frames of 16x16, untrained."""
    film = tmp_path_factory.mktemp("films") / "noise.npz"
    np.savez(film, noise=np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3), np.uint8))
    values = command_line.values(
        "trainers.main",
        "--algorithm=vae",
        "--nets=triangle_dynamic",
        f"--dataset=video:{film}/noise",
        "--clip_length=16",
        "--image_size=16",
        "--test_fraction=0.4",
        "--generator.width=0.02",
        "--inference.width=0.05",
        f"--workdir={film.parent / 'run'}",
    )
    return Experiment(values).algorithm.model


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory):
    """The directory of its SavedModel, with one version."""
    return archive.write(model, tmp_path_factory.mktemp("exports") / "clips").parent


def asked(saved, task, output, *args):
    command_line.start(
        "export.client", f"--saved_model={saved}", f"--task={task}", f"--output={output}", *args
    )
    return output


@slow
def test_a_saved_model_synthesizes_the_library_s_clips_of_any_length(model, saved):
    """To rounding, 1e-5 of the range of pixels."""
    seeds = np.array([[0, 3], [0, 4]], np.int32)
    rows = {"seed": seeds, "size": np.full((2, 1), 24, np.int32)}
    found = in_process.InProcess(saved).ask("synthesize", rows)["image"]
    expected = model.synthesize(2, seeds, np.array([24]))
    assert found.shape == (2, 24, 16, 16, 3)
    np.testing.assert_allclose(found, expected, atol=2e-5)


@slow
def test_a_litert_file_reconstructs_a_clip_without_a_warning(model, tmp_path):
    path = tmp_path / "reconstruct.tflite"
    path.write_bytes(convert.convert(model.endpoint("reconstruct"))["float32"])
    clip = np.random.default_rng(1).uniform(-1, 1, (1, 16, 16, 16, 3)).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = convert.run(path, image=clip)["image"]
    np.testing.assert_allclose(found, model.reconstruct(clip), atol=2e-5)


def test_a_page_plays_what_is_decoded(model):
    assert set(site.endpoints(model)) == {"decode"}


@slow
def test_the_client_draws_films_strips_and_arrays(saved, tmp_path):
    film = iio.imread(asked(saved, "synthesize", tmp_path / "a.gif", "--count=2", "--length=24"))
    assert film.ndim == 4
    assert len(film) <= 24  # frames that are equal in 8 bits are one
    strip = iio.imread(asked(saved, "generate", tmp_path / "a.png", "--count=1"))
    assert strip.shape == (64, 8 * 64 + 7 * 4, 3)
    with np.load(asked(saved, "generate", tmp_path / "a.npz", "--count=3")) as found:
        assert found["image"].shape == (3, 16, 16, 16, 3)


@slow
def test_flags_of_the_other_kind_are_refused(saved, tmp_path):
    def said(task, output, *args):
        given = (f"--task={task}", f"--output={tmp_path / output}", *args)
        return mistake("export.client", f"--saved_model={saved}", *given)

    assert "of clips; give --length" in said("synthesize", "a.gif", "--size=32")
    assert "takes no length" in said("generate", "a.gif", "--length=32")
    assert "of clips; give --workdir" in said("reconstruct", "a.png", "--image=a.png")
    assert "size: expected at least 1 frames" in said("synthesize", "a.gif", "--set=size=0")
    assert "at most 64 frames" in said("synthesize", "a.gif", "--length=1000")


def test_films_are_not_drawn_of_images(exported, tmp_path):
    (directory,) = (exported / "saved_model").iterdir()
    given = ("--task=generate", f"--output={tmp_path / 'a.gif'}")
    assert "images without motion" in mistake("export.client", f"--saved_model={directory}", *given)
