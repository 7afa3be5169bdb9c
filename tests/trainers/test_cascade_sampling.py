"""`trainers.sample` of introspective networks: any size, styles, stages, and refusals."""

import imageio.v3 as iio
import numpy as np
import pytest
from support import cascade_runs, command_line
from support.command_line import mistake
from test_sampling import cells

from tfgen import random
from tfgen.data import preprocess
from trainers import sample
from trainers.run.trained import restored


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    """Trains a run of a texture to its end."""
    place = tmp_path_factory.mktemp("runs") / "texture"
    command_line.train(place, *cascade_runs.TEXTURE)
    return place


@pytest.fixture(scope="module")
def trained(workdir):
    """Restores the run."""
    return restored(workdir)


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    """Writes a picture to stylize, lighter to its right."""
    path = tmp_path_factory.mktemp("pictures") / "ramp.png"
    iio.imwrite(path, np.tile(np.linspace(0, 255, 60).astype(np.uint8), (40, 1)))
    return path


def draw(trained, task, *args):
    """Returns the picture of a task."""
    values = command_line.values("trainers.sample", f"--task={task}", *args)
    return sample.TASKS[task].draw(trained, sample.request(values))


def generated(trained, count, seed):
    """Returns what the library samples, as it is shown."""
    return preprocess.to_uint8(trained.model.generate(count, seed).numpy())[..., 0]


def test_generate_draws_samples_of_the_canvas(trained):
    found = cells(draw(trained, "generate", "--count=2", "--seed=4")[..., 0], 24, 24, 2)
    np.testing.assert_array_equal(found[0], generated(trained, 2, 4))


def test_generate_draws_what_the_first_classifiers_make(trained):
    shown = draw(trained, "generate", "--count=2", "--seed=4", "--classifiers=1")
    found = cells(shown[..., 0], 24, 24, 2)
    expected = preprocess.to_uint8(trained.model.generate(2, 4, classifiers=1).numpy())[..., 0]
    np.testing.assert_array_equal(found[0], expected)
    assert (found[0] != generated(trained, 2, 4)).any()


def test_synthesize_draws_any_size(trained):
    found = draw(trained, "synthesize", "--size=40,70")
    assert found.shape[:2] == (40, 70)


def test_tiles_are_drawn_whole(trained):
    found = draw(trained, "synthesize", "--size=24,40", "--tile")[..., 0]
    tile = trained.model.synthesize(1, 0, size=(24, 40), tile=True).numpy()
    np.testing.assert_array_equal(found, preprocess.to_uint8(tile)[0, ..., 0])
    assert (found != draw(trained, "synthesize", "--size=24,40")[..., 0]).any()


def test_a_picture_of_any_size_is_completed(trained, picture):
    """The rows: the picture, what is known of it, and two completions."""
    args = f"--image={picture}", "--size=20,30", "--mask=half:left"
    rows = draw(trained, "complete", *args)[..., 0]
    scale = (rows.shape[0] - 3 * 2) // 80  # small pictures are enlarged
    whole, known, one, two = (
        rows[(20 * scale + 2) * n : (20 * scale + 2) * n + 20 * scale : scale, ::scale]
        for n in range(4)
    )
    for completed in (known, one, two):
        np.testing.assert_array_equal(completed[:, 15:], whole[:, 15:])
    assert (one != two)[:, :15].mean() > 0.5


def test_defects_are_drawn_below_a_picture_of_any_size(trained, picture):
    found = draw(trained, "defects", f"--image={picture}", "--size=40,70")[..., 0]
    _, maps = trained.model.defects(found[np.newaxis, :40, :, np.newaxis] / 127.5 - 1)
    lifted = maps.numpy() - maps.numpy().min()
    expected = preprocess.to_uint8(2 * lifted / lifted.max() - 1)[0, ..., 0]
    np.testing.assert_allclose(found[42:].astype(float), expected, atol=2)


def test_the_held_out_picture_of_a_texture_is_searched_whole(trained):
    assert draw(trained, "defects").shape[:2] == (2 * 32 * 2 + 2, 32 * 2)


def test_stages_begin_with_noise_and_end_with_the_sample_that_generate_makes(trained):
    """To rounding, which Adam's steps enlarge: a grey level on average.

    Samples of other seeds differ by dozens.
    """
    rows = cells(draw(trained, "stages", "--count=4", "--seed=4")[..., 0], 24, 24, 2).astype(float)
    same, other = (np.abs(rows[1, 1] - generated(trained, 1, seed)[0]).mean() for seed in (4, 5))
    assert same < 1
    assert other > 20
    start, _ = random.split(random.root(4))
    noise = trained.model.synthesis.start((1, 40, 40, 1), start)[:, 8:-8, 8:-8]
    np.testing.assert_array_equal(rows[0, 0], preprocess.to_uint8(noise.numpy())[0, ..., 0])


def test_a_stylized_picture_is_shown_beside_its_own(trained, picture):
    args = [f"--image={picture}", "--size=32,48", "--steps=1", "--gamma=1"]
    image, styled = cells(draw(trained, "stylize", *args)[..., 0], 32, 48, 1)[0].astype(float)
    assert image[:, -8:].mean() - image[:, :8].mean() > 150
    assert np.abs(image - styled).mean() < 1  # of 255: nothing but staying near is asked for


def test_a_stylized_picture_stays_the_nearer_to_its_own_the_larger_gamma(trained):
    ramp = np.linspace(-1, 1, 32, dtype=np.float32)[:, np.newaxis]
    content = np.broadcast_to(ramp, (1, 24, 32, 1))
    styled = [trained.model.stylize(content, 0, 5, gamma).numpy() for gamma in (0.0, 0.5, 1.0)]
    distances = [np.abs(image - content).mean() for image in styled]
    assert distances[0] > distances[1] > distances[2]


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (["--task=stylize"], ["--image", "picture to stylize"]),
        (["--task=stylize", "--image=nowhere.png"], ["nowhere.png"]),
        (["--task=stylize", "--gamma=1.5"], ["gamma"]),
        (["--task=stylize", "--image=any.png", "--size=15,40"], ["--size", "at least 16", "15"]),
        (["--task=synthesize", "--size=40,0"], ["--size", "positive", "40,0"]),
        (["--task=reconstruct"], ["--task", "the task reconstruct"]),
        (["--task=generate", "--steps=3"], ["--steps", "no sampling steps"]),
        (["--task=generate", "--classifiers=4"], ["--classifiers", "from 1 to 3", "4"]),
        (["--task=stages", "--classifiers=2"], ["--classifiers", "advance"]),
    ],
)
def test_what_a_cascade_cannot_do_is_said(workdir, tmp_path, args, named):
    said = mistake(
        "trainers.sample", f"--workdir={workdir}", f"--output={tmp_path / 'o.png'}", *args
    )
    for words in named:
        assert words in said


def test_stages_of_another_model_are_refused(trained_digits, tmp_path):
    said = mistake(
        "trainers.sample",
        f"--workdir={trained_digits}",
        "--task=stages",
        f"--output={tmp_path / 'o.png'}",
    )
    assert "--task: expected a model with the task advance" in said
