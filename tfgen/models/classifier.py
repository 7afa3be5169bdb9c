"""A classifier of images, whose features measure what other models generate."""

import keras
import tensorflow as tf

from tfgen.models import inputs
from tfgen.models.base import Model
from tfgen.models.endpoints import task
from tfgen.nets.architectures import adapters
from tfgen.types import Image


@keras.saving.register_keras_serializable("tfgen")
class ClassifierModel(Model):
    """The probability of each class, and the features it is linear in.

    Args:
        classifier: the net, images to logits.
        image_shape: height, width, channels.

    Attributes:
        classifier: the net; `features` and `head` are its two halves.
    """

    image_shape: tuple[int, int, int]

    def __init__(
        self, classifier: keras.Model, *, image_shape: tuple[int, int, int], sampling=None
    ):
        net = adapters.as_classifier(classifier, image_shape)
        super().__init__(
            {"classifier": net},
            image_shape=image_shape,
            num_classes=net.num_outputs,
            sampling=sampling,
        )
        self.classifier = net

    def inputs(self) -> dict[str, inputs.Input]:
        return {"image": inputs.image(self.image_shape)}

    def logits(self, image: Image, training: bool = False) -> tf.Tensor:
        """Computes log p(label | image) up to one constant an image, [b, classes]."""
        return self.classifier(image, training=training)

    @task("probability")
    def classify(self, image: Image) -> tf.Tensor:
        """Computes the probability of each class, [b, classes]."""
        return tf.nn.softmax(self.logits(image))

    @task("feature", "probability")
    def features(self, image: Image) -> tuple[tf.Tensor, tf.Tensor]:
        """Computes features, [b, d], and the probability of each class, [b, classes]."""
        feature = self.classifier.features(image)
        return feature, tf.nn.softmax(self.classifier.head(feature))
