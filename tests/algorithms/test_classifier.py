"""The classifier: its loss, what it does to training images, its endpoints."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfgen import random
from tfgen.algorithms.classifier import Classifier
from tfgen.data.examples import Examples, Images
from tfgen.errors import UserError
from tfgen.evaluation.accuracy import Accuracy
from tfgen.nets.families import convnet_classifier

SHAPE = (8, 8, 1)


def build(shape=SHAPE, **options):
    """Returns a classifier on a narrow net of three classes."""
    keras.utils.set_random_seed(0)
    algorithm = Classifier(
        convnet_classifier.classifier(shape, width=0.125, outputs=3), image_shape=shape, **options
    )
    algorithm.compile({"classifier": keras.optimizers.Adam(0.01)})
    return algorithm


def stripes(count, seed=0):
    """Returns noisy images whose class says in which third of their rows they are bright."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 3, count)
    bright = np.arange(8)[None, :] // 3 == label[:, None]
    image = 0.5 * np.where(bright[:, :, None, None], 1, -1) + 0.3 * rng.standard_normal(
        (count, *SHAPE)
    )
    return Examples(np.clip(image, -1, 1).astype(np.float32), label)


def batch(count=6, shape=SHAPE):
    """Returns a batch of labelled noise."""
    index = tf.range(count, dtype=tf.int64)
    return {
        "image": tf.tanh(random.normal([count, *shape], random.root(2))),
        "index": index,
        "label": index % 3,
    }


def moved(image, draws=1, flip=False, shift=0):
    """Returns what training sees of images, `draws` times."""
    algorithm = one_for_all()
    algorithm.flip, algorithm.shift = flip, shift
    return [algorithm._moved(tf.constant(image), random.root(s)).numpy() for s in range(draws)]


@functools.cache
def one_for_all():
    """Returns the classifier whose images are moved; its net does not matter."""
    return build()


@pytest.fixture(scope="module")
def trained():
    """Trains a classifier of the stripes."""
    algorithm = build()
    algorithm.fit(
        stripes(600).batches(50, random.root(0)), steps_per_epoch=80, verbose=0, shuffle=False
    )
    return algorithm


@pytest.mark.parametrize("smoothing", [0.0, 0.3, 1.0])
def test_the_loss_is_the_cross_entropy_to_the_smoothed_labels(smoothing):
    algorithm, given = build(label_smoothing=smoothing), batch()
    logits = algorithm.model.logits(given["image"], training=True).numpy().astype(np.float64)
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    target = (1 - smoothing) * np.eye(3)[given["label"].numpy()] + smoothing / 3
    logs = algorithm.update(given, random.root(0))
    assert float(logs["cross_entropy"]) == pytest.approx(
        -np.mean(np.sum(target * log_p, axis=1)), rel=1e-4
    )
    assert float(logs["accuracy"]) == pytest.approx(
        np.mean(log_p.argmax(axis=1) == given["label"].numpy())
    )


def test_the_logged_norm_is_that_of_the_losss_gradient():
    algorithm, given = build(), batch()
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(
            keras.losses.sparse_categorical_crossentropy(
                given["label"],
                algorithm.model.logits(given["image"], training=True),
                from_logits=True,
            )
        )
    expected = tf.linalg.global_norm(tape.gradient(loss, algorithm.trainable_tensors("classifier")))
    norm = algorithm.update(given, random.root(0))["classifier_grad_norm"]
    assert float(norm) == pytest.approx(float(expected), rel=1e-3)


def test_a_trained_classifier_is_right_about_images_it_has_not_seen(trained):
    """Classes that are 13 standard deviations of the noise apart are told apart.

    A share of 0.95 leaves room for a short training.
    """
    data = Images(stripes(20), stripes(200, seed=1), SHAPE, 20)
    assert dict(Accuracy(trained.model, data).run())["accuracy"] > 0.95


def test_endpoints_agree_with_the_net(trained):
    x = tf.constant(stripes(5, seed=2).image)
    classified, seen = (
        trained.model.endpoints()[name].fn(image=x) for name in ("classify", "features")
    )
    np.testing.assert_allclose(
        classified["probability"], tf.nn.softmax(trained.model.logits(x)), rtol=1e-6
    )
    np.testing.assert_allclose(seen["probability"], classified["probability"], rtol=1e-6)
    np.testing.assert_array_equal(seen["feature"], trained.model.classifier.features(x))
    assert (seen["feature"].shape, seen["feature"].dtype) == ((5, 16), tf.float32)


def test_what_is_asked_for_one_image_does_not_depend_on_the_others(trained):
    """Batch normalization uses its learned statistics: answers differ by rounding alone."""
    x, features = (
        tf.constant(stripes(5, seed=2).image),
        trained.model.endpoints()["features"].traced(),
    )
    np.testing.assert_allclose(
        features(image=x)["feature"][2:3], features(image=x[2:3])["feature"], rtol=1e-4, atol=1e-5
    )


def test_without_flips_and_shifts_training_sees_the_images_as_they_are():
    image = batch()["image"].numpy()
    np.testing.assert_array_equal(moved(image)[0], image)


def test_flips_mirror_each_image_half_of_the_time():
    """Counts 400 flips of a fair coin: the share is within 0.4 and 0.6.

    This is 4 standard errors, and fails for one seed in 16,000.
    """
    image = np.arange(100 * 4 * 4 * 3, dtype=np.float32).reshape(100, 4, 4, 3)
    mirrored = 0
    for seen in moved(image, draws=4, flip=True):
        turned = (seen == image[:, :, ::-1]).all(axis=(1, 2, 3))
        kept = (seen == image).all(axis=(1, 2, 3))
        assert (turned != kept).all()
        mirrored += turned.sum()
    assert 0.4 < mirrored / 400 < 0.6


@settings(max_examples=20, deadline=None)
@given(
    shift=st.integers(1, 6),
    height=st.integers(1, 5),
    width=st.integers(1, 5),
    seed=st.integers(0, 1000),
)
def test_shifts_move_images_by_no_more_than_was_said_and_repeat_edges(shift, height, width, seed):
    """Every result is a window of the image, padded by its edges as NumPy pads."""
    image = np.random.default_rng(seed).normal(size=(3, height, width, 2)).astype(np.float32)
    padded = np.pad(image, [(0, 0), (shift, shift), (shift, shift), (0, 0)], mode="edge")
    seen = moved(image, shift=shift)[0]
    for i in range(3):
        windows = (
            padded[i, top : top + height, left : left + width]
            for top in range(2 * shift + 1)
            for left in range(2 * shift + 1)
        )
        assert any(np.array_equal(seen[i], window) for window in windows)


def test_shifts_are_all_equally_likely():
    """Of 3,000 draws 333 fall on each of 3 x 3 shifts; 73 is 4.2 standard errors.

    It fails once in 5,000 seeds.
    """
    image = np.zeros((3000, 3, 3, 1), np.float32)
    image[:, 1, 1] = 1
    counts = moved(image, shift=1)[0].sum(axis=0)
    assert counts.sum() == 3000
    assert np.abs(counts - 3000 / 9).max() < 73


def test_updates_repeat_themselves_with_their_seed():
    losses = [
        float(build(flip=True, shift=2).update(batch(), random.root(s))["cross_entropy"])
        for s in (0, 0, 1)
    ]
    assert losses[0] == losses[1] != losses[2]


def test_the_picture_is_what_was_observed():
    given = batch()
    np.testing.assert_array_equal(build().pictures(given)["observed"], given["image"])


def test_the_number_of_classes_is_the_nets():
    assert build().model.num_classes == 3


def test_data_without_labels_is_refused():
    with pytest.raises(UserError, match="dataset: expected labels"):
        build().update({"image": tf.zeros([4, *SHAPE])}, random.root(0))


@pytest.mark.parametrize(
    "options", [{"label_smoothing": -0.1}, {"label_smoothing": 1.1}, {"shift": -1}]
)
def test_constants_out_of_their_range_are_refused(options):
    with pytest.raises(UserError, match=next(iter(options))):
        build(**options)


def test_a_net_of_one_output_is_refused():
    net = keras.Sequential(
        [keras.layers.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    with pytest.raises(UserError, match="outputs"):
        Classifier(net, image_shape=SHAPE)
