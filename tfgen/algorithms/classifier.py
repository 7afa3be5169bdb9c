"""A classifier of images: what a model's samples are measured with, and what its energy is compared with.

The measurements of generated images were defined on the features of a net trained on ImageNet (Salimans et al.,
Improved techniques for training GANs, 2016); one trained on the images in question serves sets that are unlike it.
"""

import keras
import tensorflow as tf

from tfgen import losses, random
from tfgen.errors import UserError, check
from tfgen.training.algorithm import Algorithm
from tfgen.types import Batch, Endpoint, Image, Label, Seed


class Classifier(Algorithm):
    """Learns p(label | image) by cross-entropy.

    Args:
        classifier: the net, images to logits; `features` and `head` are its two halves.
        image_shape: height, width, channels.
        seed: of all that training draws.
        label_smoothing: share of each label spread evenly over all classes, in [0, 1].
        flip: whether training images are mirrored, left to right, half of the time.
        shift: pixels that training images are moved by at most, down and across, edges repeated; not negative.

    Raises:
        UserError: if the net has one output only, or the data no labels.
    """

    def __init__(
        self,
        classifier: keras.Model,
        *,
        image_shape: tuple[int, int, int],
        seed: int = 0,
        label_smoothing: float = 0.0,
        flip: bool = False,
        shift: int = 0,
    ):
        super().__init__(["cross_entropy", "accuracy", "classifier_grad_norm"], seed)
        self.classifier = classifier
        self.image_shape = tuple(image_shape)
        self.label_smoothing = check("label_smoothing", label_smoothing, least=0, most=1)
        self.flip = flip
        self.shift = check("shift", shift, least=0)
        self.num_classes = classifier(tf.zeros((1, *self.image_shape)), training=False).shape[-1]
        if self.num_classes < 2:
            raise UserError(
                "classifier.outputs: expected one output a class, at least 2, and found 1"
            )

    def logits(self, image: Image, training: bool = False) -> tf.Tensor:
        """log p(label | image) up to what the classes share, [b, classes]."""
        return self.classifier(image, training=training)

    def update(self, batch: Batch, seed: Seed) -> dict[str, tf.Tensor]:
        if "label" not in batch:
            raise UserError("dataset: expected labels to classify by, and found none")
        image, label = self._moved(batch["image"], seed), tf.cast(batch["label"], tf.int32)
        with tf.GradientTape() as tape:
            logits = self.logits(image, training=True)
            loss = self._loss(logits, label)
        correct = tf.argmax(logits, axis=1, output_type=tf.int32) == label
        return {
            "cross_entropy": loss,
            "accuracy": tf.reduce_mean(tf.cast(correct, tf.float32)),
        } | self.descend_together(["classifier"], tape, loss)

    def endpoints(self) -> dict[str, Endpoint]:
        image = tf.TensorSpec((None, *self.image_shape), tf.float32, "image")

        def classify(image):
            return {"probability": tf.nn.softmax(self.logits(image))}

        def features(image):
            feature = self.classifier.features(image)
            return {"feature": feature, "probability": tf.nn.softmax(self.classifier.head(feature))}

        return {"classify": Endpoint(classify, [image]), "features": Endpoint(features, [image])}

    def pictures(self, batch: Batch) -> dict[str, Image]:
        return {"observed": batch["image"]}

    def _loss(self, logits: tf.Tensor, label: Label) -> tf.Tensor:
        """The cross-entropy, and with smoothed labels its mean over all classes too."""
        loss = losses.cross_entropy(logits, label)
        if not self.label_smoothing:
            return loss
        evenly = tf.reduce_mean(
            tf.reduce_logsumexp(logits, axis=1) - tf.reduce_mean(logits, axis=1)
        )
        return (1 - self.label_smoothing) * loss + self.label_smoothing * evenly

    def _moved(self, image: Image, seed: Seed) -> Image:
        """Mirrored and shifted at random, each image on its own."""
        batch, height, width, _ = image.shape
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


def _shifted(image: Image, axis: int, offset: tf.Tensor, side: int) -> Image:
    """Moved along an axis, edges repeated; offset [b, 1]."""
    return tf.gather(
        image, tf.clip_by_value(tf.range(side) - offset, 0, side - 1), axis=axis, batch_dims=1
    )
