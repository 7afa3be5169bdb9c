"""SavedModels of models with latents answer as the library does, with TensorFlow alone."""

from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf
from support import alone, latent_models, rows

from export.saved_model import archive, published
from tfgen.models import LatentModel
from trainers.run import checkpoints, experiment, identity
from trainers.run.state import state_of
from trainers.run.trained import restored

INFERRED = {"encode", "reconstruct", "interpolate", "complete", "uncertainty"}
REFINED = INFERRED | {"decode", "generate", "energy", "anomaly"}

ENDPOINTS = {
    "divergence_triangle": REFINED,
    "acd": REFINED,
    "texture": REFINED | {"synthesize"},
    "vae": INFERRED | {"decode", "generate"},
    "wake_sleep": INFERRED | {"decode", "generate"},
    "abp": INFERRED | {"decode", "generate"},
}

ASKED_BY_FILES = {
    *("complete", "reconstruct", "energy", "generate", "anomaly", "encode", "uncertainty"),
    "synthesize",
}
"""Those of these endpoints that take pictures and whole numbers alone."""


class Answered(NamedTuple):
    """A model, what its export was asked, and what that answered."""

    kind: str
    model: LatentModel
    loaded: tf.Module
    inputs: dict[str, dict[str, np.ndarray]]
    answers: dict[str, np.ndarray]


@pytest.fixture(scope="module", params=latent_models.every("divergence_triangle"))
def answered(request, tmp_path_factory):
    place = tmp_path_factory.mktemp(request.param)
    if request.param == "divergence_triangle":  # the run that other tests have exported
        model = restored(request.getfixturevalue("triangle")).model
        output = request.getfixturevalue("exported_triangle")
        path = output / "saved_model" / "divergence_triangle" / "1"
    else:
        model = latent_models.build(request.param, place / "run")
        path = archive.write(model, place / "model")
    given = latent_models.given(model)
    inputs = {
        name: rows.of(endpoint, given)
        for name, endpoint in published.endpoints(model).items()
        if not name.endswith("_png")
    }
    loaded = tf.saved_model.load(str(path))
    return Answered(request.param, model, loaded, inputs, alone.answers(path, inputs, place))


def test_a_process_with_tensorflow_alone_gets_what_the_library_answers_to_each_row(answered):
    """To rounding: 1e-5 of the answers' range, after a few steps of sampling at most."""
    for name, endpoint in answered.model.endpoints().items():
        expected = rows.alone(endpoint, answered.inputs[name])
        for output, value in expected.items():
            ours = answered.answers[f"{name}.{output}"]
            assert ours.shape == value.shape
            assert np.ptp(value) > 0.01
            np.testing.assert_allclose(ours, value, rtol=0, atol=1e-5 * np.ptp(value))


def test_the_endpoints_are_those_that_the_model_can_answer(answered):
    expected = ENDPOINTS[answered.kind]
    assert set(answered.inputs) == expected
    files = {f"{name}_png" for name in ASKED_BY_FILES & expected}
    others = {"describe", "serving_default"}
    assert set(answered.loaded.signatures) == expected | files | others


def test_sampling_steps_are_an_input_where_there_is_an_energy(answered):
    refined = {name for name, inputs in answered.inputs.items() if "num_steps" in inputs}
    several = {"generate", "complete", "uncertainty", "synthesize"} & ENDPOINTS[answered.kind]
    assert refined == (several if "energy" in ENDPOINTS[answered.kind] else set())


def test_known_pixels_stay_in_a_completion(answered):
    inputs = answered.inputs["complete"]
    known = np.broadcast_to(inputs["mask"] == 1, inputs["image"].shape)
    completed = answered.answers["complete.image"]
    assert np.array_equal(completed[known], inputs["image"][known])
    assert not np.isclose(completed[~known], inputs["image"][~known]).any()


def test_a_batch_may_be_of_any_size(answered):
    shape = answered.model.generator.latent_shape
    for batch in (1, 4):
        image = answered.loaded.signatures["decode"](latent=tf.zeros((batch, *shape)))["image"]
        assert image.shape == (batch, *answered.model.image_shape)


def test_only_what_endpoints_use_is_saved(answered):
    """Neither optimizers nor what training remembers of each image."""
    nets = answered.model.nets.values()
    used = sorted(tuple(weight.shape) for net in nets for weight in net.weights)
    assert sorted(tuple(variable.shape) for variable in answered.loaded.used) == used


@pytest.mark.parametrize("answered", ["texture"], indirect=True)
@pytest.mark.slow
def test_a_map_of_latents_synthesizes_images_of_any_size_from_its_export(answered):
    found = answered.answers["synthesize.image"]
    assert found.shape == (3, 40, 70, 1)
    expected = rows.alone(answered.model.endpoint("synthesize"), answered.inputs["synthesize"])
    np.testing.assert_allclose(found, expected["image"], atol=1e-5)


def test_the_command_exports_the_run_with_its_averaged_weights(triangle, exported_triangle):
    latent = tf.constant(np.random.default_rng(0).standard_normal((3, 16)), tf.float32)
    version = exported_triangle / "saved_model" / "divergence_triangle" / "1"
    found = tf.saved_model.load(str(version)).signatures["decode"](latent=latent)["image"]
    theirs = restored(triangle).model.decode(latent)
    np.testing.assert_allclose(found, theirs, atol=1e-6)
    plain = experiment.Experiment(identity.flags_of(triangle))
    checkpoints.restore(plain.checkpoints, state_of(plain.algorithm))
    assert np.abs(plain.algorithm.model.decode(latent) - found).max() > 1e-3
