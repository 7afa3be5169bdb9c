"""A classifier of images: what samples are measured with, and what an energy is compared with.

The measurements of generated images were defined on the features of a net trained on ImageNet
(Salimans et al., Improved techniques for training GANs, 2016); one trained on the images in
question serves sets that are unlike it.
"""

from typing import Annotated

import keras
import tensorflow as tf

from tfgen import losses, random
from tfgen.errors import Fraction, NotNegative, UserError
from tfgen.models import ClassifierModel
from tfgen.training.algorithm import Algorithm, labels_of
from tfgen.types import Batch, Image, Label, Seed


class Classifier(Algorithm):
    """Learns p(label | image) by cross-entropy.

    Args:
        classifier: the net, images to logits; `features` and `head` are its two halves.
        image_shape: height, width, channels.
        seed: of all that training draws.
        label_smoothing: share of each label spread evenly over all classes.
        flip: whether training images are mirrored, left to right, half of the time.
        shift: pixels that training images are moved by at most, down and across, edges repeated.

    Raises:
        UserError: if the net has one output only, or the data no labels.
    """

    model: ClassifierModel

    def __init__(
        self,
        classifier: keras.Model,
        *,
        image_shape: tuple[int, int, int],
        seed: int = 0,
        label_smoothing: Annotated[float, Fraction] = 0.0,
        flip: bool = False,
        shift: Annotated[int, NotNegative] = 0,
    ):
        model = ClassifierModel(classifier, image_shape=image_shape)
        logged = ["cross_entropy", "accuracy", "classifier_grad_norm"]
        super().__init__(model, logged=logged, seed=seed)
        self.label_smoothing = label_smoothing
        self.flip = flip
        self.shift = shift
        if model.num_classes < 2:
            raise UserError(
                "classifier.outputs: expected one output a class, at least 2, and found 1"
            )

    def update(self, batch: Batch, seed: Seed) -> dict[str, tf.Tensor]:
        label = labels_of(batch)
        image = self._moved(batch["image"], seed)
        with tf.GradientTape() as tape:
            logits = self.model.logits(image, training=True)
            loss = _loss(logits, label, self.label_smoothing)
        correct = tf.argmax(logits, axis=1, output_type=tf.int32) == label
        norms = self.minimize_together(["classifier"], tape, loss)
        return norms | {
            "cross_entropy": loss,
            "accuracy": tf.reduce_mean(tf.cast(correct, tf.float32)),
        }

    def pictures(self, batch: Batch) -> dict[str, Image]:
        return {"observed": batch["image"]}

    def _moved(self, image: Image, seed: Seed) -> Image:
        """Returns images mirrored and shifted at random, each on its own."""
        batch, height, width, _ = image.shape
        # always split in three, so that one option does not change what another one draws
        flip_seed, down, across = random.split(seed, 3)
        if self.flip:
            mirrored = random.uniform((batch, 1, 1, 1), flip_seed) < 0.5
            image = tf.where(mirrored, tf.reverse(image, [2]), image)
        if self.shift:
            image = _shifted(image, 1, self._offsets(batch, down), height)
            image = _shifted(image, 2, self._offsets(batch, across), width)
        return image

    def _offsets(self, batch: int, seed: Seed) -> tf.Tensor:
        return random.uniform((batch, 1), seed, -self.shift, self.shift + 1, tf.int32)


def _loss(logits: tf.Tensor, label: Label, smoothing: float) -> tf.Tensor:
    """Computes the cross-entropy, and with smoothed labels its mean over all classes too."""
    loss = losses.cross_entropy(logits, label)
    if not smoothing:
        return loss
    # -log p averaged over the classes: the cross-entropy to the uniform distribution
    evenly = tf.reduce_logsumexp(logits, axis=1) - tf.reduce_mean(logits, axis=1)
    return (1 - smoothing) * loss + smoothing * tf.reduce_mean(evenly)


def _shifted(image: Image, axis: int, offset: tf.Tensor, side: int) -> Image:
    """Returns images moved along an axis by an offset [b, 1], edges repeated."""
    place = tf.clip_by_value(tf.range(side) - offset, 0, side - 1)
    return tf.gather(image, place, axis=axis, batch_dims=1)
