"""Wasserstein introspective networks: the critic's update, stages, and where synthesis stops."""

import copy

import keras
import numpy as np
import pytest
import tensorflow as tf
from support.introspective_runs import SHAPE, batch, pictures

from tfgen import losses, random
from tfgen.algorithms.winn import WINN
from tfgen.data.examples import Examples
from tfgen.errors import UserError
from tfgen.nets.architectures.pooled import PooledDiscriminator

SEED = random.root(5)


def build(rate=0.05, **options):
    """Returns a compiled algorithm, with few and short stages unless told otherwise."""
    keras.utils.set_random_seed(0)
    given = {"stages": 3, "stage_updates": 4, "samples": 5, "synthesis_steps": 6, "seed": 1}
    net = PooledDiscriminator([3, 4], SHAPE)
    algorithm = WINN(net, image_shape=SHAPE, **(given | options))
    algorithm.compile({"discriminator": keras.optimizers.SGD(rate)})
    return algorithm


def fit(algorithm):
    """Trains until all stages are over."""
    algorithm.fit(
        Examples(pictures()).batches(8, random.root(0), 0),
        steps_per_epoch=1,
        epochs=1_000,
        verbose=0,
    )
    return algorithm


@pytest.fixture(scope="module")
def trained():
    return fit(build(stage_updates=25))


def test_an_update_descends_the_difference_of_means_and_the_penalty():
    algorithm, twin, data = build(rate=0.5, penalty=3.0), build(), batch()
    logs = algorithm.update(data, SEED)
    net, (draw, place) = twin.model.discriminator, random.split(SEED)
    samples = twin.against(data["image"], draw)
    with tf.GradientTape() as tape:
        score, other = net(data["image"]), net(samples)
        steep = losses.interpolated_gradient_penalty(net, data["image"], samples, place)
        loss = tf.reduce_mean(other) - tf.reduce_mean(score) + 3 * steep
    variables = net.trainable_variables
    slopes = tape.gradient(loss, [v.value for v in variables])
    for v, before, slope in zip(
        algorithm.model.discriminator.trainable_variables, variables, slopes, strict=True
    ):
        np.testing.assert_allclose(v, before - 0.5 * slope, rtol=1e-4, atol=1e-6)
    expected = {
        "critic_difference": np.mean(score) - np.mean(other),
        "gradient_penalty": steep,
        "score_data": np.mean(score),
        "score_samples": np.mean(other),
    }
    for name, value in expected.items():
        assert float(logs[name]) == pytest.approx(float(value), rel=1e-4, abs=1e-6), name


def test_stages_have_their_updates_and_the_run_ends_with_the_last(trained):
    assert trained.finished
    assert trained.num_updates == 75
    assert trained.model.snapshots.num_kept == 3


def test_the_scores_of_the_last_batches_are_remembered():
    algorithm = build(stop_window=3)
    scores = []
    for step in range(4):
        logs = algorithm.train_step(batch())
        scores.append(float(algorithm.recent_scores.numpy()[-1]))
        before = [scores[0]] * (3 - step) + scores[max(0, step - 2) :]
        np.testing.assert_allclose(algorithm.recent_scores, before[-3:], rtol=1e-6)
    assert float(logs["score_data"]) == pytest.approx(np.mean(scores), rel=1e-5)


def test_synthesis_stops_at_a_score_drawn_between_the_least_and_the_highest():
    """Of 400 uniform draws in [-1, 3], the mean has a standard error of 0.058.

    At 5 of these it fails with a probability of 6e-7. That none lies within 0.15 of an end has one
    of 2e-7.
    """
    algorithm = build(stop_window=3)
    algorithm.recent_scores.assign([0.5, 3.0, -1.0])
    drawn = [float(algorithm.threshold_now(random.root(seed))) for seed in range(400)]
    assert -1 <= min(drawn) < -0.85
    assert 2.85 < max(drawn) <= 3
    assert abs(np.mean(drawn) - 1) < 5 * 0.058


def test_the_kept_critic_and_threshold_are_those_that_moved_the_samples():
    """A stage's samples reach the kept score, by steps of the kept critic; or all steps are taken.

    The steps are small, so that each raises the score.
    """
    algorithm = build(stages=1, stage_updates=40, step_size=0.05, synthesis_steps=400)
    start = copy.deepcopy(algorithm.start.numpy())
    fit(algorithm)
    critic, kept = algorithm.model.classifier(0), float(algorithm.model.thresholds[0])
    recent = algorithm.recent_scores.numpy()
    assert recent.min() <= kept <= recent.max()
    moved = algorithm.negatives.newest(tf.constant(1))
    scores = [float(tf.reduce_mean(critic(x))) for x in (tf.constant(start), moved)]
    assert scores[0] < kept
    # samples are kept in half precision
    assert scores[1] > kept - 0.01 or int(algorithm.steps_taken) == 400


def test_the_trained_cascade_scores_images_above_the_noise_it_started_from(trained):
    images, noise = tf.constant(pictures()), trained.model.synthesis.start((32, *SHAPE), SEED)
    assert np.mean(trained.model.energy(images)) < np.mean(trained.model.energy(noise))


def test_smooth_noise_is_where_training_and_generation_start():
    algorithm = build(start="smooth", sigma=0.5)
    drawn = algorithm.model.synthesis.start((60 * 5, *SHAPE), random.root(0))
    np.testing.assert_allclose(algorithm.start, drawn[:5], atol=2**-11)


@pytest.mark.parametrize(
    ("name", "value"), [("penalty", -1.0), ("stop_window", 0), ("start", "grey"), ("fresh", 1.5)]
)
def test_a_constant_out_of_its_range_is_refused(name, value):
    with pytest.raises(UserError, match=name):
        build(**{name: value})
