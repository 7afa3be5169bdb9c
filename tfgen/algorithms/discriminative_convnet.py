"""The discriminative ConvNet, whose scores are energies when one category is white noise.

Paper: A Theory of Generative ConvNet, Definition 1 and Proposition 1 (b): a classifier with a base category
drawn from the reference, f = 0 and b = 0 for it, is a generative ConvNet for every other category:
p(I|c) ∝ exp f_c(I) q(I). The constants are b_c = log ρ_c - log ρ_base - log Z_c; the paper prints + log Z_c.
"""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from tfgen import energies, losses, random
from tfgen.errors import UserError, check
from tfgen.models import EnergyTasks
from tfgen.samplers import Langevin
from tfgen.training.algorithm import Algorithm
from tfgen.types import Batch, Endpoint, EnergyFn, Image, Label, Seed


class DiscriminativeConvNet(Algorithm):
    """Learns to tell the classes, and white noise, apart; its scores are sampled like any energy.

    Args:
        energy: the net, -f_c for each class, of images in units of sigma.
        image_shape: height, width, channels.
        image_mean: of the training images, a number a channel, in [-1, 1]; the reference's mean.
        seed: of all that training draws.
        sigma: the reference's standard deviation in pixel units, positive.
        base_ratio: images of the base category for each observed one, positive.
        data_noise: standard deviation, in pixel units, of noise added to the observed images.
        weight_decay: times the weights, added to their gradient.
        step_size: Langevin's ε in pixel units, positive.
        temperature: Langevin's, not negative.
        sample_steps: Langevin steps of a new sample or completion.
        denoising_steps: noise-free steps after these.

    Raises:
        UserError: if the net has one output only, or the data no labels.
    """

    def __init__(
        self,
        energy: keras.Model,
        *,
        image_shape: tuple[int, int, int],
        image_mean: Sequence[float],
        seed: int = 0,
        sigma: float = 0.5,
        base_ratio: float = 1.0,
        data_noise: float = 0.0,
        weight_decay: float = 0.0,
        step_size: float = 0.1,
        temperature: float = 1.0,
        sample_steps: int = 1000,
        denoising_steps: int = 0,
    ):
        super().__init__(["cross_entropy", "accuracy", "weight_grad_norm"], seed)
        self.energy = energy
        self.image_shape = tuple(image_shape)
        self.image_mean = np.array(image_mean, np.float32)
        self.sigma = check("sigma", sigma, above=0)
        self.base_ratio = check("base_ratio", base_ratio, above=0)
        self.data_noise = check("data_noise", data_noise, least=0)
        self.weight_decay = check("weight_decay", weight_decay, least=0)
        self.sample_steps = check("sample_steps", sample_steps, least=0)
        self.denoising_steps = check("denoising_steps", denoising_steps, least=0)
        self.kernel = Langevin(
            check("step_size", step_size, above=0), check("temperature", temperature, least=0)
        )
        self.num_classes = energy(tf.zeros((1, *self.image_shape)), training=False)[
            0
        ].shape.num_elements()
        if self.num_classes < 2:
            raise UserError("energy.outputs: expected one output a class, at least 2, and found 1")
        # b_c of equation 3; the base category's is fixed at zero
        self.bias = self.add_weight(shape=(self.num_classes,), initializer="zeros", name="b")

    def density(self, label: Label | None = None) -> EnergyFn:
        """U_c: the reference tilted by the score of each example's class."""
        return energies.tilted(
            energies.conditional(energies.frozen(self.energy), label), self.sigma, self.image_mean
        )

    def logits(self, image: Image, training: bool = False) -> tf.Tensor:
        """f_c + b_c of each class, [b, classes]; the base category's, not among them, is zero."""
        return self.bias - self.energy((image - self.image_mean) / self.sigma, training=training)

    def parameters(self, role: str) -> list[keras.Variable]:
        return [*super().parameters(role), self.bias]

    def update(self, batch: Batch, seed: Seed) -> dict[str, tf.Tensor]:
        if "label" not in batch:
            raise UserError("dataset: expected labels to classify by, and found none")
        noise_seed, base_seed = random.split(seed)
        observed, label = batch["image"], tf.cast(batch["label"], tf.int32)
        if self.data_noise:
            observed += self.data_noise * random.normal(tf.shape(observed), noise_seed)
        count = max(1, round(self.base_ratio * observed.shape[0]))
        base = self.image_mean + self.sigma * random.normal((count, *self.image_shape), base_seed)
        category = tf.concat([label + 1, tf.zeros(count, tf.int32)], axis=0)

        with tf.GradientTape() as tape:
            scores = self.logits(tf.concat([observed, base], axis=0), training=True)
            logits = tf.pad(scores, [[0, 0], [1, 0]])  # f = b = 0 for the base category
            loss = losses.cross_entropy(logits, category)
        gradients = self.descend("energy", tape, loss, self._decay)
        correct = tf.argmax(logits, axis=1, output_type=tf.int32) == category
        return {
            "cross_entropy": loss,
            "accuracy": tf.reduce_mean(tf.cast(correct, tf.float32)),
            "weight_grad_norm": tf.linalg.global_norm(gradients),
        }

    def pictures(self, batch: Batch) -> dict[str, Image]:
        classes = tf.range(self.num_classes)
        seed = random.root(self.seed)
        return {"samples": self.tasks.generate(self.num_classes, seed, self.sample_steps, classes)}

    @property
    def tasks(self) -> EnergyTasks:
        """What the energies are used for."""
        return EnergyTasks(
            self.density,
            self.kernel,
            self.image_shape,
            self.sigma,
            self.image_mean,
            num_classes=self.num_classes,
            denoising_steps=self.denoising_steps,
        )

    def endpoints(self) -> dict[str, Endpoint]:
        image = tf.TensorSpec((None, *self.image_shape), tf.float32, "image")

        def classify(image):
            return {"probability": tf.nn.softmax(self.logits(image))}

        return self.tasks.endpoints() | {"classify": Endpoint(classify, [image])}

    def _decay(self, gradient: tf.Tensor, variable: keras.Variable) -> tf.Tensor:
        return (
            gradient if len(variable.shape) == 1 else gradient + self.weight_decay * variable.value
        )
