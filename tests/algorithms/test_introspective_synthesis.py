"""Introspective networks: synthesis, when it stops, and the cascade that is kept.

Classification and stages are tested in test_introspective.py.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from support.introspective_runs import SHAPE, batch, build, classifier, fit, log_odds, pictures

from tfgen import random
from tfgen.models import without_margin
from tfgen.samplers import run

SEED = random.root(5)
HALF = 2**-11
"""Half precision's rounding on [-1, 1], in which pseudo-negatives are kept."""

# a stage's synthesis


def by_hand(algorithm, before, end, stage, most, margin):
    """Makes a stage's synthesis from its start, under the net as the stage left it."""
    algorithm.model.discriminator.set_weights(end["net"])
    seed = random.fold_in(random.fold_in(random.root(1), -2), stage)

    def odds(x):
        return algorithm.model.discriminator(x, training=False)

    return run(
        *algorithm.model.synthesis.across(odds, tf.constant(margin), before.shape),
        before,
        seed,
        most,
    )


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"noise": 0.1}, id="adam"),
        pytest.param(
            {"optimizer": "sgd", "step_size": 0.5, "objective": "log_odds", "stop": "boundary"},
            id="sgd",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_stages_samples_are_moved_across_the_classifier_as_the_stage_left_it(options):
    """They agree to half precision, in which they are kept."""
    options |= {"stages": 2}
    algorithm = build(**options)
    start, watch = algorithm.start.numpy().copy(), fit(algorithm)
    margin = 0.0 if options.get("stop") == "boundary" else 0.1521
    for stage, end in enumerate(watch.ends):
        x, summary = by_hand(build(**options), tf.constant(start), end, stage, 6, margin)
        assert end["steps"] == summary.num_steps
        np.testing.assert_allclose(end["samples"], x, rtol=0, atol=HALF)
        np.testing.assert_allclose(end["start"], x, rtol=0, atol=1e-5)
        assert np.abs(end["samples"]).max() <= 1
        assert np.abs(end["samples"] - start).max() > 1e-3
        start = end["start"]


@pytest.fixture(
    scope="module", params=[(3, 1), (5, 2), (3, 0)], ids=["all kept", "every second", "one"]
)
def reduced(request):
    """Returns stages, reduction, the first noise, the algorithm, and what each stage left.

    The steps are too small to reach the margin, so that all of them are taken.
    """
    stages, reduction = request.param
    options = {"stage_updates": 2, "synthesis_steps": 3, "step_size": 1e-3, "memory": 7}
    algorithm = build(stages=stages, reduction=reduction, **options)
    noise = algorithm.start.numpy().copy()
    return stages, reduction or stages, noise, algorithm, fit(algorithm).ends


def test_a_reduced_cascade_keeps_a_classifier_every_so_many_stages(reduced):
    """There are ceil(T / b), each as the last of its stages left it; 0 keeps one, INNg-single."""
    stages, every, _, algorithm, ends = reduced
    assert [end["kept"] for end in ends] == [stage // every + 1 for stage in range(stages)]
    assert (
        algorithm.model.snapshots.num_kept
        == -(-stages // every)
        == algorithm.model.thresholds.shape[0]
    )
    assert {stack.shape[0] for stack in algorithm.model.snapshots.stacks} == {-(-stages // every)}
    x = tf.constant(pictures(6))
    for number in range(algorithm.model.snapshots.num_kept):
        end = ends[min((number + 1) * every, stages) - 1]
        found = algorithm.model.snapshots.net_at(algorithm.model.discriminator, number)(x)
        np.testing.assert_allclose(found, log_odds(end["net"], x), rtol=1e-5, atol=1e-6)


def test_stages_between_start_from_the_last_kept_ones_samples_and_may_take_more_steps(reduced):
    """Section 3.6: stage b i + k may take k + 1 times as many steps.

    This is the number of stages from the last kept classifier.
    """
    stages, every, noise, algorithm, ends = reduced
    assert [end["steps"] for end in ends] == [3 * (stage % every + 1) for stage in range(stages)]
    assert algorithm.model.synthesis.num_steps == 3 * every
    for stage, end in enumerate(ends):
        before = stage // every * every  # stages that were over when a classifier was last kept
        start = ends[before - 1]["samples"] if before else noise
        moved = np.abs(end["samples"] - start).max()  # by Adam, at most a thousandth a step
        assert 1e-3 < moved < 1e-3 * end["steps"] + 2 * HALF
        # a single group never ends, since the cascade may be given more stages
        after = 0 if every == stages else (stage + 1) // every * every
        np.testing.assert_allclose(
            end["start"], ends[after - 1]["samples"] if after else noise, rtol=0, atol=HALF
        )


@pytest.mark.parametrize(
    ("reduction", "scales"),
    [
        (1, (1, 0.5, 0.25)),
        pytest.param(2, (1, 1, 0.25), marks=pytest.mark.slow),
        pytest.param(0, (1, 1, 1), marks=pytest.mark.slow),
    ],
)
def test_steps_are_shorter_for_each_stage_that_their_start_has_gone_through(reduction, scales):
    """The steps are halved from stage to stage, in training and in sampling alike.

    Adam's first step is as long as a step can be.
    """
    options = {"stage_updates": 2, "synthesis_steps": 1, "step_size": 0.1, "step_decay": 0.5}
    algorithm = build(stages=3, reduction=reduction, **options)
    ends = fit(algorithm).ends
    x = 0.5 * tf.ones([2, *SHAPE])
    for stage, scale in enumerate(scales):
        before = (
            build(stages=3, reduction=reduction, **options).start.numpy()
            if scale == 1
            else ends[stage - 1]["start"]
        )
        moved = np.abs(ends[stage]["samples"] - before).max()
        assert 0.1 * scale - 2 * HALF <= moved <= 0.25 * scale * ends[stage]["steps"]
    for number in range(algorithm.model.snapshots.num_kept):
        moved = np.abs(algorithm.model.advance(x, tf.constant(number), SEED) - x).max()
        scale = 0.5 ** (number * (reduction or 3))
        assert 0.099 * scale <= moved <= 0.25 * scale * algorithm.model.synthesis.num_steps


def test_stages_that_share_a_start_shrink_their_steps_as_if_each_had_been_passed():
    """INNg-single: stage 2 takes nine steps of Adam, of which the first four fall by 0.5².

    Steps are too small to reach the margin, and the slope hardly changes along the way.
    """
    options = {"stage_updates": 2, "synthesis_steps": 3, "step_size": 0.01, "rate": 0.2}
    algorithm = build(stages=3, reduction=0, step_decay=0.5, decay_steps=2, **options)
    start, ends = algorithm.start.numpy().copy(), fit(algorithm).ends
    moved = [np.abs(end["samples"] - start).max() / 0.01 for end in ends]
    scales = [[1] * 3, [1] + [0.5] * 5, [0.25 ** (i / 3) for i in range(4)] + [0.25] * 5]
    np.testing.assert_allclose(moved, [sum(scale) for scale in scales], rtol=0.1)
    assert [end["steps"] for end in ends] == [3, 6, 9]
    assert (algorithm.model.fall, algorithm.model.fall_steps) == (0.25, 4)


def trained_stop(stop, **options):
    """Makes one long synthesis across a classifier that has learned."""
    given = {
        "stages": 1,
        "stage_updates": 30,
        "synthesis_steps": 400,
        "samples": 20,
        "rate": 0.5,
        "step_size": 0.02,
    }
    algorithm = build(**(given | options), stop=stop)
    start = algorithm.start.numpy().copy()
    (end,) = fit(algorithm).ends
    return algorithm, start, end


@pytest.mark.parametrize(
    ("stop", "margin", "window"),
    [("boundary", 0.0, 20), pytest.param("margin", 0.1521, 1, marks=pytest.mark.slow)],
)
def test_synthesis_stops_at_the_boundary_or_at_the_released_codes_margin(stop, margin, window):
    """The mean cross-entropy of the last window is low enough for the first time."""
    algorithm, start, end = trained_stop(stop)
    assert algorithm.model.thresholds.numpy() == pytest.approx([margin])
    net = classifier()
    net.set_weights(end["net"])
    free = algorithm.model.synthesis.across(
        lambda x: net(x, training=False), tf.constant(1e9), start.shape
    )
    kept = run(*free, tf.constant(start), SEED, end["steps"], keep_every=1)[1].kept
    # the energy of step i is taken where step i - 1 led
    visited = np.concatenate([start[None], kept[:-1]])
    odds = net(tf.reshape(visited, [-1, *SHAPE]), training=False).numpy().reshape(end["steps"], -1)
    means = np.convolve(np.log1p(np.exp(-odds)).mean(axis=1), np.ones(window) / window, "valid")
    assert window < end["steps"] < 400
    assert means[-1] <= np.log1p(np.exp(-margin)) < means[:-1].min()
    # images rest where the low energy was found
    np.testing.assert_allclose(end["samples"], visited[-1], rtol=0, atol=HALF)


@pytest.mark.parametrize(
    "quantile",
    [pytest.param(0.0, marks=pytest.mark.slow), 0.25, pytest.param(1.0, marks=pytest.mark.slow)],
)
def test_the_quantile_rule_follows_the_images_log_odds_and_stops_there(quantile):
    algorithm, twin = (build(stop="quantile", stop_quantile=quantile) for _ in range(2))
    expected = None
    for _ in range(3):
        algorithm.update(batch(9), SEED)
        twin.update(batch(9), SEED)
        odds = np.sort(twin.model.discriminator(batch(9)["image"], training=False))
        found = odds[round(quantile * 8)]
        expected = found if expected is None else 0.9 * expected + 0.1 * found
        assert float(algorithm.images_threshold.numpy()) == pytest.approx(
            expected, rel=1e-5, abs=1e-7
        )
    algorithm.synthesize()
    assert float(algorithm.model.thresholds.numpy()[0]) == pytest.approx(
        expected, rel=1e-5, abs=1e-7
    )
    algorithm.update(batch(9), SEED)  # a stage's quantile owes nothing to the stage before
    odds = np.sort(algorithm.model.discriminator(batch(9)["image"], training=False))
    assert float(algorithm.images_threshold.numpy()) == pytest.approx(
        odds[round(quantile * 8)], rel=1e-5, abs=1e-7
    )


@pytest.mark.slow
def test_a_synthesis_by_the_quantile_rule_stops_where_images_are():
    """The batch's mean passes the margin with the last step.

    The tolerance is two steps, whose lengths are known for Adam.
    """
    algorithm, start, end = trained_stop("quantile", stop_quantile=0.5, objective="log_odds")
    assert 1 < end["steps"] < 400
    assert algorithm.model.thresholds.numpy()[0] == pytest.approx(end["images_threshold"])
    with tf.GradientTape() as tape:
        tape.watch(x := tf.constant(end["samples"]))
        odds = tf.reduce_mean(algorithm.model.discriminator(x, training=False))
    step = 0.02 * float(tf.reduce_sum(tf.abs(tape.gradient(odds, x))))
    assert log_odds(end["net"], start).mean() < end["images_threshold"] - 10 * step
    assert abs(float(odds) - end["images_threshold"]) < 2 * step


# what is made of the cascade


@pytest.fixture(scope="module")
def trained():
    """Trains four stages, of which two are kept; returns what each left too."""
    algorithm = build(stages=4, reduction=2, noise=0.02, synthesis_steps=20, rate=0.2)
    return algorithm, fit(algorithm)


def test_the_energy_is_minus_the_log_odds_of_the_nets_that_were_kept(trained):
    algorithm, watch = trained
    x = np.tanh(np.random.default_rng(1).normal(size=(5, *SHAPE))).astype(np.float32)
    kept = [log_odds(watch.ends[stage]["net"], x) for stage in (1, 3)]
    np.testing.assert_allclose(algorithm.model.energy(x), -sum(kept), rtol=1e-4, atol=1e-5)
    expected = np.sum(x**2, axis=(1, 2, 3)) / (2 * 0.3**2) - sum(kept)
    np.testing.assert_allclose(algorithm.model.density_energy(x), expected, rtol=1e-5)
    assert np.abs(kept).max() > 0.1


def test_samples_pass_through_all_classifiers_in_order_from_clipped_noise(trained):
    """Samples equal those of advancing by hand, and of the classifiers as they were.

    Each kept classifier takes the steps of the last of its stages.
    """
    algorithm, watch = trained
    start, seed = random.split(SEED)
    x = by = tf.clip_by_value(0.3 * random.normal((6, *SHAPE), start), -1.0, 1.0)
    other = build(noise=0.02)
    for number, stage in enumerate((1, 3)):
        x = algorithm.model.advance(x, tf.constant(number), random.fold_in(seed, number))
        other.model.discriminator.set_weights(watch.ends[stage]["net"])
        across = other.model.synthesis.across(
            lambda x: other.model.discriminator(x, training=False), tf.constant(0.1521), by.shape
        )
        by, _ = run(*across, by, random.fold_in(seed, number), 2 * 20)
    found = algorithm.model.generate(tf.constant(6), SEED)
    np.testing.assert_allclose(found, x, rtol=0, atol=1e-4)
    np.testing.assert_allclose(found, by, rtol=0, atol=1e-4)


@pytest.mark.slow
def test_a_run_resumed_in_the_midst_of_a_stage_ends_where_the_whole_does():
    """The weights alone hold all that training needs, and the ends agree bit for bit.

    Among them are the loss window, the stage, its samples and the quantile.
    """
    options = {
        "stages": 3,
        "stage_updates": 5,
        "loss_window": 4,
        "stop": "quantile",
        "noise": 0.05,
        "reduction": 2,
    }
    whole = build(**options)
    fit(whole)
    first, second = build(**options), build(**options)
    fit(first, 7)
    second.set_weights(first.get_weights())
    fit(second, start=7)
    for a, b in zip(whole.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("ema", [0.9, None])
def test_stages_end_by_and_keep_the_averaged_weights_where_an_optimizer_averages(ema):
    """Samples and the model that is saved then are of the same classifier."""
    algorithm = build(stages=1, stage_updates=5, rate=0.5)
    algorithm.compile(
        {"discriminator": keras.optimizers.SGD(0.5, use_ema=ema is not None, ema_momentum=ema)}
    )
    (end,) = fit(algorithm).ends
    model, x = algorithm.model, tf.constant(pictures(6))
    kept = model.classifier(0)(x).numpy()
    with algorithm.averaged_weights():
        np.testing.assert_allclose(model.discriminator(x, training=False), kept, rtol=1e-4)
    raw = log_odds(end["net"], x)
    assert (np.abs(raw - kept).max() > 0.01) == (ema is not None)
    np.testing.assert_allclose(model.discriminator(x, training=False), raw, rtol=1e-5)


# patches of a canvas


def test_a_canvas_is_synthesized_with_its_padding_and_shown_without():
    algorithm = build(patch=4, canvas=6, padding=3, patches=5, stages=1, synthesis_steps=2)
    assert algorithm.model.canvas == (12, 12, 1)
    assert algorithm.start.shape == (5, 12, 12, 1)
    fit(algorithm, data=pictures(4, (9, 10, 1)), patch=4)
    shown = algorithm.pictures(batch())["samples"]
    np.testing.assert_array_equal(
        shown, without_margin(algorithm.negatives.newest(tf.constant(1)), 3)
    )
    assert shown.shape == (5, 6, 6, 1)
    assert algorithm.model.generate(tf.constant(2), SEED).shape == (2, 6, 6, 1)
    assert algorithm.model.energy(tf.zeros([2, 4, 4, 1])).shape == (2,)
    assert "synthesize" in algorithm.model.endpoints()


def test_with_a_padding_of_one_less_than_the_patch_the_whole_canvas_is_equally_likely_in_a_patch():
    """Counts, for the algorithm's sizes, how many places of a patch cover each pixel."""
    for padding, equal in ((3, True), (2, False)):
        algorithm = build(patch=4, canvas=6, padding=padding)
        side, size = algorithm.model.canvas[0], algorithm.model.synthesis.patch_size
        cover = np.zeros((side, side), int)
        for top, left in np.ndindex(side - size + 1, side - size + 1):
            cover[top : top + size, left : left + size] += 1
        shown = without_margin(
            tf.constant(cover)[None, :, :, None], algorithm.model.padding
        ).numpy()
        assert (np.unique(shown).tolist() == [16]) == equal


def test_whole_images_have_no_synthesis_of_other_sizes():
    assert "synthesize" not in build().model.endpoints()
