"""Introspective networks: classification, stages, and what is refused.

Synthesis is tested in test_introspective_synthesis.py.
"""

import numpy as np
import pytest
import tensorflow as tf
from support.introspective_runs import batch, build, classifier, fit

from tfgen import losses, random
from tfgen.errors import UserError

SEED = random.root(5)


# classification


def test_an_update_descends_the_logistic_loss_of_images_and_pseudo_negatives():
    algorithm, twin, data = build(rate=0.5), build(rate=0.5), batch()
    logs = algorithm.update(data, SEED)
    samples = twin.negatives.draw(8, tf.constant(0), 4, SEED)
    with tf.GradientTape() as tape:
        odds = twin.model.discriminator(tf.concat([data["image"], samples], axis=0), training=True)
        loss = losses.logistic(odds[:8], odds[8:])
    variables = twin.model.discriminator.trainable_variables
    slopes = tape.gradient(loss, [v.value for v in variables])
    for v, before, slope in zip(
        algorithm.model.discriminator.trainable_variables, variables, slopes, strict=True
    ):
        np.testing.assert_allclose(v, before - 0.5 * slope, rtol=1e-5, atol=1e-7)
    kept = algorithm.model.discriminator(
        tf.concat([data["image"], samples], axis=0), training=False
    )
    right = np.concatenate([odds[:8] > 0, odds[8:] < 0])
    expected = {
        "cross_entropy": loss,
        "cross_entropy_inference": losses.logistic(kept[:8], kept[8:]),
        "accuracy": right.mean(),
        "log_odds_data": np.mean(odds[:8]),
        "log_odds_samples": np.mean(odds[8:]),
        "discriminator_grad_norm": np.sqrt(sum(np.sum(np.square(s)) for s in slopes)),
        "stage": 0,
        "synthesis_steps": 0,
    }
    assert set(logs) == set(expected)
    for name, value in expected.items():
        assert float(logs[name]) == pytest.approx(float(value), rel=1e-4, abs=1e-6), name


def test_the_first_pseudo_negatives_are_white_noise_in_range():
    algorithm = build(samples=3000, sigma=0.5)
    noise = algorithm.negatives.newest(tf.constant(0)).numpy()
    np.testing.assert_array_equal(algorithm.start, noise)
    assert np.abs(noise).max() == 1


# stages


def test_a_stage_ends_after_its_most_updates_and_the_run_with_its_last_stage():
    algorithm = build(stages=3, stage_updates=4)
    assert not algorithm.finished
    watch = fit(algorithm)
    assert algorithm.finished
    assert algorithm.num_updates == 12
    assert [(stage, into) for stage, into, _ in watch.updates] == [
        *((0, n) for n in (1, 2, 3)),
        *((1, n) for n in (0, 1, 2, 3)),
        *((2, n) for n in (0, 1, 2, 3)),
        (3, 0),
    ]


@pytest.mark.parametrize("window", [pytest.param(1, marks=pytest.mark.slow), 4])
def test_a_stage_ends_with_the_first_window_of_updates_whose_mean_loss_is_low(long, window):
    """The threshold is between the means of two windows of a stage that does not end."""
    means = long.reshape(-1, window).mean(axis=1)
    half = len(means) // 2
    early, late = means[:half].min(), means[half:].min()
    assert late < early
    stop_loss = (early + late) / 2
    watch = fit(build(stages=1, stage_updates=16, loss_window=window, stop_loss=float(stop_loss)))
    updates = (int(np.argmax(means <= stop_loss)) + 1) * window
    assert 8 < updates == len(watch.updates)
    np.testing.assert_allclose([u[2] for u in watch.updates], long[:updates], rtol=1e-5)


@pytest.fixture(scope="module")
def long():
    """Returns the losses of a stage's 16 updates."""
    return np.array([u[2] for u in fit(build(stages=1, stage_updates=16)).updates])


def test_a_loss_window_that_its_stage_cuts_short_does_not_reach_into_the_next(long):
    """Stages have 3 updates and windows have 2.

    Each stage asks after its second update, whatever was left of the stage before.
    """
    stop_loss = float(long[:2].mean()) * 0.99
    watch = fit(build(stages=3, stage_updates=3, loss_window=2, stop_loss=stop_loss))
    ends, begin = [end["updates"] for end in watch.ends], 0
    for end in ends:
        low = np.mean([u[2] for u in watch.updates[begin : begin + 2]]) <= stop_loss
        assert end - begin == (2 if low else 3)
        begin = end
    assert ends[0] == 3


# mistakes


COUNTS = (
    "stages",
    "stage_updates",
    "loss_window",
    "samples",
    "memory",
    "patches",
    "synthesis_steps",
)


@pytest.fixture(scope="module")
def net():
    """Returns a net that no test trains."""
    return classifier()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        *(({name: 0}, f"{name}: expected a number at least 1 and found 0") for name in COUNTS),
        ({"recency": 0.5}, "recency: expected a number at least 1 and found 0.5"),
        ({"reduction": -1}, "reduction: expected a number at least 0 and found -1"),
        ({"sigma": 0.0}, "sigma: expected a number above 0 and found 0.0"),
        ({"step_size": 0.0}, "step_size: expected a number above 0 and found 0.0"),
        ({"step_decay": 1.1}, "step_decay: expected a number above 0 and at most 1 and found 1.1"),
        ({"beta_1": 1.0}, "beta_1: expected a number at least 0 and at most 0.999 and found 1.0"),
        ({"noise": -0.1}, "noise: expected a number at least 0 and found -0.1"),
        (
            {"noise_decay": 1.1},
            "noise_decay: expected a number above 0 and at most 1 and found 1.1",
        ),
        (
            {"stop_quantile": 1.1},
            "stop_quantile: expected a number at least 0 and at most 1 and found 1.1",
        ),
        ({"stop_loss": -1.0}, "stop_loss: expected a number at least 0 and found -1.0"),
        ({"optimizer": "rmsprop"}, "optimizer: expected one of adam, sgd and found rmsprop"),
        (
            {"objective": "odds"},
            "objective: expected one of log_odds, cross_entropy and found odds",
        ),
        ({"stop": "never"}, "stop: expected one of boundary, margin, quantile and found never"),
        (
            {"padding": 1},
            "padding: expected 0 without a canvas, since the classifier sees whole images",
        ),
        ({"canvas": 3}, "canvas: expected at least 4 pixels for patches of 4, and found 3"),
        ({"shape": (4, 5, 1)}, "image_size: expected square images and found 4x5"),
    ],
)
def test_hyperparameters_out_of_their_range_are_refused(net, options, sentence):
    with pytest.raises(UserError) as caught:
        build(net=net, **options)
    assert str(caught.value) == sentence


def test_a_canvas_may_be_smaller_than_the_patch_if_its_padding_makes_up_for_it():
    assert build(canvas=2, padding=1).model.canvas == (4, 4, 1)
