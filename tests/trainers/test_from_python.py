"""`trainers.train`: the training command as a function, and the pages that show it."""

import pathlib
import re

import numpy as np
import pytest
from support import command_line
from support.command_line import TOY, same_numbers

import tfgen
import trainers
from tfgen.errors import UserError

pytestmark = pytest.mark.eager

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(scope="session")
def recipe(tmp_path_factory) -> pathlib.Path:
    """Writes a flagfile of points in the plane."""
    path = tmp_path_factory.mktemp("recipe") / "toy.flags"
    path.write_text("\n".join(TOY))
    return path


def test_a_recipe_trained_from_python_has_the_commands_weights_bit_for_bit(
    recipe, trained_toy, tmp_path
):
    model = trainers.train(str(recipe), workdir=tmp_path / "run", steps=4, energy__ema=0.5)
    assert same_numbers(tmp_path / "run", trained_toy)
    assert model.updates == 4
    theirs = tfgen.load(trained_toy)
    for ours, expected in zip(model.get_weights(), theirs.get_weights(), strict=True):
        assert ours.tobytes() == expected.tobytes()


def test_a_run_goes_on_from_python_and_from_the_command_line(recipe, toy, tmp_path):
    model = trainers.train(str(recipe), workdir=toy, steps=6, energy__ema=0.5)
    assert model.updates == 6
    command_line.train(tmp_path / "run", *TOY, "--energy.ema=0.5", "--steps=6")
    assert same_numbers(toy, tmp_path / "run")


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"stepz": 3}, "did you mean --steps"),
        ({"steps": 0}, "--steps"),
        ({"energy__optimizer": "rmsprop"}, "--energy.optimizer"),
        ({"generative_convnet__sigma": "wide"}, "--generative_convnet.sigma"),
        ({"dataset": "toy/gausian"}, "toy/gaussian"),
    ],
)
def test_a_wrong_flag_raises_a_sentence_and_leaves_nothing_behind(
    recipe, tmp_path, overrides, words
):
    with pytest.raises(UserError) as caught:
        trainers.train(str(recipe), workdir=tmp_path / "run", **overrides)
    assert words in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_an_unknown_recipe_is_named(tmp_path):
    with pytest.raises(UserError, match="did you mean divergence_triangle_digits"):
        trainers.train("triangle_digits", workdir=tmp_path / "run")


# nets of one's own

MY_NETS = '''\
"""A user's own net."""

import keras


def energy(image_shape, *, my_filters: int = 4):
    """Returns a functional model: images to one number each."""
    image = keras.Input(image_shape)
    x = keras.layers.Conv2D(my_filters, 3, activation="swish")(image)
    x = keras.layers.Flatten()(x)
    return keras.Model(image, keras.layers.Dense(1)(x))
'''


def test_a_users_own_keras_model_trains_saves_loads_and_samples(tmp_path, monkeypatch):
    (tmp_path / "my_own_nets.py").write_text(MY_NETS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    flags = [f for f in command_line.DIGITS if not f.startswith(("--nets", "--energy.width"))]
    # a net's own option is a flag, also where flags are read back from the run
    more = ("--nets=my_own_nets", "--energy.my_filters=3", "--workdir=run")
    command_line.start("trainers.main", *flags, *more)
    command_line.start(
        "trainers.sample", "--workdir=run", "--task=generate", "--steps=2", "--output=out.png"
    )
    assert (tmp_path / "out.png").exists()
    loaded = tfgen.load("run")
    assert loaded.updates == 4
    assert loaded.energy_net.weights[0].shape == (3, 3, 1, 3)

    loaded.save("model")
    again = tfgen.load("model")
    images = tfgen.load_images("digits").test.shown(4)
    np.testing.assert_array_equal(again.energy(images), loaded.energy(images))
    samples = again.generate(count=2, seed=0)
    np.testing.assert_array_equal(samples, loaded.generate(count=2, seed=0))
    assert samples.shape == (2, 8, 8, 1)
    completed = again.complete(images, tfgen.mask("half:bottom", images), seed=0).numpy()
    np.testing.assert_array_equal(completed[:, :4], images[:, :4])


# the pages


def blocks(page: str) -> list[str]:
    """Returns the Python blocks of a page, with runs of a few steps."""
    text = (ROOT / page).read_text()
    found = re.findall(r"^```python\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    return [re.sub(r"\bsteps=\d+", "steps=4", block) for block in found]


@pytest.mark.parametrize(
    ("page", "least"),
    [("README.md", 2), pytest.param("docs/python.md", 8, marks=pytest.mark.slow)],
)
def test_the_python_blocks_of_a_page_run_in_order(page, least, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = blocks(page)
    assert len(found) >= least
    names = {"__name__": "__main__"}
    for number, block in enumerate(found):
        exec(compile(block, f"{page}, Python block {number}", "exec"), names)
