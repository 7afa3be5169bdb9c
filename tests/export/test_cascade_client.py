"""The client asks a cascade of patches: images of any size, classifiers by number."""

import imageio.v3 as iio
import numpy as np
import pytest
from support import cascade_runs, command_line
from support.command_line import mistake

from export.clients import request
from tfgen import random
from tfgen.data import preprocess
from trainers.run.trained import restored

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("loaded_once")]


@pytest.fixture(scope="module")
def workdir(trained):
    return trained("cascade", *cascade_runs.TEXTURE)


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    """Writes a picture of 30x40 pixels."""
    path = tmp_path_factory.mktemp("picture") / "mine.png"
    iio.imwrite(path, np.random.default_rng(0).integers(0, 256, (30, 40), np.uint8))
    return path


@pytest.fixture(scope="module")
def where(workdir, saved_model):
    return ["export.client", f"--saved_model={saved_model('cascade', workdir)}"]


def answered(where, output, *args: str) -> np.ndarray:
    command_line.start(*where, *args, f"--output={output}")
    with np.load(output) as found:
        return found["image"]


def test_a_canvas_is_advanced_by_the_classifier_that_is_asked_for(
    workdir, where, picture, tmp_path
):
    asked = ("--task=advance", f"--image={picture}", "--set=stage=1")
    found = answered(where, tmp_path / "out.npz", *asked)
    canvas = preprocess.to_unit(iio.imread(picture))[None, ..., None]
    seed = request.seeds(random.root(0), 1)
    expected = restored(workdir).model.advance(canvas, 1, seed)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert np.abs(found - canvas).max() > 0.01


@pytest.mark.parametrize(("size", "shape"), [((), (30, 40)), (("--size=24",), (24, 24))])
def test_a_picture_is_stylized_at_its_own_size_or_at_another(where, picture, tmp_path, size, shape):
    asked = ("--task=stylize", f"--image={picture}", "--steps=1", *size)
    assert answered(where, tmp_path / "out.npz", *asked).shape == (1, *shape, 1)


def test_textures_are_synthesized_at_the_models_size_or_at_another(where, tmp_path):
    for size, shape in (((), (24, 24)), (("--size=20,30",), (20, 30))):
        found = answered(where, tmp_path / "out.npz", "--task=synthesize", "--count=2", *size)
        assert found.shape == (2, *shape, 1)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--task=stylize", "--size=8"], "--size: expected at least 16 pixels a side and found 8"),
        (["--task=advance"], "--set: expected stage=VALUE, the classifier's number"),
        (["--task=advance", "--set=stage=7"], "stage: expected classifiers from 0 to 2"),
    ],
)
def test_what_a_cascade_cannot_do_is_said(where, picture, tmp_path, args, said):
    output = tmp_path / "out.png"
    assert said in mistake(*where, f"--image={picture}", f"--output={output}", *args)
    assert not output.exists()
