"""A SavedModel answers as the library does, in a process that knows TensorFlow alone; the client asks it."""

import os
import subprocess
import sys

import command_line
import imageio.v3 as iio
import numpy as np
import pytest
import tensorflow as tf
from command_line import DIGITS, TEXTURE, content, mistake

from tfgen import random
from trainers import checkpoints, experiment

ALONE = """
import sys
import numpy as np
import tensorflow as tf
assert not any(name.startswith(("tfgen", "trainers", "export")) for name in sys.modules)
model = tf.saved_model.load(sys.argv[1])
given = np.load(sys.argv[2])
arguments = {}
for key in given.files:
    endpoint, name = key.split(".")
    arguments.setdefault(endpoint, {})[name] = tf.constant(given[key])
found = {}
for endpoint, inputs in arguments.items():
    for name, value in model.signatures[endpoint](**inputs).items():
        found[f"{endpoint}.{name}"] = value.numpy()
    direct = getattr(model, endpoint)(*[inputs[n] for n in ORDER[endpoint]])
    for name, value in direct.items():
        assert np.array_equal(found[f"{endpoint}.{name}"], value.numpy()), endpoint
np.savez(sys.argv[3], **found)
assert not any(name.startswith(("tfgen", "trainers", "export")) for name in sys.modules)
"""

ORDER = {
    "energy": ["image"],
    "reconstruct": ["image"],
    "generate": ["count", "seed", "num_steps"],
    "complete": ["image", "mask", "seed", "num_steps"],
}


@pytest.fixture(scope="module")
def inputs():
    """Of each endpoint."""
    rng = np.random.default_rng(0)
    image = rng.uniform(-1, 1, (3, 8, 8, 1)).astype(np.float32)
    mask = (rng.uniform(size=(3, 8, 8, 1)) < 0.5).astype(np.float32)
    seed = random.root(11).numpy()
    steps = np.int32(7)
    return {
        "energy": {"image": image},
        "reconstruct": {"image": image},
        "generate": {"count": np.int32(5), "seed": seed, "num_steps": steps},
        "complete": {"image": image, "mask": mask, "seed": seed, "num_steps": steps},
    }


@pytest.fixture(scope="module")
def answers(exported, inputs, tmp_path_factory):
    """What the SavedModel answers in a process of its own."""
    place = tmp_path_factory.mktemp("alone")
    np.savez(place / "in.npz", **{f"{e}.{n}": v for e, given in inputs.items() for n, v in given.items()})
    model = exported / "saved_model" / "generative_convnet" / "1"
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", f"ORDER = {ORDER!r}\n{ALONE}", str(model), place / "in.npz", place / "out.npz"],
        cwd=place,  # where neither the library nor its commands can be imported from
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with np.load(place / "out.npz") as found:
        return dict(found)


@pytest.mark.parametrize("endpoint", ORDER)
def test_a_process_with_tensorflow_alone_gets_the_librarys_answers(digits, answers, inputs, endpoint):
    task = experiment.restored(digits).algorithm.endpoints()[endpoint].fn
    expected = task(*(tf.constant(inputs[endpoint][name]) for name in ORDER[endpoint]))
    for name, value in expected.items():
        ours = answers[f"{endpoint}.{name}"]
        assert ours.shape == value.shape
        np.testing.assert_allclose(ours, value.numpy(), rtol=1e-5, atol=1e-5)


def test_known_pixels_stay_in_a_completion(answers, inputs):
    image, mask = inputs["complete"]["image"], inputs["complete"]["mask"] == 1
    assert np.array_equal(answers["complete.image"][mask], image[mask])
    assert not np.array_equal(answers["complete.image"][~mask], image[~mask])


def test_a_batch_may_be_of_any_size(exported):
    model = tf.saved_model.load(str(exported / "saved_model" / "generative_convnet" / "1"))
    for batch in (1, 4):
        energy = model.signatures["energy"](image=tf.zeros((batch, 8, 8, 1)))["energy"]
        assert energy.shape == (batch,)


@pytest.fixture(scope="module")
def texture(trained, tmp_path_factory):
    """A run of a texture, and its model as it is loaded again."""
    workdir = trained("texture", *TEXTURE)
    output = tmp_path_factory.mktemp("texture")
    command_line.start("export.main", f"--workdir={workdir}", f"--output={output}", "--formats=saved_model")
    return workdir, tf.saved_model.load(str(output / "saved_model" / "generative_convnet" / "1"))


def test_averaged_weights_are_what_is_exported(digits, answers, inputs):
    image = tf.constant(inputs["energy"]["image"])
    plain = experiment.Experiment(experiment.read(digits))
    checkpoints.restore(plain.checkpoints, plain.state)
    distance = np.abs(plain.algorithm.tasks.energy(image) - answers["energy.energy"]).max()
    assert distance > 1e-4 * np.abs(answers["energy.energy"]).max()


def test_a_net_of_any_size_synthesizes_from_its_export(texture):
    workdir, model = texture
    seed, steps, size = random.root(1), tf.constant(3), tf.constant([30, 41])
    ours = model.signatures["synthesize"](count=tf.constant(1), seed=seed, num_steps=steps, size=size)["image"]
    theirs = experiment.restored(workdir).algorithm.tasks.synthesize(tf.constant(1), seed, steps, size)
    assert ours.shape == (1, 30, 41, 1)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_classes_are_an_input_and_a_classifier_classifies(trained, tmp_path):
    given = [flag for flag in DIGITS if "generative_convnet." not in flag]
    classifier = ("--algorithm=discriminative_convnet", "--nets=generative_convnet_digits", "--energy.outputs=10")
    workdir = trained("classifier", *given, *classifier, "--discriminative_convnet.sample_steps=2")
    command_line.start("export.main", f"--workdir={workdir}", f"--output={tmp_path}", "--formats=saved_model")
    model = tf.saved_model.load(str(tmp_path / "saved_model" / "discriminative_convnet" / "1"))
    algorithm = experiment.restored(workdir).algorithm
    image = tf.constant(np.random.default_rng(0).uniform(-1, 1, (3, 8, 8, 1)), tf.float32)
    probability = model.signatures["classify"](image=image)["probability"].numpy()
    np.testing.assert_allclose(probability.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(probability, tf.nn.softmax(algorithm.logits(image)), atol=1e-5)
    label = tf.constant([1, 5, 9])
    energy = model.signatures["energy"](image=image, label=label)["energy"]
    np.testing.assert_allclose(energy, algorithm.tasks.energy(image, label), rtol=1e-5)


# --- the client ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", ["generate", "complete", "reconstruct"])
def test_the_client_draws_what_the_model_answers(digits, exported, tmp_path, task):
    output = tmp_path / "out.png"
    command_line.start(
        "export.client",
        f"--saved_model={exported / 'saved_model' / 'generative_convnet'}",
        f"--task={task}",
        f"--workdir={digits}",
        "--count=4",
        "--steps=5",
        f"--output={output}",
    )
    rows, columns = {"generate": (2, 2), "complete": (3, 4), "reconstruct": (2, 4)}[task]
    picture = iio.imread(output)
    assert picture.shape == (66 * rows - 2, 66 * columns - 2)
    assert picture.std() > 0
    if task == "complete":  # the upper half is known
        for column in range(4):
            left = 66 * column
            top = [picture[66 * row : 66 * row + 32, left : left + 64] for row in range(3)]
            assert np.array_equal(top[0], top[1])
            assert np.array_equal(top[0], top[2])


def test_the_client_takes_a_picture_of_the_users(exported, tmp_path):
    iio.imwrite(tmp_path / "mine.png", np.random.default_rng(0).integers(0, 256, (10, 20, 3), np.uint8))
    model = exported / "saved_model" / "generative_convnet"
    asked = [f"--saved_model={model}", "--task=reconstruct", f"--image={tmp_path / 'mine.png'}"]
    command_line.start("export.client", *asked, f"--output={tmp_path / 'out.png'}")
    assert iio.imread(tmp_path / "out.png").shape == (130, 64)


def test_the_client_asks_the_newest_version(tmp_path):
    from export import client

    for version, number in (("2", 2.0), ("10", 10.0), ("9", 9.0)):
        module = tf.Module()
        module.number = tf.Variable(number)
        tf.saved_model.save(module, str(tmp_path / version))
    assert float(client.load(tmp_path).number) == 10.0


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
    ],
)
def test_what_the_client_cannot_do_is_said(exported, tmp_path, args, named):
    model = exported / "saved_model" / "generative_convnet"
    sentence = mistake("export.client", f"--saved_model={model}", f"--output={tmp_path / 'out.png'}", *args)
    for words in named:
        assert words in sentence
    assert content(tmp_path) == {}


def test_the_client_names_a_damaged_model(tmp_path):
    model = tmp_path / "model" / "1"
    model.mkdir(parents=True)
    (model / "saved_model.pb").write_bytes(b"half")
    asked = ["--task=generate", f"--output={tmp_path / 'out.png'}", f"--saved_model={tmp_path / 'model'}"]
    assert str(model) in mistake("export.client", *asked)


def test_the_client_says_what_a_model_cannot_do(tmp_path):
    class Dumb(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, 8, 8, 1), tf.float32, "image")])
        def energy(self, image):
            return {"energy": tf.reduce_sum(image, axis=[1, 2, 3])}

    dumb = Dumb()
    tf.saved_model.save(dumb, str(tmp_path / "model" / "1"), signatures={"energy": dumb.energy})
    asked = ["--task=generate", f"--output={tmp_path / 'out.png'}", f"--saved_model={tmp_path / 'model'}"]
    sentence = mistake("export.client", *asked)
    assert "cannot generate" in sentence
    assert not (tmp_path / "out.png").exists()
