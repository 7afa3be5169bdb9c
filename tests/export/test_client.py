"""The client asks a SavedModel by its description, and draws, prints or writes what it answers."""

import imageio.v3 as iio
import numpy as np
import pytest
import tensorflow as tf
from support import command_line
from support.command_line import mistake
from support.tiny_models import Weather

from export.clients import in_process, request
from export.saved_model import archive
from tfgen import random
from tfgen.data import masks, preprocess
from trainers.drawings import pictures
from trainers.run.trained import restored

pytestmark = pytest.mark.usefixtures("loaded_once")


def asked(model, task: str, *args: str) -> None:
    """Runs the client."""
    (directory,) = (model / "saved_model").iterdir()
    command_line.start("export.client", f"--saved_model={directory}", f"--task={task}", *args)


def draw(task: str, model, output, *args: str) -> np.ndarray:
    """Returns the picture that the client draws, as its images: [rows, columns, height, width]."""
    asked(model, task, f"--output={output}", *args)
    sheet = np.pad(iio.imread(output), [[0, 2], [0, 2]])  # the gap after the last
    rows, columns = (side // 66 for side in sheet.shape)
    assert sheet.shape == (66 * rows, 66 * columns)
    return sheet.reshape(rows, 66, columns, 66).transpose(0, 2, 1, 3)[:, :, :64:8, :64:8]


def answered(task: str, model, output, *args: str) -> dict[str, np.ndarray]:
    """Returns the answers that the client writes."""
    asked(model, task, f"--output={output}", *args)
    with np.load(output) as found:
        return dict(found)


def signature(model, name: str):
    (directory,) = (model / "saved_model").iterdir()
    return in_process.load(directory).signatures[name]


def grey(image) -> np.ndarray:
    return preprocess.to_uint8(np.asarray(image))[..., 0]


def held_out(workdir, count: int) -> tf.Tensor:
    return tf.constant(restored(workdir).images.test.shown(count))


@pytest.mark.parametrize("task", ["generate", "complete", "reconstruct"])
def test_the_client_draws_what_the_model_answers(digits, exported, tmp_path, task):
    steps = [] if task == "reconstruct" else ["--steps=5"]
    found = draw(task, exported, tmp_path / "out.png", f"--workdir={digits}", "--count=4", *steps)
    image, seed = held_out(digits, 4), tf.constant(request.seeds(random.root(0), 4))
    mask, drawn = masks.half((4, 8, 8), "bottom"), {"seed": seed, "num_steps": tf.fill([4], 5)}
    given = {
        "generate": drawn,
        "complete": {"image": image, "mask": mask, **drawn},
        "reconstruct": {"image": image},
    }[task]
    answer = grey(signature(exported, task)(**given)["image"])
    if task == "generate":
        assert np.array_equal(found.reshape(4, 8, 8), answer)
    else:
        above = {"complete": [grey(image), grey(mask * image)], "reconstruct": [grey(image)]}[task]
        assert np.array_equal(found, [*above, answer])


def test_the_run_is_asked_for_its_own_number_of_steps(exported, tmp_path):
    """The run was trained with `sample_steps=5`; its export remembers that."""
    own, five, six = (
        answered("generate", exported, tmp_path / f"{i}.npz", "--count=3", *steps)["image"]
        for i, steps in enumerate([(), ("--steps=5",), ("--steps=6",)])
    )
    np.testing.assert_array_equal(own, five)
    assert np.abs(own - six).max() > 1e-3


def test_anomalies_are_white_where_the_energy_hangs_on_pixels(digits, exported, tmp_path):
    found = draw("anomaly", exported, tmp_path / "out.png", f"--workdir={digits}", "--count=3")
    image = held_out(digits, 3)
    steepness = signature(exported, "anomaly")(image=image)["steepness"].numpy()
    assert np.array_equal(found, [grey(image), grey(2 * steepness / steepness.max() - 1)])


def test_the_persistent_chains_are_shown_in_their_order(exported, tmp_path):
    found = draw("chains", exported, tmp_path / "out.png", "--count=4")
    chains = signature(exported, "chains")(index=tf.range(4))["image"]
    assert np.array_equal(found.reshape(4, 8, 8), grey(chains))
    sentence = mistake(
        "export.client",
        f"--saved_model={exported / 'saved_model' / 'generative_convnet'}",
        "--task=chains",
        "--count=9",
        f"--output={tmp_path / 'none.png'}",
    )
    assert "index: expected numbers below 8" in sentence


def test_a_model_with_a_generator_takes_no_steps_unless_asked(
    triangle, exported_triangle, tmp_path
):
    none, zero, five = (
        draw("generate", exported_triangle, tmp_path / f"{i}.png", "--count=4", *steps)
        for i, steps in enumerate([(), ("--steps=0",), ("--steps=500",)])
    )
    assert np.array_equal(none, zero)
    assert not np.array_equal(none, five)


def test_the_way_between_two_images_starts_and_ends_at_their_reconstructions(
    triangle, exported_triangle, tmp_path
):
    given = (f"--workdir={triangle}", "--count=5")
    for way in ("--nospherical", "--spherical"):
        found = draw("interpolate", exported_triangle, tmp_path / "i.png", *given, way)
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
    found = draw("interpolate", exported_triangle, tmp_path / "out.png", *both)
    assert found.shape[:2] == (1, pictures.POSITIONS + 2)
    for end, name in ((0, "a"), (-1, "b")):
        assert np.array_equal(found[0, end], iio.imread(tmp_path / f"{name}.png"))


def test_uncertainty_is_drawn_as_mean_spread_and_a_few_completions(
    triangle, exported_triangle, tmp_path
):
    given = [f"--workdir={triangle}", "--count=4", "--mask=half:left"]
    found = draw("uncertainty", exported_triangle, tmp_path / "out.png", *given)
    image, masked, mean, spread, *some = found
    assert np.array_equal(image, grey(held_out(triangle, 4)))
    assert len(some) == 3
    for row in (masked, mean, *some):
        assert np.array_equal(row[..., 4:], image[..., 4:])
    assert np.all(spread[..., 4:] == 0)  # known pixels do not differ
    assert spread.max() == 255
    assert not np.array_equal(some[0], some[1])


def test_energies_are_printed_an_image_a_line(triangle, exported_triangle, capsys):
    asked(exported_triangle, "energy", f"--workdir={triangle}", "--count=3")
    head, *lines = capsys.readouterr().out.strip().split("\n")
    assert head.split() == ["row", "energy"]
    numbers, energies = zip(*(line.split() for line in lines), strict=True)
    assert numbers == ("0", "1", "2")
    expected = signature(exported_triangle, "energy")(image=held_out(triangle, 3))["energy"]
    np.testing.assert_allclose([float(e) for e in energies], expected, rtol=1e-5)


def test_latents_are_printed_or_written(triangle, exported_triangle, tmp_path, capsys):
    """A task without a picture of its own."""
    given = (f"--workdir={triangle}", "--count=3")
    expected = signature(exported_triangle, "encode")(image=held_out(triangle, 3))["latent"]
    found = answered("encode", exported_triangle, tmp_path / "out.npz", *given)
    np.testing.assert_allclose(found["latent"], expected, rtol=1e-6, atol=1e-6)
    capsys.readouterr()
    asked(exported_triangle, "encode", *given)
    head, *lines = capsys.readouterr().out.strip().split("\n")
    assert head.split() == ["row", *(f"latent_{i}" for i in range(16))]
    printed = [[float(word) for word in line.split()[1:]] for line in lines]
    np.testing.assert_allclose(printed, expected, rtol=1e-5, atol=1e-5)


def test_an_input_without_a_flag_is_set_by_name(exported_triangle, tmp_path):
    latent = np.random.default_rng(0).standard_normal((5, 16)).astype(np.float32)
    np.save(tmp_path / "z.npy", latent)
    decode = signature(exported_triangle, "decode")
    several = answered(
        "decode", exported_triangle, tmp_path / "z.npz", f"--set=latent={tmp_path / 'z.npy'}"
    )
    np.testing.assert_array_equal(several["image"], decode(latent=tf.constant(latent))["image"])
    zeros = answered("decode", exported_triangle, tmp_path / "0.npz", "--set=latent=0", "--count=2")
    expected = decode(latent=tf.zeros((2, 16)))["image"]
    np.testing.assert_array_equal(zeros["image"], expected)


def test_a_value_may_be_given_for_each_row(exported, tmp_path):
    """Two numbers of steps are two rows, each as it is with that number alone."""
    both = answered("generate", exported, tmp_path / "both.npz", "--set=num_steps=1,3")["image"]
    one, three = (
        answered("generate", exported, tmp_path / f"{n}.npz", f"--steps={n}", "--count=2")["image"]
        for n in (1, 3)
    )
    np.testing.assert_allclose(both, [one[0], three[1]], atol=1e-5)


def test_more_draws_are_asked_for_by_name(triangle, exported_triangle, tmp_path):
    given = (f"--workdir={triangle}", "--count=2")
    usual, twenty, two = (
        answered("uncertainty", exported_triangle, tmp_path / f"{i}.npz", *given, *draws)["spread"]
        for i, draws in enumerate([(), ("--set=draws=20",), ("--set=draws=2",)])
    )
    np.testing.assert_array_equal(usual, twenty)
    assert np.abs(usual - two).max() > 1e-3


def test_the_client_tells_what_a_model_can_be_asked(exported, capsys):
    asked(exported, "describe")
    said = " ".join(capsys.readouterr().out.split())
    assert "EnergyModel by generative_convnet after 4 updates, 8x8x1" in said
    assert "complete: Fills missing pixels" in said
    assert "mask (float32 [8, 8, 1]): 1 where a pixel is known, 0 where it is missing" in said
    assert "num_steps (int32): sampling steps; this model's own number is 5; default 5" in said


def test_help_lists_the_tasks_and_their_inputs(capsys):
    command_line.start("export.client", "--help")
    said = capsys.readouterr().out
    assert "complete(image, mask, seed, num_steps, classifiers, label)" in said
    assert "stylize(content, seed, num_steps, gamma)" in said
    assert "NAME=VALUE: any other input" in said


def test_the_client_takes_a_picture_of_the_users(exported, tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (10, 20, 3), np.uint8)
    iio.imwrite(tmp_path / "mine.png", picture)
    output = tmp_path / "out.png"
    asked(exported, "reconstruct", f"--image={tmp_path / 'mine.png'}", f"--output={output}")
    assert iio.imread(output).shape == (130, 64)


def test_the_client_asks_the_newest_version(tmp_path):
    for version, number in (("2", 2.0), ("10", 10.0), ("9", 9.0)):
        module = tf.Module()
        module.number = tf.Variable(number)
        tf.saved_model.save(module, str(tmp_path / version))
    assert float(in_process.load(tmp_path).number) == 10.0


@pytest.fixture(scope="module")
def labelled(digits, tmp_path_factory):
    """Returns a command that asks a model with classes for energies of held-out digits."""
    place = tmp_path_factory.mktemp("labelled") / "weather"
    archive.write(Weather(num_classes=10), place)
    where = (f"--saved_model={place}", f"--workdir={digits}")
    return ["export.client", *where, "--task=energy", "--count=2"]


def test_the_client_gives_a_model_the_class_that_it_takes(labelled, capsys):
    """An energy that grows by 1 from class to class."""
    energies = []
    for label in (2, 5):
        command_line.start(*labelled, f"--label={label}")
        lines = capsys.readouterr().out.splitlines()[1:]
        energies.append([float(line.split()[1]) for line in lines])
    np.testing.assert_allclose(np.subtract(*energies[::-1]), [3, 3], rtol=1e-3)


def test_a_class_is_asked_for_where_there_are_classes_and_checked(labelled):
    assert "--label: expected each example's class, from 0 to 9" in mistake(*labelled)
    assert "label: expected classes from 0 to 9" in mistake(*labelled, "--label=10")
