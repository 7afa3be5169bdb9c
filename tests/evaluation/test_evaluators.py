"""Each measurement runs on a tiny model, and measures what it claims to."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgen.algorithms.dcgan import DCGAN
from tfgen.algorithms.generative_convnet import GenerativeConvNet
from tfgen.data.examples import Examples, Images
from tfgen.errors import UserError
from tfgen.evaluation import (
    accuracy,
    completion,
    local_modes,
    reconstruction,
    recovery,
    sliced_wasserstein,
    texture_statistics,
)
from tfgen.models import Model, inputs, task
from tfgen.nets.families import (
    dcgan_digits,
    generative_convnet_digits,
    generative_convnet_texture,
)

SHAPE = (8, 8, 1)


def pictures(count, shape=SHAPE, classes=2, seed=0):
    """Random images with labels."""
    rng = np.random.default_rng(seed)
    return Examples(
        np.tanh(rng.normal(size=(count, *shape))).astype(np.float32),
        rng.integers(0, classes, count),
    )


DATA = Images(pictures(20), pictures(10, seed=1), SHAPE, 20)


def model(outputs=1, scale=1.0, sigma=0.5):
    """A tiny generative ConvNet."""
    keras.utils.set_random_seed(0)
    net = generative_convnet_digits.energy(SHAPE, width=0.1, outputs=outputs)
    for weight in net.weights:
        weight.assign(scale * weight.value)
    algorithm = GenerativeConvNet(
        net,
        image_shape=SHAPE,
        image_mean=[0.1],
        sigma=sigma,
        chains=4,
        step_size=0.1,
        sample_steps=3,
    )
    return algorithm.model


@pytest.mark.parametrize("outputs", [1, 2])
def test_completion_measures_its_error_and_the_mean_images(outputs):
    found = dict(completion.Completion(model(outputs), DATA, num_completions=3).run())
    assert set(found) == {"error", "error_of_mean", "mean_image"}
    expected = np.abs(DATA.train.as_float().mean(axis=0) - DATA.test.as_float())[:, 4:].mean() / 2
    assert found["mean_image"] == pytest.approx(expected, rel=1e-5)
    assert 0 < found["error_of_mean"] <= found["error"] <= 1


def test_a_reconstruction_of_a_net_of_weight_zero_is_the_mean():
    """B = 0 in units of sigma: the error is the distance to the reference's mean."""
    found = dict(reconstruction.Reconstruction(model(scale=0.0), DATA).run())
    for split in ("train", "test"):
        image = getattr(DATA, split).as_float()
        assert found[f"{split}_mse"] == pytest.approx(np.mean((image - 0.1) ** 2), rel=1e-4)
        assert found[f"{split}_mse_unit"] == pytest.approx(found[f"{split}_mse"] / 4)
        relative = np.linalg.norm(image - 0.1) / np.linalg.norm(image)
        assert found[f"{split}_relative_error"] == pytest.approx(relative, rel=1e-4)


def test_the_only_mode_of_a_net_of_weight_zero_is_the_mean():
    found = dict(local_modes.LocalModes(model(scale=0.0), DATA).run())
    assert found == {
        "converged": 1.0,
        "relative_error": pytest.approx(0, abs=1e-4),
        "memories": 1.0,
    }


def test_modes_that_are_apart_are_counted_apart():
    modes = np.stack([np.full(SHAPE, v, np.float32) for v in (1.0, 1.001, -1.0, 2.0)])
    assert local_modes.count_different(modes) == 3


def test_local_modes_of_class_conditional_models_are_refused():
    with pytest.raises(UserError, match="one energy"):
        list(local_modes.LocalModes(model(2), DATA).run())


def test_accuracy_yields_shares_and_the_gap_between_the_bounds_of_log_z():
    found = dict(accuracy.Accuracy(model(2), DATA, chains=4, temperatures=5).run())
    assert found.pop("log_z_gap") >= 0
    assert set(found) == {"accuracy", "accuracy_upward", "accuracy_fitted", "accuracy_unbiased"}
    assert all(0 <= value <= 1 for value in found.values())


def test_accuracy_of_a_model_of_one_energy_is_refused():
    with pytest.raises(UserError, match="an energy for each class"):
        list(accuracy.Accuracy(model(), DATA).run())


def test_fitted_biases_undo_what_was_taken_from_the_scores():
    """Scores of a logistic model less known constants: the fit finds these, but for a common one.

    20,000 labels: a bias's standard error is about 0.03, so 0.15 is five of it.
    """
    rng = np.random.default_rng(0)
    scores, taken = rng.normal(size=(20_000, 3)), np.array([3.0, -1.0, 0.5])
    label = (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)
    found = accuracy.fitted_biases(scores - taken, label)
    np.testing.assert_allclose(found - found.mean(), taken - taken.mean(), atol=0.15)


@pytest.fixture
def texture():
    """A tiny texture model, and a texture."""
    keras.utils.set_random_seed(0)
    shape = (32, 32, 1)
    net = generative_convnet_texture.energy(shape, width=0.05)
    algorithm = GenerativeConvNet(
        net, image_shape=shape, image_mean=[0.0], sigma=0.5, chains=2, sample_steps=2
    )
    data = Images(pictures(1, (64, 64, 1)), pictures(1, (64, 32, 1), seed=1), shape, 1)
    return algorithm.model, data


@pytest.mark.parametrize("source", ["chains", "generate"])
def test_sliced_wasserstein_measures_samples_and_all_yardsticks(texture, source):
    measure = sliced_wasserstein.SlicedWasserstein(
        *texture, source=source, num_samples=2, patches=200, projections=8
    )
    found = dict(measure.run())
    for name in ("samples", "training_crops", "second_crop", "phase_noise"):
        levels = [value for key, value in found.items() if key.startswith(f"{name}_level")]
        assert found[name] == pytest.approx(np.mean(levels))
    assert found["training_crops"] < found["samples"]
    assert found["second_crop"] < found["samples"]


def test_texture_statistics_of_an_untrained_model_are_far_from_those_of_crops(texture):
    measure = texture_statistics.TextureStatistics(
        *texture, source="generate", num_samples=2, scales=2
    )
    found = dict(measure.run())
    assert found["training_crops"] < found["samples"]
    assert found["second_crop"] < found["samples"]
    assert found["samples_chroma"] == pytest.approx(0, abs=1e-6)  # grey
    groups = [found[f"samples_{name}"] for name in ("pixels", "spectrum", "edges")]
    assert min(groups) > 0
    assert measure.protocol()["num_steps"] == 2


def test_an_unknown_source_of_samples_is_refused(texture):
    with pytest.raises(UserError, match="expected chains or generate and found data"):
        list(sliced_wasserstein.SlicedWasserstein(*texture, source="data").run())


def test_measurements_repeat_themselves_with_their_seed():
    runs = [dict(completion.Completion(model(), DATA, seed=s).run()) for s in (0, 0, 1)]
    assert runs[0] == runs[1]
    assert runs[0]["error"] != runs[2]["error"]


def test_the_protocol_is_what_another_run_must_share():
    protocol = completion.Completion(model(), DATA, seed=3).protocol()
    assert protocol["seed"] == 3
    assert protocol["mask"] == "half:bottom"
    assert "version" in protocol
    assert protocol["num_steps"] == 3  # the model's own
    assert not {"model", "images", "jit"} & set(protocol)


def test_labels_are_given_to_conditional_reconstructions():
    found = dict(reconstruction.Reconstruction(model(2, scale=2.0), DATA).run())
    x = tf.constant(DATA.test.as_float())
    error = x - model(2, scale=2.0).reconstruct(x, DATA.test.label)
    assert found["test_mse"] == pytest.approx(float(tf.reduce_mean(error**2)), rel=1e-4)


@pytest.mark.parametrize(
    ("cls", "trained", "found", "words"),
    [
        (recovery.Recovery, lambda: model(), "found whole ones", ["--missing"]),
        (completion.Completion, lambda: Halving(), "task complete", ["completion", "reconstruct"]),
        (reconstruction.Reconstruction, lambda: adversarial(), "task reconstruct", ["decode"]),
    ],
)
def test_what_a_measurement_needs_is_said_before_anything_is_measured(cls, trained, found, words):
    with pytest.raises(UserError, match=found) as caught:
        cls(trained(), DATA)
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


class Halving(Model):
    """Reconstructs alone."""

    def __init__(self):
        super().__init__({}, image_shape=SHAPE)

    def inputs(self):
        return {"image": inputs.image(SHAPE)}

    @task("image")
    def reconstruct(self, image):
        """Halves images."""
        return image / 2


def adversarial():
    """A generator that nothing infers latents for."""
    nets = [
        getattr(dcgan_digits, role)(SHAPE, width=0.1) for role in ("discriminator", "generator")
    ]
    return DCGAN(*nets, image_shape=SHAPE).model
