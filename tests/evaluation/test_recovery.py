"""The recovery of missing pixels is measured by the model's own completions."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgen import random
from tfgen.algorithms.vae import VAE
from tfgen.data import masks
from tfgen.data.examples import Examples, Images
from tfgen.errors import UserError
from tfgen.evaluation.recovery import Recovery
from tfgen.models import Model, inputs, task
from tfgen.nets.families import triangle_digits

SHAPE = (8, 8, 1)


def pictures(count, seed=0):
    """Random images."""
    image = np.tanh(np.random.default_rng(seed).normal(size=(count, *SHAPE)))
    return Examples(image.astype(np.float32))


def vae(count):
    """A tiny VAE that learns from images of which pixels are missing."""
    keras.utils.set_random_seed(0)
    nets = [
        getattr(triangle_digits, role)(SHAPE, width=0.125) for role in ("generator", "inference")
    ]
    algorithm = VAE(*nets, image_shape=SHAPE, num_incomplete=count, sigma=0.1)
    algorithm.compile({role: keras.optimizers.Adam(0.01) for role in ("generator", "inference")})
    return algorithm


def incomplete(image):
    """Images with half of their pixels missing, for training and test alike."""
    mask = masks.parse("P.5", image.shape[:3], random.root(0)).numpy() > 0
    train = Examples(image, mask=mask)
    return Images(train, train, SHAPE, len(image))


class Shifting(Model):
    """Completes images by their hidden truth and a tenth, and reconstructs half of an image."""

    def __init__(self, truth):
        super().__init__({}, image_shape=SHAPE)
        self.truth = tf.constant(truth)

    def inputs(self):
        declared = inputs.image(SHAPE), inputs.mask(SHAPE), inputs.seed()
        return {known.name: known for known in declared}

    @task("image")
    def complete(self, image, mask, seed):
        """Finds the truth by the known pixels: no image is asked to be completed as another."""
        del seed
        distance = tf.reduce_sum((image[:, None] - mask[:, None] * self.truth) ** 2, [2, 3, 4])
        truth = tf.gather(self.truth, tf.argmin(distance, axis=1))
        return mask * image + (1 - mask) * (truth + 0.1)

    @task("image")
    def reconstruct(self, image):
        """Halves images."""
        return image / 2


def test_recovery_measures_completions_and_what_zeros_and_the_mean_would_be():
    """150 images, in two batches, completed a tenth off: half of that is its share of the range."""
    truth = pictures(150).image / 2
    data = incomplete(truth)
    found = dict(Recovery(Shifting(truth), data).run())
    hidden = ~np.broadcast_to(data.train.mask, truth.shape)
    assert found["error"] == pytest.approx(0.05, abs=1e-6)
    assert found["zeros"] == pytest.approx(np.abs(truth[hidden]).mean() / 2, rel=1e-5)
    known = np.ma.array(truth, mask=hidden).mean(axis=0).filled(0)
    assert found["mean_image"] == pytest.approx(np.abs(truth - known)[hidden].mean() / 2, rel=1e-5)
    rebuilt = (truth + 0.1) / 2
    assert found["error_of_reconstruction"] == pytest.approx(
        np.abs(rebuilt - truth)[hidden].mean() / 2, rel=1e-4
    )


def test_recovery_asks_the_model_to_complete_the_training_images():
    """The same numbers as the model's own completions, 20 images in one batch."""
    data, trained = incomplete(pictures(20).image), vae(20).model
    image, mask = data.train.as_float(), data.train.mask.astype(np.float32)
    completed = trained.complete(image, mask, random.fold_in(random.root(3), 0)).numpy()
    found = dict(Recovery(trained, data, seed=3).run())
    hidden = ~np.broadcast_to(data.train.mask, image.shape)
    assert found["error"] == pytest.approx(np.abs(completed - image)[hidden].mean() / 2, rel=1e-5)
    rebuilt = trained.reconstruct(completed).numpy()
    assert found["error_of_reconstruction"] == pytest.approx(
        np.abs(rebuilt - image)[hidden].mean() / 2, rel=1e-5
    )


def test_learning_recovers_what_is_missing_of_images_of_one_colour():
    """Known pixels tell the others: 200 updates halve the error of either filling at least.

    The fillings are zeros and the mean image.
    """
    grey = np.random.default_rng(0).uniform(-0.9, 0.9, (60, 1, 1, 1))
    data, algorithm = incomplete(np.broadcast_to(grey, (60, *SHAPE)).astype(np.float32)), vae(60)
    algorithm.fit(
        data.train.batches(20, random.root(0)), steps_per_epoch=200, verbose=0, shuffle=False
    )
    found = dict(Recovery(algorithm.model, data).run())
    assert found["error"] < min(found["zeros"], found["mean_image"]) / 2
    assert found["error_of_reconstruction"] < min(found["zeros"], found["mean_image"]) / 2


def test_the_protocol_of_recovery_says_how_much_was_missing():
    data = incomplete(pictures(20).image)
    protocol = Recovery(vae(20).model, data).protocol()
    assert protocol["missing_share"] == pytest.approx(1 - data.train.mask.mean(), abs=1e-4)
    assert protocol["num_images"] == 20


@pytest.mark.parametrize("count", [0, 20])
def test_recovery_of_whole_images_is_refused(count):
    whole = Images(pictures(20), pictures(10, seed=1), SHAPE, 20)
    with pytest.raises(UserError, match="recovery: expected training images with hidden pixels"):
        Recovery(vae(count).model, whole)
