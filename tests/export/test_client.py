"""The client asks a SavedModel by its own signatures, and draws or prints what it answers."""

import functools
import os
import pathlib
import shutil
from unittest import mock

import imageio.v3 as iio
import numpy as np
import pytest
import tensorflow as tf
from support import command_line
from support.command_line import content, mistake

from export import client
from export.clients import backends
from tfgen import random
from tfgen.data import masks, preprocess
from trainers.drawings import pictures
from trainers.run import experiment


@pytest.fixture(scope="module", autouse=True)
def _each_model_is_loaded_once():
    """Loading takes seconds, and the client asks often here."""
    with mock.patch.object(backends, "load", functools.cache(backends.load)):
        yield


def ask(task: str, model, output, *args: str) -> np.ndarray:
    """The picture that the client draws, as its images: [rows, columns, height, width]."""
    (directory,) = (model / "saved_model").iterdir()
    command_line.start(
        "export.client", f"--saved_model={directory}", f"--task={task}", f"--output={output}", *args
    )
    sheet = np.pad(iio.imread(output), [[0, 2], [0, 2]])  # the gap after the last
    rows, columns = (side // 66 for side in sheet.shape)
    assert sheet.shape == (66 * rows, 66 * columns)
    return sheet.reshape(rows, 66, columns, 66).transpose(0, 2, 1, 3)[:, :, :64:8, :64:8]


def signature(model, name: str):
    (directory,) = (model / "saved_model").iterdir()
    return backends.load(directory).signatures[name]


def grey(image) -> np.ndarray:
    return preprocess.to_uint8(np.asarray(image))[..., 0]


def held_out(workdir, count: int) -> tf.Tensor:
    return tf.constant(experiment.restored(workdir).images.test.whole()[:count])


@pytest.mark.parametrize("task", ["generate", "complete", "reconstruct"])
def test_the_client_draws_what_the_model_answers(digits, exported, tmp_path, task):
    steps = [] if task == "reconstruct" else ["--steps=5"]
    found = ask(task, exported, tmp_path / "out.png", f"--workdir={digits}", "--count=4", *steps)
    image, seed, steps = (
        held_out(digits, 4),
        tf.constant(client.seeds(random.root(0), 4)),
        tf.fill([4], 5),
    )
    mask = masks.half((4, 8, 8), "bottom")
    given = {
        "generate": {"seed": seed, "num_steps": steps},
        "complete": {"image": image, "mask": mask, "seed": seed, "num_steps": steps},
        "reconstruct": {"image": image},
    }[task]
    answer = grey(signature(exported, task)(**given)["image"])
    if task == "generate":
        assert np.array_equal(found.reshape(4, 8, 8), answer)
    else:
        above = {"complete": [grey(image), grey(mask * image)], "reconstruct": [grey(image)]}[task]
        assert np.array_equal(found, [*above, answer])


def test_anomalies_are_white_where_the_energy_hangs_on_pixels(digits, exported, tmp_path):
    found = ask("anomaly", exported, tmp_path / "out.png", f"--workdir={digits}", "--count=3")
    image = held_out(digits, 3)
    steepness = signature(exported, "anomaly")(image=image)["steepness"].numpy()
    assert np.array_equal(found, [grey(image), grey(2 * steepness / steepness.max() - 1)])


def test_a_model_with_a_generator_takes_no_steps_unless_asked(
    triangle, exported_triangle, tmp_path
):
    model = exported_triangle
    none, zero, five = (
        ask("generate", model, tmp_path / f"{i}.png", "--count=4", *steps)
        for i, steps in enumerate([(), ("--steps=0",), ("--steps=500",)])
    )
    assert np.array_equal(none, zero)
    assert not np.array_equal(none, five)


def test_the_way_between_two_images_starts_and_ends_at_their_reconstructions(
    triangle, exported_triangle, tmp_path
):
    for way in ("--nospherical", "--spherical"):
        found = ask(
            "interpolate",
            exported_triangle,
            tmp_path / "i.png",
            f"--workdir={triangle}",
            "--count=5",
            way,
        )
        assert found.shape[:2] == (2, pictures.POSITIONS + 2)  # the fifth image has no partner
        image = held_out(triangle, 4)
        assert np.array_equal(found[:, [0, -1]].reshape(4, 8, 8), grey(image))
        rebuilt = grey(signature(exported_triangle, "reconstruct")(image=image)["image"])
        # a grey level where rounding decides
        assert np.abs(found[:, [1, -2]].reshape(4, 8, 8).astype(int) - rebuilt).max() <= 1


def test_two_pictures_of_the_users_have_a_way_between_them(exported_triangle, tmp_path):
    rng = np.random.default_rng(0)
    for name in "ab":
        iio.imwrite(tmp_path / f"{name}.png", rng.integers(0, 256, (8, 8), np.uint8))
    both = [f"--image={tmp_path / name}.png" for name in "ab"]
    found = ask("interpolate", exported_triangle, tmp_path / "out.png", *both)
    assert found.shape[:2] == (1, pictures.POSITIONS + 2)
    for end, name in ((0, "a"), (-1, "b")):
        assert np.array_equal(found[0, end], iio.imread(tmp_path / f"{name}.png"))


def test_uncertainty_is_drawn_as_mean_spread_and_a_few_completions(
    triangle, exported_triangle, tmp_path
):
    given = [f"--workdir={triangle}", "--count=4", "--mask=half:left"]
    found = ask("uncertainty", exported_triangle, tmp_path / "out.png", *given)
    image, masked, mean, spread, *some = found
    assert np.array_equal(image, grey(held_out(triangle, 4)))
    assert len(some) == 3
    for row in (masked, mean, *some):
        assert np.array_equal(row[..., 4:], image[..., 4:])
    assert np.all(spread[..., 4:] == 0)  # known pixels do not differ
    assert spread.max() == 255
    assert not np.array_equal(some[0], some[1])


def test_energies_are_printed_an_image_a_line(triangle, exported_triangle, capsys):
    (directory,) = (exported_triangle / "saved_model").iterdir()
    asked = [f"--saved_model={directory}", "--task=energy", f"--workdir={triangle}", "--count=3"]
    command_line.start("export.client", *asked)
    head, *lines = capsys.readouterr().out.strip().split("\n")
    assert head == "image  energy (nats)"
    numbers, energies = zip(*(line.split() for line in lines), strict=True)
    assert numbers == ("0", "1", "2")
    expected = signature(exported_triangle, "energy")(image=held_out(triangle, 3))["energy"]
    np.testing.assert_allclose([float(e) for e in energies], expected, rtol=1e-5)


def test_the_client_takes_a_picture_of_the_users(exported, tmp_path):
    iio.imwrite(
        tmp_path / "mine.png", np.random.default_rng(0).integers(0, 256, (10, 20, 3), np.uint8)
    )
    model = exported / "saved_model" / "generative_convnet"
    asked = [f"--saved_model={model}", "--task=reconstruct", f"--image={tmp_path / 'mine.png'}"]
    command_line.start("export.client", *asked, f"--output={tmp_path / 'out.png'}")
    assert iio.imread(tmp_path / "out.png").shape == (130, 64)


def test_the_client_asks_the_newest_version(tmp_path):
    for version, number in (("2", 2.0), ("10", 10.0), ("9", 9.0)):
        module = tf.Module()
        module.number = tf.Variable(number)
        tf.saved_model.save(module, str(tmp_path / version))
    assert float(backends.load(tmp_path).number) == 10.0


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (["--task=complete"], ["--image", "--workdir"]),
        (["--task=dream"], ["--task", "dream"]),
        ([], ["--task"]),
        (["--task=generate", "--output=out.jpg"], ["--output", "out.jpg"]),
        (["--task=generate", "--saved_model=nowhere"], ["--saved_model", "nowhere"]),
        (["--task=generate", "--count=0"], ["count"]),
        (["--task=complete", "--image=nowhere.png"], ["nowhere.png"]),
        (["--task=complete", "--workdir=nowhere"], ["--workdir", "nowhere"]),
        (
            ["--task=interpolate"],
            ["--task", "complete, energy, generate, reconstruct", "cannot interpolate"],
        ),
        (["--task=reconstruct", "--steps=5"], ["--steps", "reconstruct"]),
    ],
)
def test_what_the_client_cannot_do_is_said(exported, tmp_path, args, named):
    model = exported / "saved_model" / "generative_convnet"
    sentence = mistake(
        "export.client", f"--saved_model={model}", f"--output={tmp_path / 'out.png'}", *args
    )
    for words in named:
        assert words in sentence
    assert content(tmp_path) == {}


def half(file: pathlib.Path):
    """Cuts a file's second half off."""
    os.truncate(file, file.stat().st_size // 2)


DAMAGE = {
    "half a graph": lambda model: half(model / "saved_model.pb"),
    "junk": lambda model: (model / "saved_model.pb").write_bytes(b"half"),
    "half the weights": lambda model: half(model / "variables" / "variables.data-00000-of-00001"),
    "half the index": lambda model: half(model / "variables" / "variables.index"),
    "no weights": lambda model: shutil.rmtree(model / "variables"),
    "no graph": lambda model: (model / "saved_model.pb").unlink(),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_the_client_names_a_damaged_model(exported, tmp_path, damage):
    shutil.copytree(exported / "saved_model" / "generative_convnet", tmp_path / "model")
    DAMAGE[damage](tmp_path / "model" / "1")
    asked = [
        "--task=generate",
        f"--output={tmp_path / 'out.png'}",
        f"--saved_model={tmp_path / 'model'}",
    ]
    sentence = mistake("export.client", *asked)
    assert "--saved_model: expected a whole SavedModel" in sentence
    assert str(tmp_path / "model" / "1") in sentence
    assert not (tmp_path / "out.png").exists()


class Labelled(tf.Module):
    """A model whose energies take classes."""

    @tf.function(
        input_signature=[
            tf.TensorSpec((None, 8, 8, 1), tf.float32, "image"),
            tf.TensorSpec((None,), tf.int32, "label"),
        ]
    )
    def energy(self, image, label):
        return {"energy": tf.reduce_sum(image, axis=[1, 2, 3]) + tf.cast(label, tf.float32)}


@pytest.fixture
def labelled(digits, tmp_path):
    """What asks such a model for the energies of held-out digits."""
    model = Labelled()
    tf.saved_model.save(model, str(tmp_path / "model" / "1"), signatures={"energy": model.energy})
    return [
        "export.client",
        f"--saved_model={tmp_path / 'model'}",
        "--task=energy",
        f"--workdir={digits}",
        "--count=2",
    ]


def test_the_client_gives_a_model_the_class_that_it_takes(labelled, capsys):
    """An energy that grows by 1 from class to class."""
    energies = []
    for label in (2, 5):
        command_line.start(*labelled, f"--label={label}")
        energies.append(
            [float(line.split()[1]) for line in capsys.readouterr().out.splitlines()[1:]]
        )
    np.testing.assert_allclose(np.subtract(*energies[::-1]), [3, 3], rtol=1e-3)


def test_a_class_is_asked_for_where_there_are_classes_and_only_there(labelled, exported, tmp_path):
    assert "--label: expected a class, since this model has classes" in mistake(*labelled)
    asked = [
        f"--saved_model={exported / 'saved_model' / 'generative_convnet'}",
        "--task=generate",
        "--label=1",
    ]
    sentence = mistake("export.client", *asked, f"--output={tmp_path / 'out.png'}")
    assert "--label: expected none, since this model has no classes" in sentence


class Clocked(tf.Module):
    """A model of another house, whose energies take what no client has heard of."""

    @tf.function(
        input_signature=[
            tf.TensorSpec((None, 8, 8, 1), tf.float32, "image"),
            tf.TensorSpec((None,), tf.float32, "day"),
        ]
    )
    def energy(self, image, day):
        return {"energy": tf.reduce_sum(image, axis=[1, 2, 3]) + day}


def test_inputs_that_the_client_has_no_word_for_are_named(digits, tmp_path):
    model = Clocked()
    tf.saved_model.save(model, str(tmp_path / "model" / "1"), signatures={"energy": model.energy})
    sentence = mistake(
        "export.client",
        f"--saved_model={tmp_path / 'model'}",
        "--task=energy",
        f"--workdir={digits}",
        "--count=2",
    )
    assert "--task: energy of this model takes day, which is not given here" in sentence


def test_one_picture_has_no_way_to_another(exported_triangle, tmp_path):
    iio.imwrite(tmp_path / "mine.png", np.zeros((8, 8), np.uint8))
    (directory,) = (exported_triangle / "saved_model").iterdir()
    asked = [f"--saved_model={directory}", "--task=interpolate", f"--image={tmp_path / 'mine.png'}"]
    assert "give --image twice" in mistake(
        "export.client", *asked, f"--output={tmp_path / 'out.png'}"
    )
    assert not (tmp_path / "out.png").exists()
