"""The tasks of a model with a generator, on nets whose answers are known."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf
from support.linear_models import (
    BIAS,
    SHAPE,
    WEIGHT,
    Gaussian,
    Linear,
    Quadratic,
    Tiles,
    close_to_gaussian,
    compiled,
    stationary,
)

from tfgen import random
from tfgen.errors import UserError
from tfgen.models import LatentModel, Sampling
from tfgen.models.interpolation import lerp, slerp
from tfgen.samplers import Langevin

SEED = random.root(0)
STEP = 0.1
MEAN = np.float32([0.1, -0.2, 0.0, 0.1, 0.2, -0.1])
PRECISION = (25 * np.eye(6) + 8 * np.eye(6, k=1) + 8 * np.eye(6, k=-1)).astype(np.float32)
"""The density that images are refined under: neighbours in reading order depend on each other."""


def tasks(deviation=0.5, refined=False, **options):
    """Returns a model of the linear generator and a linear inference net."""
    energy = Quadratic(MEAN, PRECISION) if refined else None
    sampling = Sampling(Langevin(STEP)) if refined else None
    nets = Linear(), Gaussian(deviation), energy
    return LatentModel(*nets, image_shape=SHAPE, sampling=sampling, **options)


def images(count):
    return 0.5 * tf.tanh(random.normal([count, *SHAPE], random.root(1)))


def some_known(count):
    return tf.tile(tf.reshape(tf.constant([1.0, 0, 1, 0, 0, 1]), [1, *SHAPE]), [count, 1, 1, 1])


# the ways between two latents

two_latents = hypothesis.given(
    st.integers(0, 10**6), st.sampled_from([(2,), (16,), (2, 3, 4)]), st.floats(0, 1)
)


def pair(seed, shape):
    return (random.normal([3, *shape], random.fold_in(random.root(seed), i)) for i in range(2))


@hypothesis.settings(deadline=None, max_examples=30)
@two_latents
@pytest.mark.parametrize("way", [lerp, slerp])
def test_a_way_starts_and_ends_at_its_ends(way, seed, shape, position):
    """It does to rounding."""
    first, second = pair(seed, shape)
    for t, end in ((0.0, first), (1.0, second)):
        np.testing.assert_allclose(way(first, second, tf.fill([3], t)), end, rtol=1e-5, atol=1e-6)


@hypothesis.settings(deadline=None, max_examples=30)
@two_latents
def test_the_great_circle_keeps_the_length_and_goes_at_a_constant_speed(seed, shape, position):
    """The tolerance is float32's rounding, divided by the sine of the angle."""
    first, second = (
        z / tf.norm(tf.reshape(z, [3, -1]), axis=1)[(..., *[None] * len(shape))]
        for z in pair(seed, shape)
    )
    way = slerp(first, second, tf.fill([3], position)).numpy().reshape(3, -1).astype(np.float64)
    a, b = (z.numpy().reshape(3, -1).astype(np.float64) for z in (first, second))
    angle = 2 * np.arctan2(np.linalg.norm(a - b, axis=1), np.linalg.norm(a + b, axis=1))
    hypothesis.assume(np.all((angle > 0.05) & (angle < np.pi - 0.05)))
    np.testing.assert_allclose(np.linalg.norm(way, axis=1), 1, atol=1e-4)
    gone = 2 * np.arctan2(np.linalg.norm(a - way, axis=1), np.linalg.norm(a + way, axis=1))
    np.testing.assert_allclose(gone, position * angle, atol=1e-4)


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_between_parallel_latents_the_great_circle_is_the_straight_way(factor):
    z = random.normal([3, 16], SEED)
    position = tf.constant([0.0, 0.3, 1.0])
    np.testing.assert_allclose(
        slerp(z, factor * z, position), lerp(z, factor * z, position), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("second", [-1.0, 0.0])
def test_the_great_circle_is_finite_between_opposite_latents_and_at_zero(second):
    z = random.normal([3, 16], SEED)
    assert np.all(np.isfinite(slerp(z, second * z, tf.constant([0.0, 0.5, 1.0]))))
    assert np.all(np.isfinite(slerp(0 * z, 0 * z, tf.constant([0.0, 0.5, 1.0]))))


def test_the_straight_way_is_straight():
    first, second = pair(0, (4,))
    found = lerp(first, second, tf.constant([0.25, 0.5, 0.75]))
    weight = np.float32([[0.25], [0.5], [0.75]])
    np.testing.assert_allclose(found, (1 - weight) * first + weight * second, rtol=1e-5)


@pytest.mark.parametrize("spherical", [False, True])
def test_images_between_two_are_decoded_from_the_way_between_their_latents(spherical):
    first, second, t = images(3), -images(3), tf.constant([0.1, 0.5, 0.9])
    task = tasks()
    found = task.interpolate(first, second, t, tf.constant(spherical))
    way = (slerp if spherical else lerp)(task.encode(first), task.encode(second), t)
    np.testing.assert_allclose(found, task.decode(way), rtol=1e-6)
    ends = task.interpolate(first, second, tf.constant([0.0, 0.0, 1.0]), tf.constant(spherical))
    np.testing.assert_allclose(ends[0], task.reconstruct(first)[0], atol=1e-5)
    np.testing.assert_allclose(ends[2], task.reconstruct(second)[2], atol=1e-5)


# completion


@pytest.mark.parametrize("refined", [False, True])
def test_known_pixels_stay_as_they_are_and_the_others_are_in_range(refined):
    image, mask = 3 * images(50), some_known(50)  # known ones may be out of range
    x = tasks(5.0, refined).complete(image, mask, SEED, 3 if refined else None).numpy()
    known = mask.numpy() == 1
    np.testing.assert_array_equal(x[known], image.numpy()[known])
    assert np.abs(x[~known]).max() <= 1


@pytest.mark.parametrize("refined", [False, True])
def test_a_completion_does_not_look_at_missing_pixels(refined):
    mask = some_known(3)
    given = [mask * images(3) + (1 - mask) * missing for missing in (0.0, 0.9)]
    model, steps = tasks(refined=refined), 3 if refined else None
    np.testing.assert_array_equal(*(model.complete(x, mask, SEED, steps) for x in given))


def test_another_seed_completes_otherwise_where_the_posterior_has_variance():
    first, again, other = (
        tasks().complete(images(3), some_known(3), random.root(s)) for s in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    missing = some_known(3).numpy() == 0
    assert np.all(first.numpy()[missing] != other.numpy()[missing])
    sure = [tasks(1e-20).complete(images(3), some_known(3), random.root(s)) for s in (0, 1)]
    np.testing.assert_array_equal(*sure)


def test_each_round_sees_the_image_as_the_last_one_left_it():
    net = Gaussian(1e-20)
    image, mask = images(2), some_known(2)
    model = LatentModel(Linear(), net, image_shape=SHAPE, completion_rounds=3)
    found = model.complete.__func__.method(
        model, image, mask, SEED
    )  # eagerly: the net keeps values
    assert len(net.seen) == 3
    expected = mask * image
    for seen in [*net.seen, found]:
        np.testing.assert_allclose(seen, expected, atol=1e-6)
        mean, _ = Gaussian()(expected, training=False)
        expected = mask * image + (1 - mask) * Linear()(mean, training=False)


def test_the_posterior_is_told_which_pixels_are_known():
    """One round gives the analytic conditional mean.

    Langevin dynamics on z looks at known pixels alone, so that one round is enough.
    """
    inferring = Sampling(Langevin(0.3, temperature=0.0), 400)
    image, mask = images(1), some_known(1)
    options = {"sigma": 0.3, "inference_sampling": inferring, "completion_rounds": 1}
    task = LatentModel(Linear(), image_shape=SHAPE, **options)
    found = compiled(task.complete)(image, mask, SEED).numpy().ravel()
    known = WEIGHT * mask.numpy().ravel()
    z = np.linalg.solve(0.09 * np.eye(2) + known @ WEIGHT.T, known @ (image.numpy().ravel() - BIAS))
    missing = mask.numpy().ravel() == 0
    np.testing.assert_allclose(found[missing], (z @ WEIGHT + BIAS)[missing], atol=1e-5)


def test_refinement_samples_missing_pixels_given_the_known_ones():
    """Refined pixels follow the Gaussian's conditional, with Langevin's known bias.

    4,000 images give 3 means and 6 covariances, which fail at 5 standard errors with a probability
    of 5e-6 in all. The least of its precisions, 17, forgets a start by a factor of 0.915 a step: to
    3e-5 after 120.
    """
    image, known = images(1), some_known(1).numpy().ravel() == 1
    given = tf.tile(image, [4000, 1, 1, 1])
    x = (
        compiled(tasks(refined=True).complete)(given, some_known(4000), SEED, 120)
        .numpy()
        .reshape(-1, 6)
    )
    precision = PRECISION.astype(np.float64)
    inner = precision[np.ix_(~known, ~known)]
    pull = precision[np.ix_(~known, known)] @ (image.numpy().ravel() - MEAN)[known]
    close_to_gaussian(
        x[:, ~known], MEAN[~known] - np.linalg.solve(inner, pull), stationary(inner, STEP)
    )


# uncertainty


@pytest.mark.parametrize("refined", [False, True])
def test_the_spread_is_zero_where_pixels_are_known_and_positive_elsewhere(refined):
    """It is exactly zero, though the mean of nine equal numbers may differ by rounding."""
    image, mask = images(4), some_known(4)
    steps = 3 if refined else None
    mean, spread = tasks(refined=refined).uncertainty(image, mask, SEED, 9, steps)
    known = mask.numpy() == 1
    assert np.all(spread.numpy()[known] == 0)
    assert np.all(spread.numpy()[~known] > 0)
    np.testing.assert_array_equal(mean.numpy()[known], image.numpy()[known])


def test_mean_and_spread_are_those_of_the_completions():
    """Pixel i of a completion is N(g(A x), s² |w_i|²).

    There is one round of z ~ N(A x, s²). 4,000 completions are compared at 5 standard errors, with
    a probability of 6e-7 for each of 12 comparisons.
    """
    image, mask = images(2), some_known(2)
    task = tasks(0.3, completion_rounds=1)
    mean, spread = task.uncertainty(image, mask, SEED, tf.constant(4000))
    missing = mask.numpy().reshape(2, 6) == 0
    expected = task.reconstruct(mask * image).numpy().reshape(2, 6)[missing]
    deviation = np.tile(0.3 * np.linalg.norm(WEIGHT, axis=0), [2, 1])[missing]
    assert np.all(
        np.abs(mean.numpy().reshape(2, 6)[missing] - expected) < 5 * deviation / np.sqrt(4000)
    )
    assert np.all(
        np.abs(spread.numpy().reshape(2, 6)[missing] / deviation - 1) < 5 / np.sqrt(2 * 4000)
    )


def test_the_spread_is_the_root_mean_square_over_channels():
    """Where one channel of two varies, it is 1 / sqrt(2) of that one's."""

    class Coloured(Linear):
        def call(self, z, training):
            grey = super().call(z, training)
            return tf.concat([grey, 0 * grey], axis=-1)

    class Blind(Gaussian):
        def call(self, x, training):
            return (tf.zeros([tf.shape(x)[0], 2]),) * 2

    image, mask = tf.zeros([1, 2, 3, 2]), tf.zeros([1, 2, 3, 1])
    one, two = (
        LatentModel(g(), Blind(), image_shape=shape, completion_rounds=1).uncertainty(
            x, mask, SEED, 8
        )[1]
        for g, shape, x in ((Linear, SHAPE, image[..., :1]), (Coloured, (2, 3, 2), image))
    )
    np.testing.assert_allclose(two, one / np.sqrt(2), rtol=1e-5)


# samples


def test_samples_are_the_priors_through_the_generator():
    """4,000 samples follow N(b, Wᵀ W).

    Pixels are compared that are not degenerate, as all six would be: 9 comparisons at 5 standard
    errors fail with a probability of 5e-6 in all.
    """
    x = tasks().generate(tf.constant(4000), SEED).numpy().reshape(-1, 6)[:, :2]
    close_to_gaussian(x, BIAS[:2], (WEIGHT.T @ WEIGHT)[:2, :2])


def test_samples_refined_long_enough_follow_the_energy():
    """4,000 samples have the means and covariances of the energy's density.

    6 means and 21 covariances at 5 standard errors fail with a probability of 2e-5 in all. The
    least of its precisions, 10.6, forgets a start by a factor of 0.947 a step: to 2e-5 after 200.
    """
    x = compiled(tasks(refined=True).generate)(tf.constant(4000), SEED, 200).numpy().reshape(-1, 6)
    close_to_gaussian(x, MEAN, stationary(PRECISION.astype(np.float64), STEP))


def test_without_steps_an_energy_changes_nothing():
    np.testing.assert_array_equal(
        tasks(refined=True).generate(4, SEED, 0), tasks().generate(4, SEED)
    )


@pytest.mark.parametrize("size", [(8, 12), (1, 1), (9, 30), (20, 5)])
def test_synthesis_has_the_size_asked_for(size):
    x = LatentModel(Tiles(), image_shape=(8, 12, 2)).synthesize(3, SEED, tf.constant(size))
    assert x.shape == (3, *size, 2)
    tiles = np.unique(x.numpy()[0, :, :, 0])
    assert len(tiles) == -(-size[0] // 4) * -(
        -size[1] // 4
    )  # a latent for each tile, and none more than once


# what there is

INFERRED = {"encode", "reconstruct", "interpolate", "complete", "uncertainty"}


@pytest.mark.parametrize(
    ("task", "names"),
    [
        (LatentModel(Linear(), image_shape=SHAPE), {"decode", "generate"}),
        (LatentModel(Tiles(), image_shape=(8, 12, 2)), {"decode", "generate", "synthesize"}),
        (tasks(), {"decode", "generate", *INFERRED}),
        (tasks(refined=True), {"decode", "generate", *INFERRED, "energy", "anomaly"}),
    ],
    ids=["generator", "map", "inference", "energy"],
)
def test_endpoints_are_those_that_the_model_can_answer(task, names):
    endpoints = task.endpoints()
    assert set(endpoints) == names
    steps = {name for name, endpoint in endpoints.items() if "num_steps" in endpoint.input_names}
    assert steps == ({"generate", "complete", "uncertainty"} if "energy" in names else set())


def test_endpoints_answer_as_the_tasks_do():
    task = tasks(refined=True)
    given = {"image": images(2), "mask": some_known(2), "seed": SEED, "num_steps": tf.constant(3)}
    given |= {"count": tf.constant(4), "draws": tf.constant(4), "latent": tf.ones([2, 2])}
    found = {
        name: task.endpoints()[name].traced()(**given)
        for name in ("uncertainty", "decode", "energy", "generate")
    }
    mean, spread = task.uncertainty(given["image"], given["mask"], SEED, 4, 3)
    np.testing.assert_allclose(found["uncertainty"]["image"], mean, atol=1e-5)
    np.testing.assert_allclose(found["uncertainty"]["spread"], spread, atol=1e-5)
    np.testing.assert_allclose(found["decode"]["image"], task.decode(given["latent"]), atol=1e-6)
    np.testing.assert_allclose(
        found["energy"]["energy"],
        Quadratic(MEAN, PRECISION)(given["image"], training=False),
        rtol=1e-5,
    )
    np.testing.assert_allclose(found["generate"]["image"], task.generate(4, SEED, 3), atol=1e-5)


def test_steps_asked_of_a_model_without_an_energy_are_refused():
    with pytest.raises(UserError, match="num_steps: expected none"):
        tasks().generate(4, SEED, 3)
