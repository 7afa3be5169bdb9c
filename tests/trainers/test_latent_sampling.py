"""`trainers.sample` of models with a generator: each task's picture, and what they cannot do."""

import pathlib

import imageio.v3 as iio
import matplotlib.axes
import numpy as np
import pytest
from support import command_line, latent_runs
from support.command_line import content, mistake
from test_sampling import cells

from tfgen import random
from tfgen.data import masks, preprocess
from tfgen.errors import UserError
from trainers import sample
from trainers.drawings import encode, pictures, walk
from trainers.run.trained import restored


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> pathlib.Path:
    """Trains a triangle on digits, with averaged weights of its generator.

    It is trained until images have latents of their own.
    """
    workdir = tmp_path_factory.mktemp("runs") / "triangle"
    quick = [
        "--generator.learning_rate=0.01",
        "--inference.learning_rate=0.01",
        "--steps=40",
        "--log_every=20",
    ]
    command_line.train(
        workdir,
        *latent_runs.TRIANGLE,
        *quick,
        "--save_every=40",
        "--sample_every=40",
        "--generator.ema=0.5",
    )
    return workdir


@pytest.fixture(scope="module")
def trained(run):
    """Restores the run."""
    return restored(run)


@pytest.fixture(scope="module")
def vae(tmp_path_factory):
    """Trains a run without an energy, and restores it."""
    workdir = tmp_path_factory.mktemp("runs") / "vae"
    command_line.train(workdir, *latent_runs.VAE, "--steps=2")
    return restored(workdir)


def draw(trained, task, *args):
    """Returns the picture of a task."""
    values = command_line.values("trainers.sample", f"--task={task}", *args)
    return sample.TASKS[task].draw(trained, sample.request(values))


def sheet(trained, task, *args):
    """Its images, [rows, columns, 8, 8]."""
    return cells(draw(trained, task, *args)[..., 0], 8, 8, 8)


def held_out(trained, count):
    """Images as they are shown."""
    return preprocess.to_uint8(trained.images.test.shown(count))[..., 0]


def close(shown, expected, levels=1):
    """Returns whether images on a sheet are those of a model, to a grey level."""
    return (
        np.abs(shown.astype(int) - preprocess.to_uint8(np.array(expected))[..., 0]).max() <= levels
    )


def test_the_command_writes_what_the_task_draws(run, trained, tmp_path):
    output = tmp_path / "out.png"
    ask = ["--task=generate", "--count=3", "--seed=2"]
    command_line.start("trainers.sample", f"--workdir={run}", f"--output={output}", *ask)
    assert np.array_equal(iio.imread(output), draw(trained, "generate", *ask[1:])[..., 0])


def test_generate_decodes_draws_of_the_prior_and_refines_them_if_asked(trained):
    found = sheet(trained, "generate", "--count=4")
    start, _ = random.split(random.root(0))
    z = random.normal((4, 16), start)
    assert close(found.reshape(4, 8, 8), trained.model.generator(z, training=False))
    assert not np.array_equal(sheet(trained, "generate", "--count=4", "--steps=3"), found)
    assert not np.array_equal(sheet(trained, "generate", "--count=4", "--seed=1"), found)


def test_reconstruct_shows_held_out_images_above_what_is_decoded_from_their_means(trained):
    image, rebuilt = sheet(trained, "reconstruct", "--count=3")
    assert np.array_equal(image, held_out(trained, 3))
    mean, _ = trained.model.inference(trained.images.test.shown(3), training=False)
    assert close(rebuilt, trained.model.generator(mean, training=False))


def test_complete_ends_with_a_row_of_how_far_completions_differ(trained):
    """Black where pixels are known, brightest where completions differ most."""
    image, masked, *completed, spread = sheet(
        trained, "complete", "--count=4", "--mask=half:left", "--steps=2"
    )
    known = masks.half((4, 8, 8), "left").numpy()[..., 0] == 1
    assert np.array_equal(image, held_out(trained, 4))
    assert len(completed) == 2
    for row in completed:
        assert np.array_equal(row[known], image[known])
        assert not np.array_equal(row[~known], masked[~known])
    assert not np.array_equal(*completed)
    assert (spread[known] == 0).all()
    assert spread.max() == 255
    assert len(np.unique(spread[~known])) > 20


def test_completions_are_those_of_an_exported_model(trained):
    """By a seed for each image, made of the flag's and the image's number."""
    image, _, first, second, _ = sheet(trained, "complete", "--count=3", "--seed=5")
    root = random.root(5)
    mask = masks.half((3, 8, 8), "bottom").numpy()
    for found, seed in ((first, root), (second, random.fold_in(root, 1))):
        for number in range(3):
            one = trained.images.test.shown(3)[number : number + 1]
            own = random.fold_in(seed, number)
            assert close(found[number], trained.model.complete(one, mask[:1], own)[0][None])
    assert np.array_equal(image, held_out(trained, 3))


def test_interpolate_goes_from_one_held_out_image_to_its_neighbour(trained):
    rows = sheet(trained, "interpolate", "--count=5")
    assert rows.shape[:2] == (2, pictures.POSITIONS + 2)
    image = held_out(trained, 4)
    rebuilt = trained.model.reconstruct(trained.images.test.shown(4))
    for row, pair in zip(rows, ((0, 1), (2, 3)), strict=True):
        assert np.array_equal(row[[0, -1]], image[list(pair)])
        assert close(row[[1, -2]], np.array(rebuilt)[list(pair)])
    around = sheet(trained, "interpolate", "--count=5", "--spherical")
    assert close(around[:, [1, -2]].reshape(4, 8, 8), rebuilt)
    assert not np.array_equal(around, rows)


def test_a_walk_begins_at_draws_and_passes_others(trained, tmp_path):
    film = draw(trained, "walk", "--count=4", "--seed=3")
    assert len(film) == walk.ENDS * walk.FRAMES
    latents = random.normal([walk.ENDS, 4, *trained.model.generator.latent_shape], random.root(3))
    for number, z in enumerate(latents):
        expected = pictures.grid(np.array(trained.model.decode(z)))
        found = film[number * walk.FRAMES]
        np.testing.assert_allclose(found.astype(int), expected.astype(int), atol=1)
    around = draw(trained, "walk", "--count=4", "--seed=3", "--spherical")
    assert np.array_equal(around[:: walk.FRAMES], film[:: walk.FRAMES])
    assert not np.array_equal(around, film)
    pictures.save(tmp_path / "walk.gif", film)
    assert len(iio.imread(tmp_path / "walk.gif")) > walk.ENDS


def test_score_shows_images_in_the_order_of_their_energies(trained, monkeypatch):
    """The likeliest first and the unlikeliest last, each under its nats."""
    shown, titles = [], []
    monkeypatch.setattr(
        matplotlib.axes.Axes, "imshow", lambda self, image, **_: shown.append(image)
    )
    monkeypatch.setattr(
        matplotlib.axes.Axes, "set_title", lambda self, title, **_: titles.append(float(title))
    )
    test = trained.images.test.as_float()
    draw(trained, "score", "--count=5")
    u = trained.model.energy(test).numpy()
    order = np.argsort(u)
    assert len(shown) == len(titles) == 5
    assert titles == sorted(titles)
    for place, title, image in ((0, titles[0], shown[0]), (-1, titles[-1], shown[-1])):
        assert np.array_equal(image, preprocess.to_uint8(test[order[place]])[..., 0])
        assert title == pytest.approx(u[order[place]], abs=0.051)


@pytest.mark.parametrize("task", ["score", "encode"])
def test_scores_and_latents_are_drawn_on_a_page(trained, task):
    picture = draw(trained, task, "--count=3")
    assert picture.dtype == np.uint8
    assert picture.shape[2] == 3
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 20


def test_encode_draws_every_held_out_image_by_its_mean(trained, monkeypatch):
    seen = []
    monkeypatch.setattr(encode.PCA, "fit_transform", lambda self, z: seen.append(z) or z[:, :2])
    draw(trained, "encode")
    mean, _ = trained.model.inference(trained.images.test.as_float(), training=False)
    np.testing.assert_allclose(seen[0], mean, atol=1e-5)


def test_a_model_without_an_energy_does_all_that_needs_none(vae):
    assert sheet(vae, "generate", "--count=4").shape[:2] == (2, 2)
    assert sheet(vae, "reconstruct", "--count=2").shape[:2] == (2, 2)
    image, *_, spread = sheet(vae, "complete", "--count=2", "--mask=B20")
    assert np.array_equal(image, held_out(vae, 2))
    assert spread.max() == 255


# --- mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "task", "args", "named"),
    [
        ("vae", "score", [], ["--task", "the task energy"]),
        ("vae", "generate", ["--steps=3"], ["--steps", "generate takes no sampling steps"]),
        ("vae", "complete", ["--steps=0"], ["--steps", "complete"]),
        ("trained", "reconstruct", ["--steps=3"], ["--steps", "reconstruct"]),
        ("trained", "interpolate", ["--count=1"], ["--count", "at least 2"]),
        ("trained", "generate", ["--label=1"], ["--label", "no classes"]),
        ("trained", "synthesize", [], ["--task", "the task synthesize"]),
        ("trained", "memories", [], ["--task", "memories"]),
        ("trained", "pieces", [], ["pieces", "1x1"]),
        ("trained", "complete", ["--mask=B21"], ["mask", "B21"]),
    ],
)
def test_what_a_model_cannot_do_is_said(model, task, args, named, request):
    with pytest.raises(UserError) as caught:
        draw(request.getfixturevalue(model), task, *args)
    assert "\n" not in str(caught.value)
    for words in named:
        assert words in str(caught.value)


def test_one_picture_of_the_users_has_no_axes_to_be_encoded_on(trained, tmp_path):
    iio.imwrite(tmp_path / "mine.png", np.zeros((8, 8), np.uint8))
    with pytest.raises(UserError, match="--image"):
        draw(trained, "encode", f"--image={tmp_path / 'mine.png'}")


def test_a_mistake_ends_the_command_with_one_sentence_and_no_picture(run, tmp_path):
    before = content(run)
    asked = ["--task=interpolate", "--count=1", f"--output={tmp_path / 'out.png'}"]
    assert "--count" in mistake("trainers.sample", f"--workdir={run}", *asked)
    assert content(tmp_path) == {}
    assert content(run) == before
