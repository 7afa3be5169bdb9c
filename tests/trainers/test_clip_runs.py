"""Runs on clips: training, and what `trainers.sample` makes of them."""

import imageio.v3 as iio
import numpy as np
import pytest
from support import command_line
from support.command_line import mistake, start

from trainers.run.trained import restored

pytestmark = pytest.mark.eager

COMMON = (
    "--clip_length=16",
    "--image_size=16",
    "--test_fraction=0.4",
    "--batch_size=2",
    "--steps=2",
    "--log_every=1",
    "--save_every=2",
    "--sample_every=2",
)
RUNS = {
    "generative_convnet": (
        "--algorithm=generative_convnet",
        "--nets=generative_convnet_dynamic",
        "--generative_convnet.chains=2",
        "--generative_convnet.langevin_steps=2",
        "--generative_convnet.sample_steps=2",
        "--generative_convnet.rejuvenation=0.5",
        "--generative_convnet.sample_from_chains",
        "--energy.width=0.2",
        "--energy.learning_rate=1e-4",
    ),
    "divergence_triangle": (
        "--algorithm=divergence_triangle",
        "--nets=triangle_dynamic",
        "--divergence_triangle.preset=scaled",
        "--energy.width=0.05",
        "--generator.width=0.02",
        "--inference.width=0.05",
    ),
}


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """A bar that moves to the right by a pixel a frame."""
    frames = np.zeros((40, 16, 16, 3), np.uint8)
    for number, frame in enumerate(frames):
        frame[:, [number % 16, (number + 1) % 16]] = 255
    path = tmp_path_factory.mktemp("films") / "bar.npz"
    np.savez(path, bar=frames)
    return path


@pytest.fixture(
    scope="module",
    params=["generative_convnet", pytest.param("divergence_triangle", marks=pytest.mark.slow)],
)
def run(request, film, tmp_path_factory):
    """Trains a run of each kind."""
    workdir = tmp_path_factory.mktemp("runs") / request.param
    command_line.train(workdir, *COMMON, *RUNS[request.param], f"--dataset=video:{film}/bar")
    return workdir


def sampled(run, output, task, *args):
    start("trainers.sample", f"--workdir={run}", f"--task={task}", f"--output={output}", *args)
    return output


def test_training_shows_films_and_strips(run):
    shown = {path.suffix for path in (run / "samples").iterdir()}
    assert shown == {".gif", ".png"}
    assert len(iio.imread(next((run / "samples").glob("*.gif")))) == 16


def test_new_clips_are_written_as_a_gif_and_as_arrays(run, tmp_path):
    gif = sampled(run, tmp_path / "a.gif", "generate", "--count=4")
    assert iio.imread(gif).ndim == 4  # equal frames are one
    arrays = sampled(run, tmp_path / "a.npz", "generate", "--count=2")
    image = np.load(arrays)["image"]
    assert (image.shape, image.dtype) == ((2, 16, 16, 16, 3), np.uint8)
    folder = sampled(run, tmp_path / "clips", "generate", "--count=2")
    assert sorted(path.name for path in folder.iterdir()) == ["00000.gif", "00001.gif"]


@pytest.mark.parametrize(("args", "length"), [((), 32), (("--length=24",), 24)])
def test_longer_clips_are_synthesized(run, tmp_path, args, length):
    found = np.load(sampled(run, tmp_path / "a.npz", "synthesize", *args))["image"]
    assert found.shape == (1, length, 16, 16, 3)


@pytest.mark.parametrize("mask", ["frames:6-9", "moving_block:5"])
def test_hidden_parts_are_filled_in_and_others_stay(run, tmp_path, mask):
    path = tmp_path / "a.npz"
    found = np.load(sampled(run, path, "complete", f"--mask={mask}", "--count=1"))["image"]
    held_out = np.asarray(restored(run).images.test.image[:1])
    same = (found == held_out).all(axis=(0, 2, 3, 4))
    if mask.startswith("frames"):
        assert same[:6].all() and same[10:].all() and not same[6:10].any()
    else:
        assert (found == held_out).mean() > 0.8


def test_what_a_strip_shows_is_a_picture(run, tmp_path):
    strip = iio.imread(sampled(run, tmp_path / "a.png", "reconstruct", "--count=1"))
    assert strip.shape == (2 * 64 + 2, 8 * 64 + 7 * 4, 3)


def test_flags_that_do_not_fit_are_refused(run, tmp_path):
    def said(*args):
        given = (f"--workdir={run}", f"--output={tmp_path / 'a.png'}", *args)
        return mistake("trainers.sample", *given)

    assert "--image" in said("--task=reconstruct", "--image=a.png")
    assert "frames from 0 to 15" in said("--task=complete", "--mask=frames:10-16")


def test_a_model_of_images_makes_no_film(tmp_path):
    command_line.train(tmp_path / "run", *command_line.DIGITS)
    given = (f"--workdir={tmp_path / 'run'}", "--task=generate", f"--output={tmp_path / 'a.gif'}")
    assert "makes images" in mistake("trainers.sample", *given)
