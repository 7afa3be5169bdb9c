"""What the client cannot do is said in one sentence, and nothing is written."""

import os
import pathlib
import shutil

import imageio.v3 as iio
import numpy as np
import pytest
import tensorflow as tf
from support.command_line import content, mistake

pytestmark = pytest.mark.usefixtures("loaded_once")


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (["--task=complete"], ["--image", "--workdir"]),
        (["--task=dream"], ["--task", "dream"]),
        (["--task=complete_png"], ["--task", "cannot complete_png"]),
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
        (["--task=reconstruct", "--steps=5"], ["--steps", "reconstruct", "num_steps"]),
        (["--task=generate", "--label=1"], ["--label: expected none", "label"]),
        (["--task=generate", "--set=draws=5"], ["--set", "seed, num_steps", "draws"]),
        (["--task=generate", "--set=num_steps"], ["--set", "NAME=VALUE"]),
        (["--task=generate", "--set=num_steps=few"], ["--set", "num_steps as int32", "few"]),
        (["--task=generate", "--set=seed=1,2,3"], ["--set", "seed of the shape [2]", "[3]"]),
        (
            ["--task=generate", "--set=num_steps=1,2", "--set=seed=1,2,3,4"],
            ["--set: expected seed of the shape [2]"],
        ),
        (["--task=generate", "--set=seed=no.npy"], ["--set", "seed", "no.npy"]),
        (["--task=generate", "--set=num_steps=-1"], ["num_steps: expected numbers that are not"]),
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


def test_pictures_are_not_printed_and_numbers_are_not_drawn(digits, exported, tmp_path):
    model = f"--saved_model={exported / 'saved_model' / 'generative_convnet'}"
    assert "--output: expected a .png or .npz file, since generate" in mistake(
        "export.client", model, "--task=generate"
    )
    sentence = mistake(
        "export.client",
        model,
        "--task=energy",
        f"--workdir={digits}",
        f"--output={tmp_path / 'out.png'}",
    )
    assert "--output: expected a .npz file, or none, since energy" in sentence


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
    output = tmp_path / "out.png"
    model = f"--saved_model={tmp_path / 'model'}"
    sentence = mistake("export.client", "--task=generate", f"--output={output}", model)
    assert "--saved_model: expected a whole SavedModel" in sentence
    assert str(tmp_path / "model" / "1") in sentence
    assert not output.exists()


def test_a_model_that_does_not_describe_itself_is_refused(tmp_path):
    module = tf.Module()
    module.double = tf.function(lambda x: {"y": 2 * x}, [tf.TensorSpec([None], name="x")])
    tf.saved_model.save(module, str(tmp_path / "1"), {"double": module.double})
    sentence = mistake("export.client", f"--saved_model={tmp_path}", "--task=double")
    assert "--saved_model: expected a model with the endpoint describe" in sentence


def test_one_picture_has_no_way_to_another(exported_triangle, tmp_path):
    iio.imwrite(tmp_path / "mine.png", np.zeros((8, 8), np.uint8))
    model = f"--saved_model={exported_triangle / 'saved_model' / 'divergence_triangle'}"
    given = ["--task=interpolate", f"--image={tmp_path / 'mine.png'}"]
    output = tmp_path / "out.png"
    sentence = mistake("export.client", model, *given, f"--output={output}")
    assert "--image: expected at least 2 images, for first and second, and found 1" in sentence
    assert "give --image again" in sentence
    assert not output.exists()
