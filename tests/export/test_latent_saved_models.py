"""SavedModels of models with latent vectors answer as the library does, in a process that knows TensorFlow alone."""

from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf
from support import alone, latent_models, rows

from export.saved_model import archive, png, serving
from tfgen.training.algorithm import Algorithm
from trainers.run import checkpoints, experiment

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


class Answered(NamedTuple):
    """A model, what its export was asked, and what that answered."""

    kind: str
    algorithm: Algorithm
    model: tf.Module
    inputs: dict[str, dict[str, np.ndarray]]
    answers: dict[str, np.ndarray]


@pytest.fixture(scope="module", params=latent_models.every("divergence_triangle"))
def answered(request, tmp_path_factory):
    place = tmp_path_factory.mktemp(request.param)
    algorithm = latent_models.build(request.param, place / "run")
    path = archive.write(algorithm, place / "model")
    given = latent_models.given(algorithm)
    inputs = {
        name: rows.of(e, given)
        for name, e in serving.endpoints(algorithm).items()
        if "_png" not in name
    }
    model = tf.saved_model.load(str(path))
    return Answered(request.param, algorithm, model, inputs, alone.answers(path, inputs, place))


def test_a_process_with_tensorflow_alone_gets_what_the_library_answers_to_each_row(answered):
    """To rounding: 1e-5 of the range of what is answered, after a few steps of sampling at most."""
    for name, endpoint in answered.algorithm.endpoints().items():
        expected = rows.alone(endpoint, answered.inputs[name])
        for output, value in expected.items():
            ours = answered.answers[f"{name}.{output}"]
            assert ours.shape == value.shape
            assert np.ptp(value) > 0.01
            np.testing.assert_allclose(ours, value, rtol=0, atol=1e-5 * np.ptp(value))


def test_the_endpoints_are_those_that_the_model_can_answer(answered):
    assert set(answered.inputs) == ENDPOINTS[answered.kind]
    pictures = {f"{name}_png" for name in png.NAMES if name in ENDPOINTS[answered.kind]}
    assert set(answered.model.signatures) == ENDPOINTS[answered.kind] | pictures | {
        "serving_default"
    }


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
    shape = answered.algorithm.generator.latent_shape
    for batch in (1, 4):
        image = answered.model.signatures["decode"](latent=tf.zeros((batch, *shape)))["image"]
        assert image.shape == (batch, *answered.algorithm.image_shape)


def test_only_what_endpoints_use_is_saved(answered):
    """Neither optimizers nor what training remembers of each image."""
    roles = [
        role for role in ("energy", "generator", "inference") if hasattr(answered.algorithm, role)
    ]
    used = sorted(
        tuple(w.shape) for role in roles for w in getattr(answered.algorithm, role).weights
    )
    assert sorted(tuple(v.shape) for v in answered.model.used) == used


@pytest.mark.slow
def test_a_map_of_latents_synthesizes_images_of_any_size_from_its_export(tmp_path):
    algorithm = latent_models.build("texture", tmp_path / "run")
    endpoint = algorithm.endpoints()["synthesize"]
    only = SimpleNamespace(
        endpoints=lambda: {"synthesize": endpoint}, image_shape=algorithm.image_shape
    )
    path = archive.write(only, tmp_path / "model")
    inputs = rows.of(serving.endpoints(only)["synthesize"], latent_models.given(algorithm))
    found = tf.saved_model.load(str(path)).signatures["synthesize"](
        **{n: tf.constant(v) for n, v in inputs.items()}
    )
    assert found["image"].shape == (3, 40, 70, 1)
    np.testing.assert_allclose(found["image"], rows.alone(endpoint, inputs)["image"], atol=1e-5)


def test_the_command_exports_the_run_with_its_averaged_weights(triangle, exported_triangle):
    latent = tf.constant(np.random.default_rng(0).standard_normal((3, 16)), tf.float32)
    model = tf.saved_model.load(
        str(exported_triangle / "saved_model" / "divergence_triangle" / "1")
    )
    found = model.signatures["decode"](latent=latent)["image"]
    np.testing.assert_allclose(
        found, experiment.restored(triangle).algorithm.tasks.decode(latent), atol=1e-6
    )
    plain = experiment.Experiment(experiment.read(triangle))
    checkpoints.restore(plain.checkpoints, plain.state)
    assert np.abs(plain.algorithm.tasks.decode(latent) - found).max() > 1e-3
