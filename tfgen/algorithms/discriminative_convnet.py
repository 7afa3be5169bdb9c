"""The discriminative ConvNet, whose scores are energies when one category is white noise.

Paper: A Theory of Generative ConvNet, Definition 1 and Proposition 1 (b): a classifier with a base
category drawn from the reference, f = 0 and b = 0 for it, is a generative ConvNet for every other
category: p(I|c) ∝ exp f_c(I) q(I). The constants are b_c = log ρ_c - log ρ_base - log Z_c; the
paper prints + log Z_c.
"""

from collections.abc import Sequence
from typing import Annotated

import keras
import tensorflow as tf

from tfgen import losses, random, samplers
from tfgen.errors import NotNegative, Positive, UserError
from tfgen.models import DiscriminativeModel, Sampling
from tfgen.samplers import KernelName
from tfgen.training.algorithm import Algorithm, labels_of
from tfgen.types import Batch, Image, Seed


class DiscriminativeConvNet(Algorithm):
    """Learns to tell the classes, and white noise, apart; its scores are sampled as energies.

    Args:
        energy: the net, -f_c for each class, of images in units of sigma.
        image_shape: height, width, channels.
        image_mean: of the training images, a number a channel, in [-1, 1]; the reference's mean.
        seed: of all that training draws.
        sigma: the reference's standard deviation in pixel units.
        base_ratio: images of the base category for each observed one.
        data_noise: standard deviation, in pixel units, of noise added to the observed images.
        weight_decay: times the weights, added to their gradient.
        kernel: how samples move: langevin, mala or hmc.
        step_size: ε of a step in pixel units.
        temperature: T of the sampled density.
        sample_steps: sampling steps of a new sample or completion.
        denoising_steps: noise-free steps after these.

    Raises:
        UserError: if the net has one output only, or the data no labels.
    """

    model: DiscriminativeModel

    def __init__(
        self,
        energy: keras.Model,
        *,
        image_shape: tuple[int, int, int],
        image_mean: Sequence[float],
        seed: int = 0,
        sigma: Annotated[float, Positive] = 0.5,
        base_ratio: Annotated[float, Positive] = 1.0,
        data_noise: Annotated[float, NotNegative] = 0.0,
        weight_decay: Annotated[float, NotNegative] = 0.0,
        kernel: Annotated[str, KernelName] = "langevin",
        step_size: Annotated[float, Positive] = 0.1,
        temperature: Annotated[float, NotNegative] = 1.0,
        sample_steps: Annotated[int, NotNegative] = 1000,
        denoising_steps: Annotated[int, NotNegative] = 0,
    ):
        moving = samplers.kernel(kernel, step_size=step_size, temperature=temperature)
        model = DiscriminativeModel(
            energy,
            image_shape=image_shape,
            image_mean=image_mean,
            sigma=sigma,
            sampling=Sampling(moving, sample_steps, denoising_steps),
        )
        logged = ["cross_entropy", "accuracy", "weight_grad_norm"]
        super().__init__(model, logged=logged, seed=seed)
        self.base_ratio = base_ratio
        self.data_noise = data_noise
        self.weight_decay = weight_decay
        if model.num_classes < 2:
            raise UserError("energy.outputs: expected one output a class, at least 2, and found 1")

    def parameters(self, role: str) -> list[keras.Variable]:
        return [*super().parameters(role), self.model.bias]

    def update(self, batch: Batch, seed: Seed) -> dict[str, tf.Tensor]:
        model, label = self.model, labels_of(batch)
        noise_seed, base_seed = random.split(seed)
        observed = batch["image"]
        if self.data_noise:
            observed += self.data_noise * random.normal(tf.shape(observed), noise_seed)
        count = max(1, round(self.base_ratio * observed.shape[0]))
        noise = random.normal((count, *model.image_shape), base_seed)
        base = model.image_mean + model.sigma * noise
        # 0 is the base category, so the classes of the data begin at 1
        category = tf.concat([label + 1, tf.zeros(count, tf.int32)], axis=0)
        with tf.GradientTape() as tape:
            scores = model.logits(tf.concat([observed, base], axis=0), training=True)
            logits = tf.pad(scores, [[0, 0], [1, 0]])  # f = b = 0 for the base category
            loss = losses.cross_entropy(logits, category)
        gradients = self.minimize("energy", tape, loss, self._decay)
        correct = tf.argmax(logits, axis=1, output_type=tf.int32) == category
        return {
            "cross_entropy": loss,
            "accuracy": tf.reduce_mean(tf.cast(correct, tf.float32)),
            "weight_grad_norm": tf.linalg.global_norm(gradients),
        }

    def pictures(self, batch: Batch) -> dict[str, Image]:
        del batch
        count = self.model.num_classes
        seed = random.root(self.seed)
        # one sample a class
        return {"samples": self.model.generate(count, seed, label=tf.range(count))}

    def _decay(self, gradient: tf.Tensor, variable: keras.Variable) -> tf.Tensor:
        if len(variable.shape) == 1:  # biases are not decayed
            return gradient
        return gradient + self.weight_decay * variable.value
