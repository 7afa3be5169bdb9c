"""The tasks of a model with an energy, on energies whose answers are known."""

import numpy as np
import pytest
import tensorflow as tf

from tfgen import energies, random
from tfgen.errors import UserError
from tfgen.models import EnergyModel, Sampling, without_margin
from tfgen.nets.architectures.roles import EnergyNet
from tfgen.samplers import MALA, Langevin

SHAPE, SIGMA, MEAN = (4, 4, 1), 0.2, np.float32([0.1])
SHIFT = 0.5


class Linear(EnergyNet):
    """A linear score: the density is N(mean + sigma * shift, sigma² 1) exactly."""

    def __init__(self, any_size, num_outputs):
        super().__init__(SHAPE, any_size, num_outputs)
        self.built = True

    def call(self, y, training=False):
        score = -SHIFT * tf.reduce_sum(y, axis=[1, 2, 3])
        return score if self.num_outputs == 1 else tf.repeat(score[:, None], self.num_outputs, 1)


def tasks(step_size=0.1, temperature=1.0, any_size=False, num_classes=1, kernel=None, **options):
    """Returns a model of the linear score."""
    steps = {name: options.pop(name) for name in ("steps", "denoising_steps") if name in options}
    return EnergyModel(
        Linear(any_size or options.get("margin", 0) > 0, num_classes),
        image_shape=SHAPE,
        image_mean=MEAN,
        sigma=SIGMA,
        sampling=Sampling(kernel or Langevin(step_size, temperature), **steps),
        **options,
    )


CENTRE = 0.1 + SIGMA * SHIFT
SEED = random.root(0)


def test_reconstructions_are_the_means_of_the_gaussian():
    x = random.normal([3, *SHAPE], SEED)
    np.testing.assert_allclose(tasks().reconstruct(x), np.full((3, *SHAPE), CENTRE), atol=1e-5)


def test_energies_are_those_of_the_density():
    x = random.normal([3, *SHAPE], SEED)
    expected = energies.tilted(lambda y: -SHIFT * tf.reduce_sum(y, axis=[1, 2, 3]), SIGMA, MEAN)(x)
    np.testing.assert_allclose(tasks().energy(x), expected, rtol=1e-6)


def test_samples_follow_the_density():
    """Mean and variance of 16,000 pixels are within 5 standard errors.

    This fails with a probability of 1e-6. Langevin's known bias is counted in.
    """
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
    """16,000 pixels are compared at 5 standard errors, which fails with a probability of 1e-6."""
    x = tasks().generate(1000, SEED, 0).numpy()
    assert abs(x.mean() - 0.1) < 5 * SIGMA / np.sqrt(x.size)
    assert abs(x.std() / SIGMA - 1) < 5 / np.sqrt(2 * x.size)


def test_completion_keeps_the_known_pixels_and_samples_the_others():
    """Known pixels stay bit for bit; 8,000 missing ones are compared at 5 standard errors."""
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


@pytest.mark.parametrize("margin", [0, 1])
def test_synthesis_has_the_size_asked_for_whatever_the_margin(margin):
    x = tasks(any_size=True, margin=margin).synthesize(2, SEED, [9, 5], 3)
    assert x.shape == (2, 9, 5, 1)


def test_a_sample_is_as_large_as_a_training_image_without_its_margin():
    assert tasks(margin=1).generate(2, SEED, 3).shape == (2, SHAPE[0] - 2, SHAPE[1] - 2, SHAPE[2])


def test_cutting_a_margin_leaves_the_middle():
    x = tf.reshape(tf.range(25.0), [1, 5, 5, 1])
    np.testing.assert_array_equal(without_margin(x, 2)[0, :, :, 0], [[12.0]])
    assert without_margin(x, 0) is x


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
        assert (endpoint.input_names[-1] == "label") == labelled


def test_endpoints_declare_their_outputs_and_synthesis_traces():
    """That the others trace is asked in tests/conformance/test_every_endpoint_traces.py."""
    endpoints = tasks(any_size=True).endpoints()
    wanted = {"energy": ("energy",), "anomaly": ("energy", "steepness")}
    for name, endpoint in endpoints.items():
        assert endpoint.outputs == wanted.get(name, ("image",))
    synthesize = endpoints["synthesize"]
    specs = {known.name: known.spec for known in synthesize.inputs}
    traced = tf.function(synthesize.fn, autograph=False).get_concrete_function(**specs)
    assert set(traced.structured_outputs) == {"image"}


# calls by a user


def test_a_user_gives_arrays_a_whole_number_and_no_steps():
    """The model takes its own number of steps, and the root of the seed."""
    model = tasks(steps=3)
    image = np.zeros((2, *SHAPE), np.float32)
    mask = np.ones((2, 4, 4, 1))
    mask[:, :2] = 0
    expected = model.complete(tf.constant(image), tf.constant(mask, tf.float32), random.root(7), 3)
    np.testing.assert_array_equal(model.complete(image, mask, seed=7), expected)


def test_steps_of_zero_are_no_steps():
    """0 is a number, and does not stand for the model's own."""
    model = tasks(steps=3)
    none, own = model.generate(2, seed=0, num_steps=0), model.generate(2, seed=0)
    assert not np.array_equal(none, own)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"mask": np.full((2, 4, 4, 1), 255)}, "mask: expected 0 where a pixel is missing"),
        ({"mask": np.zeros((2, 3, 4, 1))}, "mask: expected the shape [any, 4, 4, 1]"),
        ({"image": np.full((2, *SHAPE), np.nan)}, "image: expected finite numbers"),
        ({"num_steps": -1}, "num_steps: expected numbers that are not negative"),
        ({"image": "no picture"}, "image: expected images in [-1, 1]"),
        ({"label": [0, 1]}, "label: expected none, since this model takes no label"),
    ],
)
def test_what_a_task_cannot_take_is_said_in_a_sentence(given, words):
    fit = {"image": np.zeros((2, *SHAPE)), "mask": np.zeros((2, 4, 4, 1)), "seed": 0}
    with pytest.raises(UserError) as caught:
        tasks().complete(**(fit | given))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "options", [{"num_chains": 2, "num_classes": 3}, {"start_from_chains": True}]
)
def test_chains_that_some_class_has_none_of_are_refused(options):
    with pytest.raises(UserError, match="chains: expected at least"):
        tasks(**options)


# the density that measurements see


def test_a_target_at_another_temperature_is_the_energy_over_it():
    """U / T tilts white noise of T times the variance to N(mean + sigma shift, T sigma² 1)."""
    model = tasks(temperature=0.25)
    target, x = model.target(), random.normal([3, *SHAPE], SEED)
    np.testing.assert_allclose(target.energy(x), 4 * model.energy(x), rtol=1e-6)
    assert target.distribution.sigma == pytest.approx(SIGMA / 2)
    assert target.distribution.bounds is None


def test_a_target_in_a_box_has_a_reference_in_the_box():
    model = tasks(kernel=MALA(0.1, bounds=(-1.0, 1.0)))
    assert model.target().distribution.bounds == (-1.0, 1.0)
    draws = model.target().distribution.sample((1000, *SHAPE), SEED)
    assert np.abs(draws).max() <= 1


def test_without_temperature_there_is_no_density():
    with pytest.raises(UserError, match="temperature: expected a positive one"):
        tasks(temperature=0.0).target()


def test_chains_start_where_samples_start_unless_training_left_some():
    start = tasks().chain_starts(500, SEED).numpy()
    assert abs(start.mean() - 0.1) < 5 * SIGMA / np.sqrt(start.size)
    model = tasks(num_chains=3)
    model.persistent_chains.state.assign(tf.reshape(tf.range(48.0), (3, *SHAPE)))
    kept = model.persistent_chains.state.numpy()
    np.testing.assert_array_equal(model.chain_starts(5, SEED), kept[[0, 1, 2, 0, 1]])
