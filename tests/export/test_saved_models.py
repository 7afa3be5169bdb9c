"""A SavedModel answers as the library does, in a process that knows TensorFlow alone."""

import numpy as np
import pytest
import tensorflow as tf
from support import alone, rows
from support.command_line import DIGITS, TEXTURE

from export.saved_model import published
from tfgen import random
from trainers.run import checkpoints, experiment, identity
from trainers.run.state import state_of
from trainers.run.trained import restored

ENDPOINTS = ("energy", "reconstruct", "generate", "complete", "chains")


@pytest.fixture(scope="module")
def model(digits):
    """Returns the library's model."""
    return restored(digits).model


@pytest.fixture(scope="module")
def inputs(model):
    """Returns three rows for each endpoint."""
    rng = np.random.default_rng(0)
    given = {
        "image": rng.uniform(-1, 1, (3, 8, 8, 1)).astype(np.float32),
        "mask": (rng.uniform(size=(3, 8, 8, 1)) < 0.5).astype(np.float32),
    }
    endpoints = published.endpoints(model)
    return {name: rows.of(endpoints[name], given) for name in ENDPOINTS}


@pytest.fixture(scope="module")
def answers(exported, inputs, tmp_path_factory):
    """Returns what the SavedModel answers in a process of its own."""
    version = exported / "saved_model" / "generative_convnet" / "1"
    return alone.answers(version, inputs, tmp_path_factory.mktemp("alone"))


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_process_with_tensorflow_alone_gets_what_the_library_answers_to_each_row(
    model, answers, inputs, endpoint
):
    expected = rows.alone(model.endpoint(endpoint), inputs[endpoint])
    for name, value in expected.items():
        ours = answers[f"{endpoint}.{name}"]
        assert ours.shape == value.shape
        np.testing.assert_allclose(ours, value, rtol=1e-5, atol=1e-5)


def test_known_pixels_stay_in_a_completion(answers, inputs):
    image, mask = inputs["complete"]["image"], inputs["complete"]["mask"] == 1
    assert np.array_equal(answers["complete.image"][mask], image[mask])
    assert not np.array_equal(answers["complete.image"][~mask], image[~mask])


def test_a_batch_may_be_of_any_size(exported):
    loaded = tf.saved_model.load(str(exported / "saved_model" / "generative_convnet" / "1"))
    for batch in (1, 4):
        energy = loaded.signatures["energy"](image=tf.zeros((batch, 8, 8, 1)))["energy"]
        assert energy.shape == (batch,)


def test_averaged_weights_are_what_is_exported(digits, answers, inputs):
    image = tf.constant(inputs["energy"]["image"])
    plain = experiment.Experiment(identity.flags_of(digits))
    checkpoints.restore(plain.checkpoints, state_of(plain.algorithm))
    distance = np.abs(plain.algorithm.model.energy(image) - answers["energy.energy"]).max()
    assert distance > 1e-4 * np.abs(answers["energy.energy"]).max()


@pytest.mark.slow
def test_a_net_of_any_size_synthesizes_from_its_export(trained, saved_model):
    workdir = trained("texture", *TEXTURE)
    loaded = tf.saved_model.load(str(saved_model("texture", workdir) / "1"))
    seed, steps, size = random.root(1), tf.constant(3), tf.constant([30, 41])
    row = {"seed": seed[None], "num_steps": steps[None], "size": size[None]}
    ours = loaded.signatures["synthesize"](**row)["image"]
    theirs = restored(workdir).model.synthesize(1, seed, size, steps)
    assert ours.shape == (1, 30, 41, 1)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.slow
def test_classes_are_an_input_and_a_classifier_classifies(trained, saved_model):
    given = [flag for flag in DIGITS if "generative_convnet." not in flag]
    classifier = (
        "--algorithm=discriminative_convnet",
        "--nets=generative_convnet_digits",
        "--energy.outputs=10",
    )
    workdir = trained("classifier", *given, *classifier, "--discriminative_convnet.sample_steps=2")
    loaded = tf.saved_model.load(str(saved_model("classifier", workdir) / "1"))
    model = restored(workdir).model
    image = tf.constant(np.random.default_rng(0).uniform(-1, 1, (3, 8, 8, 1)), tf.float32)
    probability = loaded.signatures["classify"](image=image)["probability"].numpy()
    np.testing.assert_allclose(probability.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(probability, tf.nn.softmax(model.logits(image)), atol=1e-5)
    label = tf.constant([1, 5, 9])
    energy = loaded.signatures["energy"](image=image, label=label)["energy"]
    np.testing.assert_allclose(energy, model.energy(image, label), rtol=1e-5)
    with pytest.raises(tf.errors.InvalidArgumentError, match="label: expected classes from 0 to 9"):
        loaded.signatures["energy"](image=image, label=label + 1)
