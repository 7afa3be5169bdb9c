"""The tasks of a cascade, on linear classifiers whose answers are known."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tfgen import random
from tfgen.data.examples import Examples, Images
from tfgen.distributions import TruncatedGaussian, Uniform
from tfgen.errors import UserError
from tfgen.evaluation.landscape import Landscape
from tfgen.evaluation.outliers import Outliers
from tfgen.models import CascadeModel, Synthesis, without_margin
from tfgen.nets.architectures.roles import DiscriminatorNet

SHAPE, SIGMA, SEED = (4, 4, 1), 0.2, random.root(0)


class Linear(DiscriminatorNet):
    """Log-odds <w, x> + b, and two numbers of an image as features."""

    has_features = True

    def __init__(self, shape):
        super().__init__(shape)
        self.w, self.b = self.add_weight(shape=shape, name="w"), self.add_weight(shape=(), name="b")
        self.built = True

    def call(self, x, training=False):
        return tf.reduce_sum(x * self.w, axis=[1, 2, 3]) + self.b

    def features(self, x):
        return tf.stack([self(x), tf.reduce_mean(x, axis=[1, 2, 3])], axis=1)


def synthesis(**options):
    """Returns a synthesis by Adam's steps of 0.01 of the whole image, with a window of one step."""
    given = {
        "optimizer": "adam",
        "step_size": 0.01,
        "beta_1": 0.5,
        "noise": 0.0,
        "noise_decay": 0.99,
        "objective": "log_odds",
        "window": 1,
        "num_steps": 200,
        "sigma": SIGMA,
        "patch_size": None,
        "patches": 6,
        "area": 16,
    }
    return Synthesis(**(given | options))


WEIGHTS = random.normal([3, *SHAPE], random.root(1)).numpy()
BIASES = np.float32([-1.0, 0.5, -2.0])


def tasks(
    margins=(0.0, 0.3, 0.1),
    decay=1.0,
    canvas=SHAPE,
    padding=0,
    room=3,
    kept=3,
    fall=1.0,
    fall_steps=1,
    **options,
):
    """Returns a cascade of three classifiers, or of the first ones, whose net has moved on."""
    net = Linear(SHAPE)
    model = CascadeModel(
        net,
        image_shape=SHAPE,
        canvas=canvas,
        padding=padding,
        synthesis=synthesis(**options),
        decay=decay,
        num_snapshots=room,
        style_steps=20,
        fall=fall,
        fall_steps=fall_steps,
    )
    for stage, (w, b) in enumerate(zip(WEIGHTS[:kept], BIASES, strict=False)):
        net.w.assign(w), net.b.assign(b)
        model.snapshots.keep(net, tf.constant(stage))
    net.w.assign(-WEIGHTS[-1])
    model.thresholds.assign(np.pad(np.float32(margins), (0, room - 3)))
    return model


def patched(canvas=8, padding=0, **options):
    """Returns the same for patches of a larger canvas."""
    side = canvas + 2 * padding
    return tasks(canvas=(side, side, 1), padding=padding, patch_size=4, area=side**2, **options)


def odds(stage, x):
    """Computes a classifier's log-odds by hand."""
    return np.sum(x * WEIGHTS[stage], axis=(1, 2, 3)) + BIASES[stage]


# completion


def half():
    """Returns a mask of the left half, and two images that are all of one grey level."""
    mask = np.zeros((2, *SHAPE), np.float32)
    mask[:, :, :2] = 1
    return mask, np.stack([np.full(SHAPE, -0.7), np.full(SHAPE, 0.4)]).astype(np.float32)


def test_completion_holds_known_pixels_and_ignores_what_stands_at_missing_ones():
    mask, image = half()
    model = tasks(noise=0.05)  # noise moves every pixel
    found = model.complete(image, mask, SEED).numpy()
    np.testing.assert_array_equal(found[:, :, :2], image[:, :, :2])
    assert np.abs(found[:, :, 2:] - image[:, :, 2:]).min() > 0
    other = model.complete(np.where(mask == 1, image, 0.9), mask, SEED).numpy()
    np.testing.assert_array_equal(found, other)


def test_completion_crosses_each_boundary_by_its_missing_pixels_alone():
    """One classifier, one step at a time: the log-odds end above 0, given the known half."""
    mask, image = half()
    model = tasks(margins=(0.0, 0.0, 0.0), num_steps=400)
    start, _ = random.split(SEED)
    noise = model.synthesis.start((2, *SHAPE), start).numpy()
    before = odds(0, mask * image + (1 - mask) * noise)
    found = model.complete(image, mask, SEED, classifiers=1).numpy()
    after = odds(0, found)
    assert np.mean(before) < 0 <= np.mean(after) < 0.5
    # the way is that of the gradient, whose sign is the weight's
    moved = (found - noise)[:, :, 2:] * np.sign(WEIGHTS[0][:, 2:])
    assert moved.min() >= 0
    assert moved.max() > 0.05


def test_a_completion_of_known_pixels_alone_is_the_image_and_of_none_a_sample():
    _, image = half()
    everything, nothing = np.ones((2, *SHAPE), np.float32), np.zeros((2, *SHAPE), np.float32)
    np.testing.assert_array_equal(tasks().complete(image, everything, SEED), image)
    sample = tasks().generate(2, SEED)
    np.testing.assert_allclose(tasks().complete(image, nothing, SEED), sample, atol=1e-6)


@pytest.mark.parametrize("padding", [0, 2])
def test_patches_fill_holes_of_pictures_of_any_size(padding):
    """Known pixels stay to the bit, and the missing ones end above the classifiers' boundaries."""
    model = patched(padding=padding, noise=0.02)
    image = np.random.default_rng(0).uniform(-1, 1, (2, 7, 9, 1)).astype(np.float32)
    mask = np.ones_like(image)
    mask[0, 2:5, 3:8], mask[1, :4, :4] = 0, 0
    found = model.complete(image, mask, SEED).numpy()
    np.testing.assert_array_equal(found[mask == 1], image[mask == 1])
    assert np.abs(found - image)[mask == 0].min() > 0
    np.testing.assert_array_equal(model.complete(image * mask, mask, SEED), found)
    np.testing.assert_array_equal(model.complete(image, np.ones_like(mask), SEED), image)


def test_synthesis_of_a_hole_raises_the_log_odds_of_the_patches_about_it():
    """Here the hole is all of one patch, so that the last classifier's own log-odds are known."""
    model = patched()
    image = np.zeros((1, 4, 4, 1), np.float32)
    mask = np.zeros_like(image)
    mask[:, :, 3] = 1
    found = model.complete(image, mask, SEED).numpy()
    np.testing.assert_array_equal(found[:, :, 3], 0)
    assert odds(2, found)[0] >= 0.1 or np.abs(found[:, :, :3]).max() == 1


# tiles


def test_tiles_have_the_asked_size_and_no_border():
    """Without a border, the padding of training's canvases takes no part."""
    model = patched(padding=2)
    tile = model.synthesize(2, SEED, size=(6, 9), tile=True)
    assert tile.shape == (2, 6, 9, 1)
    bare = patched(patches=3)  # as many at a step of 54 pixels, for a canvas without padding
    np.testing.assert_array_equal(tile, bare.synthesize(2, SEED, size=(6, 9), tile=True))
    assert np.abs(tile - model.synthesize(2, SEED, size=(6, 9))).max() > 0


# maps of defects


def test_a_picture_of_the_patchs_size_has_the_patchs_energy_everywhere():
    model = patched()
    x = random.normal((3, *SHAPE), SEED)
    energy, defects = model.defects(x)
    np.testing.assert_allclose(energy, model.energy(x), rtol=1e-5)
    expected = np.broadcast_to(model.energy(x)[:, None, None, None], defects.shape)
    np.testing.assert_allclose(defects, expected, rtol=1e-5)


def test_the_map_of_defects_has_the_mean_energy_of_the_patches_that_cover_a_pixel():
    """For patches of 4, the grid has a patch at every place."""
    model, x = patched(), random.normal((2, 6, 7, 1), SEED).numpy()
    total, count = np.zeros_like(x), np.zeros_like(x)
    each = []
    for top in range(3):
        for left in range(4):
            at = np.s_[:, top : top + 4, left : left + 4]
            u = -sum(odds(stage, x[at]) for stage in range(3))
            each.append(u)
            total[at] += u[:, None, None, None]
            count[at] += 1
    energy, defects = model.defects(x)
    np.testing.assert_allclose(energy, np.mean(each, axis=0), rtol=1e-4)
    np.testing.assert_allclose(defects, total / count, rtol=1e-4, atol=1e-5)


def test_a_cascade_of_whole_images_maps_no_defects_and_makes_no_tiles():
    assert not {"defects", "synthesize"} & tasks().capabilities()
    assert {"defects", "synthesize", "complete"} <= patched().capabilities()


# score and features


def test_the_energy_is_minus_the_sum_of_the_log_odds():
    x = random.normal([5, *SHAPE], SEED)
    expected = -sum(odds(a, x.numpy()) for a in range(3))
    np.testing.assert_allclose(tasks().energy(x), expected, rtol=1e-5, atol=1e-5)


def test_the_energy_of_the_density_is_white_noise_less_the_sum_of_the_log_odds():
    x = random.normal([5, *SHAPE], SEED)
    noise = np.sum(x.numpy() ** 2, axis=(1, 2, 3)) / (2 * SIGMA**2)
    expected = noise - sum(odds(a, x.numpy()) for a in range(3))
    np.testing.assert_allclose(tasks().density_energy(x), expected, rtol=1e-5, atol=1e-4)


def test_anomaly_maps_the_slope_of_the_log_odds():
    """It is the sum of all weights, whatever the image."""
    x = random.normal([5, *SHAPE], SEED)
    energy, steepness = tasks().anomaly(x)
    np.testing.assert_allclose(energy, tasks().energy(x), rtol=1e-5)
    slope = np.abs(WEIGHTS.sum(axis=0))
    np.testing.assert_allclose(steepness, np.broadcast_to(slope, x.shape), rtol=1e-4, atol=1e-5)


def test_images_are_told_from_grey_and_noise_by_the_log_odds_not_by_white_noise():
    """The data lie far along the classifiers' weights: area under the ROC curve 1.

    White noise puts grey first: the density's energy has area 0, as findings of trained ones had.
    """
    rng = np.random.default_rng(0)
    along = np.sign(WEIGHTS.sum(axis=0))
    image = np.float32(0.9 * along + 0.05 * rng.normal(size=(40, *SHAPE)))
    data = Images(Examples(image), Examples(image[:20]), SHAPE, 40)
    of = Outliers(tasks(), data, num_images=40)
    grey = np.zeros((1, *SHAPE), np.float32)
    assert of.energies(image).max() < of.energies(grey)[0]
    assert tasks().density_energy(image).numpy().min() > tasks().density_energy(grey).numpy()[0]
    found = dict(of.run())
    assert found["auroc_constant"] > 0.95
    assert found["auroc_noise"] > 0.95


def test_the_target_is_the_density_in_the_box_and_the_score_leaves_white_noise_out():
    of = tasks()
    x = tf.tanh(random.normal([5, *SHAPE], SEED))
    target, score = of.target(), of.score_target()
    np.testing.assert_allclose(target.energy(x), of.density_energy(x), rtol=1e-5)
    assert target.distribution == TruncatedGaussian(SIGMA, bounds=(-1.0, 1.0))
    np.testing.assert_allclose(score.energy(x), of.energy(x), rtol=1e-5)
    assert score.distribution == Uniform((-1.0, 1.0))
    assert Landscape(of, None).target.distribution == Uniform((-1.0, 1.0))


def test_without_a_classifier_all_images_have_the_same_energy():
    energy, steepness = tasks(kept=0).anomaly(random.normal([5, *SHAPE], SEED))
    np.testing.assert_array_equal(energy, np.zeros(5))
    np.testing.assert_allclose(steepness, np.zeros([5, *SHAPE]), atol=1e-5)


def test_room_for_classifiers_that_are_not_there_yet_does_not_count():
    x = random.normal([5, *SHAPE], SEED)
    np.testing.assert_array_equal(tasks(room=7).energy(x), tasks().energy(x))


def test_features_are_those_of_the_net_as_it_is_now():
    x, of = random.normal([5, *SHAPE], SEED), tasks()
    np.testing.assert_array_equal(of.features(x), of.discriminator.features(x))


# synthesis


def test_noise_to_start_from_is_clipped_to_the_range():
    """As many of 15,000 pixels lie at each end of [-1, 1] as N(0, 1) has outside of it.

    The tolerance is 5 binomial standard errors, which fails with a probability of 6e-7.
    """
    x = synthesis(sigma=1.0).start([1000, *SHAPE[:2], 1], SEED).numpy()
    np.testing.assert_array_equal(x, np.clip(random.normal(x.shape, SEED), -1, 1))
    share = 2 * 0.158655
    assert abs(np.mean(np.abs(x) == 1) - share) < 5 * np.sqrt(share * (1 - share) / x.size)


def test_a_way_across_ends_where_it_is_first_seen_to_be_beyond_the_threshold():
    """Adam's steps under a constant slope are a hundredth of each pixel.

    The log-odds rise by |w|_1 / 100 a step, by hand until the batch's mean is at the threshold.
    """
    of, x = tasks(), tf.zeros([2, *SHAPE])
    rise = np.abs(WEIGHTS[1]).sum() / 100
    steps = np.ceil((0.3 - BIASES[1]) / rise) if BIASES[1] < 0.3 else 0
    np.testing.assert_allclose(
        of.advance(x, tf.constant(1), SEED), 0.01 * steps * np.sign(x + WEIGHTS[1]), atol=1e-5
    )
    steps = np.ceil((0.1 - BIASES[2]) / (np.abs(WEIGHTS[2]).sum() / 100))
    assert steps > 2
    np.testing.assert_allclose(
        of.advance(x, tf.constant(2), SEED), 0.01 * steps * np.sign(x + WEIGHTS[2]), atol=1e-4
    )


@pytest.mark.parametrize(
    "margin",
    [
        -0.4,
        pytest.param(0.0, marks=pytest.mark.slow),
        pytest.param(1.3, marks=pytest.mark.slow),
    ],
)
def test_cross_entropy_stops_at_the_same_log_odds(margin):
    """The objective falls as the log-odds rise; the threshold is its value at the margin.

    Adam's steps are known, and each way ends at most two of them beyond the margin.
    """
    ends = []
    for objective in ("log_odds", "cross_entropy"):
        of = tasks(margins=[margin] * 3, objective=objective, step_size=0.002)
        x = of.advance(tf.zeros([1, *SHAPE]), tf.constant(0), SEED).numpy()
        ends.append(odds(0, x)[0])
    step = 0.002 * np.abs(WEIGHTS[0]).sum()
    for end in ends:
        assert margin < end < margin + 2.1 * step


def test_the_released_codes_threshold_is_a_margin_of_cross_entropy():
    """It stops at a mean of -ln q(+1|x) of 0.62 nats."""
    from tfgen.models.synthesis import STOPS

    margin, window = STOPS["margin"]
    assert window == 1
    assert float(
        synthesis(objective="cross_entropy").descended(tf.constant(margin))
    ) == pytest.approx(0.62, abs=5e-5)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_steps_become_shorter_from_classifier_to_classifier(optimizer):
    """Under a constant slope all steps are taken, and are shorter by the decay."""
    x = tf.zeros([2, *SHAPE])
    options = {"margins": [1e9] * 3, "optimizer": optimizer, "num_steps": 3}
    whole, scaled = tasks(**options), tasks(**options, decay=0.25)
    for stage, scale in enumerate((1.0, 0.25, 0.0625)):
        moved = scale * whole.advance(x, tf.constant(stage), SEED)
        assert np.abs(moved).max() > 1e-3
        np.testing.assert_allclose(scaled.advance(x, tf.constant(stage), SEED), moved, rtol=1e-5)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_way_across_takes_at_most_its_steps_and_stays_in_range(optimizer):
    of = tasks(margins=[1e9] * 3, optimizer=optimizer, num_steps=3)
    x = tf.fill([1, *SHAPE], 0.98) * np.sign(WEIGHTS[0])
    found = of.advance(x, tf.constant(0), SEED).numpy()
    step = 0.01 * (np.sign(WEIGHTS[0]) if optimizer == "adam" else WEIGHTS[0])
    np.testing.assert_allclose(found[0], np.clip(x[0] + 3 * step, -1, 1), atol=1e-5)
    assert np.abs(found).max() == 1


def test_noise_on_the_way_does_not_lead_out_of_range():
    of = tasks(margins=[1e9] * 3, noise=0.5, num_steps=5)
    found = of.advance(tf.zeros([50, *SHAPE]), tf.constant(0), SEED).numpy()
    assert np.abs(found).max() == 1
    assert (
        np.abs(found - of.advance(tf.zeros([50, *SHAPE]), tf.constant(0), random.root(1))).max()
        > 0.1
    )


# generation


@pytest.mark.parametrize(
    "options",
    [
        {"noise": 0.05},
        pytest.param({}, marks=pytest.mark.slow),
        pytest.param({"objective": "cross_entropy"}, marks=pytest.mark.slow),
        pytest.param({"optimizer": "sgd"}, marks=pytest.mark.slow),
    ],
)
def test_samples_pass_through_all_classifiers_in_their_order_from_clipped_noise(options):
    """Samples equal those of `advance`, in the order of stages and with their seeds."""
    of = tasks(**options)
    start, seed = random.split(SEED)
    x = of.synthesis.start((6, *SHAPE), start)
    for stage in range(3):
        x = of.advance(x, tf.constant(stage), random.fold_in(seed, stage))
    np.testing.assert_allclose(of.generate(tf.constant(6), SEED), x, rtol=1e-5, atol=1e-6)


def test_another_order_would_end_elsewhere():
    """The test before can fail."""
    of = tasks()
    start, _ = random.split(SEED)
    ends = []
    for order in ((0, 1, 2), (2, 1, 0)):
        x = of.synthesis.start((6, *SHAPE), start)
        for stage in order:
            x = of.advance(x, tf.constant(stage), SEED)
        ends.append(x.numpy())
    assert np.abs(ends[0] - ends[1]).max() > 0.01


def test_samples_are_beyond_the_last_margin():
    """Their mean is, since synthesis stops by the mean."""
    x = tasks(margins=(0.0, 0.3, 1.5)).generate(tf.constant(8), SEED).numpy()
    assert 1.5 < odds(2, x).mean() < 1.5 + 2 * 0.01 * np.abs(WEIGHTS[2]).sum()


def test_the_same_seed_gives_the_same_sample_and_another_does_not():
    samples = [tasks().generate(tf.constant(2), random.root(s)).numpy() for s in (0, 0, 1)]
    np.testing.assert_array_equal(samples[0], samples[1])
    assert not np.array_equal(samples[0], samples[2])


def test_samples_of_a_canvas_are_cut_from_what_was_synthesized():
    of = patched(canvas=6, padding=3, num_steps=8)
    start, seed = random.split(SEED)
    x = of.synthesis.start((2, 12, 12, 1), start)
    for stage in range(3):
        x = of.advance(x, tf.constant(stage), random.fold_in(seed, stage))
    found = of.generate(tf.constant(2), SEED)
    assert found.shape == (2, 6, 6, 1)
    np.testing.assert_allclose(found, without_margin(x, 3), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("size", [(6, 6), pytest.param((9, 5), marks=pytest.mark.slow), (1, 7)])
def test_a_synthesis_has_the_size_asked_for_and_that_of_training_is_the_sample(size):
    of = patched(canvas=6, padding=3, num_steps=5)
    found = of.synthesize(tf.constant(2), SEED, tf.constant(size))
    assert found.shape == (2, *size, 1)
    if size == (6, 6):
        np.testing.assert_array_equal(found, of.generate(tf.constant(2), SEED))


@pytest.mark.parametrize(("side", "number"), [(8, 6), (16, 24), (12, 14), (5, 3)])
def test_larger_images_are_seen_by_more_patches_in_proportion_to_their_area(side, number):
    """There are 6 patches for 8 x 8 pixels, and the number is rounded up."""
    kernel, _ = patched().synthesis.across(lambda x: x, tf.constant(0.0), (1, side, side, 1))
    assert (int(kernel.kernel.number), kernel.kernel.size) == (number, 4)


# style


def test_a_picture_near_to_which_all_weight_pulls_stays():
    x = tf.tanh(random.normal([2, *SHAPE], SEED))
    np.testing.assert_array_equal(tasks().stylize(x, SEED, tf.constant(5), tf.constant(1.0)), x)


def test_without_that_pull_a_picture_ascends_all_classifiers_at_once_for_all_its_steps():
    """No margin ends it: Adam makes five steps of 0.01 up the sum of the three log-odds."""
    x = tf.zeros([2, *SHAPE])
    found = tasks().stylize(x, SEED, tf.constant(5), tf.constant(0.0))
    expected = 0.05 * np.sign(WEIGHTS.sum(axis=0))
    np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), atol=1e-5)


def test_a_stylized_pictures_steps_shrink_as_a_samples_do_through_the_cascade():
    """From 1 at the first to 0.25² at the last of five."""
    x = tf.zeros([1, *SHAPE])
    found = tasks(decay=0.25).stylize(x, SEED, tf.constant(5), tf.constant(0.0))
    length = 0.01 * sum(0.25 ** (2 * i / 4) for i in range(5))
    np.testing.assert_allclose(np.abs(found), length, rtol=1e-3)


@pytest.mark.parametrize("gamma", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("objective", ["log_odds", "cross_entropy"])
def test_what_a_stylized_picture_descends_is_the_papers_whatever_the_objective(gamma, objective):
    """gamma |x - content|_2 - (1 - gamma) ln p(x), where ln p is the sum of ln g (equation 12).

    A step of gradient descent moves by a hundredth of its slope, taken here by hand.
    """
    of = tasks(objective=objective, optimizer="sgd")
    content = tf.tanh(random.normal([1, *SHAPE], random.root(3)))
    x = content.numpy()
    found = of.stylize(content, SEED, tf.constant(3), tf.constant(gamma)).numpy()
    for _ in range(3):
        apart = np.sqrt(np.sum((x - content) ** 2) + 1e-12)
        slope = gamma * (x - content) / apart - (1 - gamma) * WEIGHTS.sum(axis=0)
        x = np.clip(x - 0.01 * slope, -1, 1)
    assert (np.abs(found - content).max() > 0.01) == (gamma < 1)
    np.testing.assert_allclose(found, x, atol=1e-5)


def test_the_pull_of_a_patch_is_to_its_own_place_of_the_picture():
    """With all weight on the content, pixels move towards the picture's same pixels.

    The steps are Adam's. Only covered pixels move.
    """
    of = patched(patches=200, step_size=0.001)
    content, x = (tf.tanh(random.normal([2, 8, 8, 1], random.root(s))) for s in (3, 4))
    kernel, energy = of.synthesis.near(of.classifier(0), content, tf.constant(1.0))
    state, _ = kernel.step(energy, kernel.init(energy, x), SEED)
    np.testing.assert_allclose(state.x - x, 0.001 * np.sign(content - x), atol=1e-5)


def test_pictures_of_any_size_are_stylized_by_patches():
    x = tf.zeros([2, 9, 7, 1])
    found = patched().stylize(x, SEED, tf.constant(3), tf.constant(0.3)).numpy()
    assert found.shape == x.shape
    assert np.abs(found).max() > 0.01


# the pace of steps, and how many classifiers


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_steps_shrink_within_a_synthesis_down_to_its_fall(optimizer):
    """They fall from 1 to 0.25 of a step over four steps, and stay there."""
    of = tasks([1e9] * 3, optimizer=optimizer, num_steps=6, fall=0.25, fall_steps=4)
    moved = of.advance(tf.zeros([1, *SHAPE]), tf.constant(0), SEED)
    length = 0.01 * (sum(0.25 ** (i / 3) for i in range(4)) + 2 * 0.25)
    slope = np.sign(WEIGHTS[0]) if optimizer == "adam" else WEIGHTS[0]
    np.testing.assert_allclose(moved[0], length * slope, rtol=1e-3, atol=1e-6)
    scales = [float(of.step_scale(0, tf.constant(float(i)))) for i in range(6)]
    assert 0.01 * sum(scales) == pytest.approx(length)


def test_samples_may_go_through_the_first_classifiers_alone():
    of = tasks()
    start, seed = random.split(SEED)
    x = of.synthesis.start((6, *SHAPE), start)
    for number in range(1, 4):
        x = of.advance(x, number - 1, random.fold_in(seed, number - 1))
        found = of.generate(6, SEED, classifiers=number)
        np.testing.assert_allclose(found, x, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(found, of.generate(6, SEED))
    assert len([key for key in of.graphs if key[0] == "generate"]) == 1


@pytest.mark.parametrize("number", [0, 4, -1])
def test_other_numbers_of_classifiers_than_there_are_are_refused(number):
    with pytest.raises(UserError, match=f"classifiers: expected from 1 to 3 .* found {number}"):
        tasks(room=7).generate(2, SEED, classifiers=number)


@pytest.mark.parametrize("stage", [3, 6, -1])
def test_a_stage_that_was_not_reached_is_refused_although_there_is_room(stage):
    with pytest.raises(UserError, match=f"stage: expected classifiers from 0 to 2 .* {stage}"):
        tasks(room=7).advance(np.zeros((1, *SHAPE), np.float32), stage, SEED)


def test_without_a_classifier_there_is_no_stage_to_advance_through():
    assert "advance" not in tasks(kept=0).capabilities()


# endpoints


@pytest.mark.parametrize(
    "of",
    [
        pytest.param(tasks(), id="whole"),
        pytest.param(patched(canvas=6, padding=3), id="patches", marks=pytest.mark.slow),
    ],
)
def test_endpoints_are_the_tasks_and_trace_with_their_signatures(of):
    of.synthesis = dataclasses.replace(of.synthesis, num_steps=3)
    endpoints = of.endpoints()
    any_size = of.synthesis.patch_size is not None
    names = {
        "energy",
        "density_energy",
        "anomaly",
        "features",
        "generate",
        "advance",
        "stylize",
    } | {"synthesize" if any_size else "complete"}
    assert set(endpoints) == names
    canvas = tf.tanh(random.normal([2, *of.canvas], SEED))
    values = {
        "image": canvas[:, :4, :4],
        "canvas": canvas,
        "content": canvas,
        "count": tf.constant(2),
        "seed": SEED,
        "num_steps": tf.constant(2),
        "stage": tf.constant(1),
        "size": tf.constant([5, 9]),
        "gamma": tf.constant(0.3),
        "mask": tf.cast(canvas > 0, tf.float32),
        "classifiers": tf.constant(2),
    }
    for name, endpoint in endpoints.items():
        given = {known: values[known] for known in endpoint.input_names}
        answer = getattr(of, name)(**given)
        wanted = answer if len(endpoint.outputs) > 1 else (answer,)
        found = endpoint.traced()(**given)
        for output, expected in zip(endpoint.outputs, wanted, strict=True):
            np.testing.assert_allclose(found[output], expected, rtol=1e-4, atol=1e-5, err_msg=name)


def test_the_images_that_endpoints_take_are_of_any_size_where_patches_are_seen():
    assert patched().endpoints()["stylize"].inputs[0].spec.shape.as_list() == [None, None, None, 1]
    assert tasks().endpoints()["stylize"].inputs[0].spec.shape.as_list() == [None, *SHAPE]
    assert patched().endpoints()["energy"].inputs[0].spec.shape.as_list() == [None, *SHAPE]
