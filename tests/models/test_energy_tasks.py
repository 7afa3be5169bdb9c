"""What a trained energy is used for, on energies whose answers are known."""

import numpy as np
import pytest
import tensorflow as tf

from tfgen import energies, random
from tfgen.models import EnergyTasks, cut
from tfgen.samplers import Langevin

SHAPE, SIGMA, MEAN = (4, 4, 1), 0.2, np.float32([0.1])
SHIFT = 0.5


def tasks(step_size=0.1, temperature=1.0, **options):
    """A linear score: the density is N(mean + sigma * shift, sigma² 1) exactly."""

    def score(y):
        return -SHIFT * tf.reduce_sum(y, axis=[1, 2, 3])

    def density(label):
        del label
        return energies.tilted(score, SIGMA, MEAN)

    return EnergyTasks(density, Langevin(step_size, temperature), SHAPE, SIGMA, MEAN, **options)


CENTRE = 0.1 + SIGMA * SHIFT
SEED = random.root(0)


def test_reconstructions_are_the_means_of_the_gaussian():
    x = random.normal([3, *SHAPE], SEED)
    np.testing.assert_allclose(tasks().reconstruct(x), np.full((3, *SHAPE), CENTRE), atol=1e-5)


def test_energies_are_those_of_the_density():
    x = random.normal([3, *SHAPE], SEED)
    np.testing.assert_array_equal(
        tasks().energy(x),
        energies.tilted(lambda y: -SHIFT * tf.reduce_sum(y, axis=[1, 2, 3]), SIGMA, MEAN)(x),
    )


def test_samples_follow_the_density():
    """16,000 pixels: mean and variance within 5 standard errors (fails at 1e-6), Langevin's known bias included."""
    x = tasks().generate(1000, SEED, 60).numpy()
    variance = SIGMA**2 / (1 - 0.1**2 / (4 * SIGMA**2))
    assert abs(x.mean() - CENTRE) < 5 * np.sqrt(variance / x.size)
    assert abs(x.var() - variance) < 5 * variance * np.sqrt(2 / x.size)


def test_denoising_steps_end_at_the_mode():
    x = tasks(denoising_steps=200).generate(3, SEED, 5)
    np.testing.assert_allclose(x, np.full((3, *SHAPE), CENTRE), atol=1e-4)


def test_samples_are_in_range():
    assert np.abs(tasks(step_size=2.0).generate(50, SEED, 3)).max() == 1.0


def test_without_steps_samples_are_the_reference():
    """16,000 pixels at 5 standard errors: fails at 1e-6."""
    x = tasks().generate(1000, SEED, 0).numpy()
    assert abs(x.mean() - 0.1) < 5 * SIGMA / np.sqrt(x.size)
    assert abs(x.std() / SIGMA - 1) < 5 / np.sqrt(2 * x.size)


def test_completion_keeps_the_known_pixels_and_samples_the_others():
    """The known ones bit for bit; 8,000 missing ones at 5 standard errors."""
    image = tf.tanh(random.normal([1000, *SHAPE], random.root(1)))
    mask = tf.concat([tf.ones([1000, 2, 4, 1]), tf.zeros([1000, 2, 4, 1])], axis=1)
    x = tasks().complete(image, mask, SEED, 60).numpy()
    np.testing.assert_array_equal(x[:, :2], image[:, :2])
    assert abs(x[:, 2:].mean() - CENTRE) < 5 * 1.05 * SIGMA / np.sqrt(x[:, 2:].size)
    assert x[:, 2:].std() == pytest.approx(SIGMA, rel=0.1)


def test_completion_does_not_look_at_missing_pixels():
    mask = tf.cast(random.uniform([5, 4, 4, 1], SEED) < 0.5, tf.float32)
    image = tf.tanh(random.normal([5, *SHAPE], random.root(1)))
    completed = [tasks().complete(mask * image + (1 - mask) * f, mask, SEED, 5) for f in (0.0, 0.9)]
    np.testing.assert_array_equal(*completed)


def test_known_pixels_outside_the_range_stay_as_they_are():
    mask = tf.ones([1, 4, 4, 1])
    image = tf.fill([1, *SHAPE], 3.0)
    np.testing.assert_array_equal(tasks().complete(image, mask, SEED, 3), image)


@pytest.mark.parametrize("margin", [0, 3])
def test_synthesis_has_the_size_asked_for_whatever_the_margin(margin):
    x = tasks(any_size=True, margin=margin).synthesize(2, SEED, 3, tf.constant([9, 5]))
    assert x.shape == (2, 9, 5, 1)


def test_a_sample_is_as_large_as_a_training_image_without_its_margin():
    assert tasks(margin=1).generate(2, SEED, 3).shape == (2, SHAPE[0] - 2, SHAPE[1] - 2, SHAPE[2])


def test_cutting_a_margin_leaves_the_middle():
    x = tf.reshape(tf.range(25.0), [1, 5, 5, 1])
    np.testing.assert_array_equal(cut(x, 2)[0, :, :, 0], [[12.0]])
    assert cut(x, 0) is x


def test_the_same_seed_gives_the_same_sample_and_another_does_not():
    samples = [tasks().generate(2, random.root(s), 3).numpy() for s in (0, 0, 1)]
    np.testing.assert_array_equal(samples[0], samples[1])
    assert not np.array_equal(samples[0], samples[2])


@pytest.mark.parametrize(
    ("options", "names", "labelled"),
    [
        ({}, {"energy", "anomaly", "reconstruct", "generate", "complete"}, False),
        (
            {"any_size": True},
            {"energy", "anomaly", "reconstruct", "generate", "complete", "synthesize"},
            False,
        ),
        (
            {"num_classes": 3, "any_size": True},
            {"energy", "anomaly", "reconstruct", "generate", "complete"},
            True,
        ),
    ],
)
def test_endpoints_are_those_that_the_model_can_answer(options, names, labelled):
    endpoints = tasks(**options).endpoints()
    assert set(endpoints) == names
    for endpoint in endpoints.values():
        assert (endpoint.signature[-1].name == "label") == labelled


def test_endpoints_trace_with_their_own_signatures():
    for name, endpoint in tasks(any_size=True).endpoints().items():
        traced = tf.function(endpoint.fn, autograph=False).get_concrete_function(
            *endpoint.signature
        )
        wanted = {"energy": {"energy"}, "anomaly": {"energy", "steepness"}}
        assert set(traced.structured_outputs) == wanted.get(name, {"image"})
