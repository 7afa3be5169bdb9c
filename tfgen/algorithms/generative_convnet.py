"""The generative ConvNet: a ConvNet's score tilts white noise into a density of images.

Papers: A Theory of Generative ConvNet (Xie, Lu, Zhu and Wu, ICML 2016), Algorithm 1 and Definitions 2 to 4.
Deviations: the net starts from small random weights, where the paper's zeros would give the lower layers no
gradient; the mean subtracted is one number a channel, where the paper subtracts a mean image.
"""

from collections.abc import Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from tfgen import energies, losses, random
from tfgen.errors import UserError, check
from tfgen.models import EnergyTasks, cut
from tfgen.samplers import Langevin, run
from tfgen.training.algorithm import Algorithm
from tfgen.training.chains import Chains
from tfgen.types import Batch, Endpoint, EnergyFn, Image, Label, Seed


class GenerativeConvNet(Algorithm):
    """Learns an energy by maximum likelihood, or by contrastive divergence.

    Args:
        energy: the net, -f of images in units of sigma; several outputs are one energy a class
            (Definition 2), learned from labelled images.
        image_shape: height, width, channels.
        image_mean: of the training images, a number a channel, in [-1, 1]; the reference's mean.
        seed: of all that training draws.
        sigma: the reference's standard deviation in pixel units, positive.
        chains: persistent chains, the paper's M~.
        rejuvenation: probability that a chain starts anew from the reference at an update, in [0, 1].
        langevin_steps: L, steps between two updates.
        step_size: Langevin's ε in pixel units, positive.
        temperature: Langevin's, not negative.
        max_grad_norm: Langevin gradients are scaled down to this norm, nats per pixel unit; 0 leaves them.
        clamp: keep the chains in [-1, 1].
        contrastive_divergence: chains start from the observed images at each update (CD-L).
        data_noise: standard deviation, in pixel units, of noise added to the observed images.
        layer_iterations: updates before the next layer is added, the paper's T; 0 trains all at once.
        map_area_normalization: divide a layer's gradient by the area of its maps (release 1.3).
        max_gradient: scale a variable's gradient down to this largest entry (release 1.3: 20); 0 leaves it.
        weight_decay: times the weights, not the biases, added to their gradient (release 1.3: 1e-4).
        bias_rate: factor on the learning rate of biases (release 1.3: 2).
        margin: pixels at a chain's border, seen by fewer filters than the others, that are cut off what is
            shown, generated and measured; only for nets that take images of any size.
        sample_from_chains: new samples and completions start from the persistent chains, tiled where they are to
            be larger, instead of from the reference.
        sample_steps: Langevin steps of a new sample or completion.
        denoising_steps: noise-free steps after these.

    Raises:
        UserError: if the net cannot be grown, or a hyperparameter is out of its range.
    """

    def __init__(
        self,
        energy: keras.Model,
        *,
        image_shape: tuple[int, int, int],
        image_mean: Sequence[float],
        seed: int = 0,
        sigma: float = 1 / 127.5,
        chains: int = 16,
        rejuvenation: float = 0.0,
        langevin_steps: int = 10,
        step_size: float = 0.3 / 127.5,
        temperature: float = 1.0,
        max_grad_norm: float = 0.0,
        clamp: bool = False,
        contrastive_divergence: bool = False,
        data_noise: float = 0.0,
        layer_iterations: int = 0,
        map_area_normalization: bool = False,
        max_gradient: float = 0.0,
        weight_decay: float = 0.0,
        bias_rate: float = 1.0,
        margin: int = 0,
        sample_from_chains: bool = False,
        sample_steps: int = 1000,
        denoising_steps: int = 0,
    ):
        logged = [
            "energy_data",
            "energy_samples",
            "energy_gap",
            "weight_grad_norm",
            "langevin_grad_norm",
        ]
        super().__init__(
            [*logged, *(["reconstruction_error"] if contrastive_divergence else [])], seed
        )
        self.energy = energy
        self.image_shape = tuple(image_shape)
        self.image_mean = np.array(image_mean, np.float32)
        self.sigma = check("sigma", sigma, above=0)
        self.langevin_steps = check("langevin_steps", langevin_steps, least=1)
        self.contrastive_divergence = contrastive_divergence
        self.rejuvenation = check("rejuvenation", rejuvenation, least=0, most=1)
        self.data_noise = check("data_noise", data_noise, least=0)
        self.layer_iterations = check("layer_iterations", layer_iterations, least=0)
        self.map_area_normalization = map_area_normalization
        self.max_gradient = check("max_gradient", max_gradient, least=0)
        self.weight_decay = check("weight_decay", weight_decay, least=0)
        self.bias_rate = check("bias_rate", bias_rate, least=0)
        self.margin = check("margin", margin, least=0)
        self.sample_from_chains = sample_from_chains
        self.sample_steps = check("sample_steps", sample_steps, least=0)
        self.denoising_steps = check("denoising_steps", denoising_steps, least=0)
        self.kernel = Langevin(
            check("step_size", step_size, above=0),
            check("temperature", temperature, least=0),
            check("max_grad_norm", max_grad_norm, least=0) or None,
            (-1.0, 1.0) if clamp else None,
        )
        self.chains = Chains(check("chains", chains, least=1), self.image_shape, self.image_mean)
        self.num_classes = energy(tf.zeros((1, *self.image_shape)), training=False)[
            0
        ].shape.num_elements()
        if margin and not (
            getattr(energy, "any_size", False) and 2 * margin < min(self.image_shape[:2])
        ):
            raise UserError(f"margin: expected 0 for this net and image size and found {margin}")
        if layer_iterations and not hasattr(energy, "depth"):
            raise UserError(
                "layer_iterations: expected a net that grows layer by layer; set it to 0 for this one"
            )

    def density(self, label: Label | None = None, training: bool = False) -> EnergyFn:
        """U: the reference tilted by the score, of each example's class if there are classes."""

        def net(x):
            return self.energy(x, training=training)

        return energies.tilted(
            net if label is None else energies.conditional(net, label), self.sigma, self.image_mean
        )

    def compile(
        self, optimizers: Mapping[str, keras.optimizers.Optimizer], *args, **kwargs
    ) -> None:
        super().compile(optimizers, *args, **kwargs)
        if self.bias_rate != 1 and not isinstance(optimizers["energy"], keras.optimizers.SGD):
            raise UserError(
                "bias_rate: expected 1 unless the optimizer is sgd; Adam's steps do not depend on it"
            )

    def update(self, batch: Batch, seed: Seed) -> dict[str, tf.Tensor]:
        noise_seed, start_seed, langevin_seed = random.split(seed, 3)
        observed, label = batch["image"], self._labels(batch)
        if self.data_noise:
            observed += self.data_noise * random.normal(tf.shape(observed), noise_seed)

        # step 4: L steps of Langevin dynamics, equation 19
        start, start_label = (
            (observed, label) if self.contrastive_divergence else self._chains(start_seed)
        )
        synthesized, info = run(
            self.kernel, self.density(start_label), start, langevin_seed, self.langevin_steps
        )
        if not self.contrastive_divergence:
            self.chains.put(synthesized)

        # steps 5 and 6: w ← w + η (H_obs - H_syn), equation 21
        with tf.GradientTape() as tape:
            data = self.density(label, training=True)(observed)
            samples = self.density(start_label, training=True)(synthesized)
            loss = losses.energy_difference(data, samples, self._class_weights(label, start_label))
        gradients = self.descend("energy", tape, loss, self._stabilize)

        logs = {
            "energy_data": tf.reduce_mean(data),
            "energy_samples": tf.reduce_mean(samples),
            "energy_gap": loss,
            "weight_grad_norm": tf.linalg.global_norm(gradients),
            "langevin_grad_norm": tf.reduce_mean(info.mean.grad_norm),
        }
        if self.contrastive_divergence:
            error = (observed - self.tasks.reconstruct(observed, label)) ** 2
            logs["reconstruction_error"] = tf.reduce_mean(error)
        return logs

    @property
    def tasks(self) -> EnergyTasks:
        """What the energy is used for."""
        return EnergyTasks(
            self.density,
            self.kernel,
            self.image_shape,
            self.sigma,
            self.image_mean,
            self.chains.state if self.sample_from_chains else None,
            self.num_classes,
            any_size=getattr(self.energy, "any_size", False),
            margin=self.margin,
            denoising_steps=self.denoising_steps,
        )

    def endpoints(self) -> dict[str, Endpoint]:
        found = self.tasks.endpoints()
        if not self.contrastive_divergence:
            found["chains"] = Endpoint(lambda: {"image": self._synthesized()}, [])
        return found

    def _synthesized(self) -> Image:
        """What the chains show, denoised like samples, [chains, h - 2 margin, w - 2 margin, c]."""
        label = None if self.num_classes == 1 else tf.range(self.chains.num) % self.num_classes
        return cut(self.tasks.denoise(self.chains.state.value, label), self.margin)

    def chain_label(self) -> Label | None:
        """The class that each of this replica's chains belongs to."""
        return None if self.num_classes == 1 else self.chains.index() % self.num_classes

    def pictures(self, batch: Batch) -> dict[str, Image]:
        if self.contrastive_divergence:
            observed = batch["image"]
            return {
                "observed": observed,
                "reconstructions": self.tasks.reconstruct(observed, self._labels(batch)),
            }
        return {"chains": self._synthesized()}

    def callbacks(self) -> list[keras.callbacks.Callback]:
        return [Growth(self)] if self.layer_iterations else []

    def _class_weights(self, label: Label | None, chain_label: Label | None) -> tf.Tensor | float:
        """Weights that give the synthesized images the observed images' shares of classes.

        Without them a class met more often than its chains are many would pull its own f up by a constant.
        """
        if label is None:
            return 1.0
        observed, synthesized = (tf.one_hot(x, self.num_classes) for x in (label, chain_label))
        share = tf.reduce_mean(observed, axis=0) / tf.maximum(
            tf.reduce_mean(synthesized, axis=0), 1e-6
        )
        return tf.linalg.matvec(synthesized, share)

    def _chains(self, seed: Seed) -> tuple[Image, Label | None]:
        """The persistent chains, some of them started anew, and their classes."""
        x = self.chains.take()
        if self.rejuvenation:
            which, noise = random.split(seed)
            anew = random.uniform((self.chains.per_replica, 1, 1, 1), which) < self.rejuvenation
            x = tf.where(anew, self.image_mean + self.sigma * random.normal(tf.shape(x), noise), x)
        return x, self.chain_label()

    def _labels(self, batch: Batch) -> Label | None:
        if self.num_classes == 1:
            return None
        if "label" not in batch:
            raise UserError(
                "dataset: expected labels, since the net has an energy for each class, and found none"
            )
        return tf.cast(batch["label"], tf.int32)

    def _stabilize(self, gradient: tf.Tensor, variable: keras.Variable) -> tf.Tensor:
        """The released code's treatment of one variable's gradient; the identity by default."""
        if self.map_area_normalization:
            gradient /= self.energy.map_area(variable, self.image_shape)
        if self.max_gradient:
            largest = tf.reduce_max(tf.abs(gradient))
            gradient *= tf.minimum(1.0, self.max_gradient / (largest + 1e-12))
        if len(variable.shape) == 1:
            return self.bias_rate * gradient
        return gradient + self.weight_decay * tf.cast(variable.value, gradient.dtype)


class Growth(keras.callbacks.Callback):
    """Adds a layer every `layer_iterations` updates; the chains then start anew.

    The depth is a function of the step, so a resumed run stands where it stood.
    """

    def __init__(self, algorithm: GenerativeConvNet):
        super().__init__()
        self.algorithm = algorithm
        self.height = len(algorithm.energy.convs)

    def on_train_begin(self, logs=None):
        self._grow(self.algorithm.num_updates)

    def on_train_batch_begin(self, batch, logs=None):
        step = self.algorithm.num_updates
        boundary = step % self.algorithm.layer_iterations == 0
        if boundary and 0 < step < self.height * self.algorithm.layer_iterations:
            self._grow(step)
            self.algorithm.chains.restart()

    def _grow(self, step: int) -> None:
        self.algorithm.energy.depth = min(step // self.algorithm.layer_iterations + 1, self.height)
        self.algorithm.make_train_function(force=True)
