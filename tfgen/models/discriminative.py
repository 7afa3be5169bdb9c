"""A classifier whose scores are energies, since one of its categories is white noise."""

import keras
import tensorflow as tf

from tfgen.models.endpoints import task
from tfgen.models.energy import EnergyModel
from tfgen.types import Image


@keras.saving.register_keras_serializable("tfgen")
class DiscriminativeModel(EnergyModel):
    """An energy for each class, and the probability of each class.

    Training adds white noise as a further, base category, whose logit is fixed at zero. The tasks
    of the model leave it out.

    Args: see `EnergyModel`.

    Attributes:
        bias: b_c of equation 3, [classes]; the base category's is fixed at zero.

    Source: A Theory of Generative ConvNet, Definition 1 and Proposition 1 (b).
    """

    def __init__(self, energy: keras.Model, **settings):
        super().__init__(energy, **settings)
        self.bias = self.add_weight(shape=(self.num_classes,), initializer="zeros", name="b")

    def logits(self, image: Image, training: bool = False) -> tf.Tensor:
        """Computes f_c + b_c of each class, [b, classes]; the base category's is zero.

        Args:
            image: [b, h, w, c].
            training: whether the net runs in training mode.
        """
        y = (image - self.image_mean) / self.sigma
        return self.bias - self.energy_net(y, training=training)

    @task("probability")
    def classify(self, image: Image) -> tf.Tensor:
        """Computes the probability of each class, given that it is one of them, [b, classes]."""
        return tf.nn.softmax(self.logits(image))
