"""The generative ConvNet: a ConvNet's score tilts white noise into a density of images.

Paper: A Theory of Generative ConvNet (Xie, Lu, Zhu and Wu, ICML 2016), Algorithm 1 and
Definitions 2 to 4. Deviations: the net starts from small random weights, where the paper's zeros
would give the lower layers no gradient; the mean subtracted is one number a channel, where the
paper subtracts a mean image.
"""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Annotated

import keras
import tensorflow as tf

from tfgen import losses, random
from tfgen.errors import AtLeastOne, Fraction, NotNegative, Positive, Range, UserError
from tfgen.models import EnergyModel, Sampling
from tfgen.samplers import KernelName, run
from tfgen.training import replicas
from tfgen.training.algorithm import Algorithm, labels_of
from tfgen.training.dynamics import Dynamics
from tfgen.training.growth import Growth
from tfgen.types import Batch, Image, Label, Seed

ENERGIES = ("energy_data", "energy_samples", "energy_gap")
LOGGED = (*ENERGIES, "weight_grad_norm", "langevin_grad_norm", "acceptance")


class GenerativeConvNet(Algorithm):
    """Learns an energy by maximum likelihood, or by contrastive divergence.

    Args:
        energy: the net, -f of images in units of sigma; several outputs are one energy a class
            (Definition 2), learned from labelled images.
        image_shape: height, width, channels.
        image_mean: of the training images, a number a channel, in [-1, 1]; the reference's mean.
        seed: of all that training draws.
        sigma: the reference's standard deviation in pixel units.
        chains: persistent chains, the paper's M~.
        rejuvenation: probability that a chain starts anew from the reference at an update.
        kernel: how chains move: langevin, mala or hmc.
        langevin_steps: L, steps between two updates.
        step_size: ε of a step in pixel units.
        temperature: T of the sampled density exp(-U / T).
        max_grad_norm: Langevin gradients are scaled down to this norm, nats per pixel unit; 0
            leaves them.
        clamp: whether chains stay in [-1, 1].
        run_step_factor: factor on the step size from the first to the last of the L steps,
            geometrically.
        run_temperature_factor: factor on T likewise; 0 ends a run without noise.
        final_step_size: the step size after `anneal_updates` updates, from `step_size`; none
            keeps it.
        final_temperature: T after `anneal_updates` updates, from `temperature`; none keeps it.
        anneal_updates: updates over which step size and temperature change.
        target_acceptance: of mala and hmc, whose step size is adapted to it; 0 leaves the step.
        contrastive_divergence: chains start from the observed images at each update (CD-L).
        data_noise: standard deviation, in pixel units, of noise added to the observed images.
        layer_iterations: updates before the next layer is added, the paper's T; 0 trains all at
            once.
        map_area_normalization: divide a layer's gradient by the area of its maps (release 1.3).
        max_gradient: scale a variable's gradient down to this largest entry (release 1.3: 20); 0
            leaves it.
        weight_decay: times the weights, not the biases, added to their gradient (release 1.3:
            1e-4).
        bias_rate: factor on the learning rate of biases (release 1.3: 2).
        margin: pixels at a chain's border, seen by fewer filters than the others, that are cut off
            what is shown, generated and measured; only for nets that take images of any size.
        shifts: places in each direction that images take in turn on the net's grid of strides.
        sample_from_chains: new samples and completions start from the persistent chains, tiled
            where they are to be larger, instead of from the reference.
        sample_steps: sampling steps of a new sample or completion.
        denoising_steps: noise-free steps after these.

    Raises:
        UserError: if the net cannot be grown, or a hyperparameter is out of its range.
    """

    has_sampler = True
    model: EnergyModel

    def __init__(
        self,
        energy: keras.Model,
        *,
        image_shape: tuple[int, ...],
        image_mean: Sequence[float],
        seed: int = 0,
        sigma: Annotated[float, Positive] = 1 / 127.5,
        chains: Annotated[int, AtLeastOne] = 16,
        rejuvenation: Annotated[float, Fraction] = 0.0,
        kernel: Annotated[str, KernelName] = "langevin",
        langevin_steps: Annotated[int, AtLeastOne] = 10,
        step_size: Annotated[float, Positive] = 0.3 / 127.5,
        temperature: Annotated[float, NotNegative] = 1.0,
        max_grad_norm: Annotated[float, NotNegative] = 0.0,
        clamp: bool = False,
        run_step_factor: Annotated[float, Positive] = 1.0,
        run_temperature_factor: Annotated[float, NotNegative] = 1.0,
        final_step_size: Annotated[float | None, Positive] = None,
        final_temperature: Annotated[float | None, Positive] = None,
        anneal_updates: Annotated[int, AtLeastOne] = 1000,
        target_acceptance: Annotated[float, Range(least=0, below=1)] = 0.0,
        contrastive_divergence: bool = False,
        data_noise: Annotated[float, NotNegative] = 0.0,
        layer_iterations: Annotated[int, NotNegative] = 0,
        map_area_normalization: bool = False,
        max_gradient: Annotated[float, NotNegative] = 0.0,
        weight_decay: Annotated[float, NotNegative] = 0.0,
        bias_rate: Annotated[float, NotNegative] = 1.0,
        margin: Annotated[int, NotNegative] = 0,
        shifts: Annotated[int, AtLeastOne] = 1,
        sample_from_chains: bool = False,
        sample_steps: Annotated[int, NotNegative] = 1000,
        denoising_steps: Annotated[int, NotNegative] = 0,
    ):
        dynamics = Dynamics(
            kernel=kernel,
            step_size=step_size,
            temperature=temperature,
            max_grad_norm=max_grad_norm or None,
            bounds=(-1.0, 1.0) if clamp else None,
            run_step_factor=run_step_factor,
            run_temperature_factor=run_temperature_factor,
            final_step_size=final_step_size,
            final_temperature=final_temperature,
            anneal_updates=anneal_updates,
            target_acceptance=target_acceptance,
        )
        model = EnergyModel(
            energy,
            image_shape=image_shape,
            image_mean=image_mean,
            sigma=sigma,
            sampling=Sampling(dynamics.last, sample_steps, denoising_steps, langevin_steps, shifts),
            num_chains=0 if contrastive_divergence else chains,
            start_from_chains=sample_from_chains,
            margin=margin,
        )
        logged = list(LOGGED)
        if contrastive_divergence:
            logged.append("reconstruction_error")
        super().__init__(model, logged=logged, seed=seed)
        self.dynamics = dynamics
        self.step_size = dynamics.tracked_step_size(self)
        self.langevin_steps = langevin_steps
        self.contrastive_divergence = contrastive_divergence
        self.rejuvenation = rejuvenation
        self.data_noise = data_noise
        self.map_area_normalization = map_area_normalization
        self.max_gradient = max_gradient
        self.weight_decay = weight_decay
        self.bias_rate = bias_rate
        if layer_iterations and model.energy_net.max_depth == 1:
            raise UserError("layer_iterations: expected 0 for a net that does not grow by layers")
        self.growth: Growth | None = None
        if layer_iterations:
            self.growth = Growth(self, ["energy"], layer_iterations, then=self._restart)

    def compile(
        self, optimizers: Mapping[str, str | keras.optimizers.Optimizer], **options
    ) -> None:
        super().compile(optimizers, **options)
        if self.bias_rate != 1 and not isinstance(self.optimizers["energy"], keras.optimizers.SGD):
            raise UserError(
                "bias_rate: expected 1 unless the optimizer is sgd, since Adam's steps do not "
                "depend on it"
            )
        self.model.persistent_chains.check_shares(self.accumulate)

    def update(self, batch: Batch, seed: Seed) -> dict[str, tf.Tensor]:
        noise_seed, start_seed, langevin_seed = random.split(seed, 3)
        observed, label = batch["image"], self._label(batch)
        if self.data_noise:
            observed += self.data_noise * random.normal(tf.shape(observed), noise_seed)

        # step 4: L steps of Langevin dynamics, equation 19; CD starts them at the data
        start, start_label = observed, label
        if not self.contrastive_divergence:
            start, start_label = self._chains(start_seed)
        kernel = self.dynamics.kernel_at(self.step.value, self.langevin_steps, self.step_size)
        kernel = self.model.sampling.moving(kernel.scaled(self.step_factor), self.model.image_mean)
        energy = self.model.energy_fn(start_label)
        synthesized, info = run(kernel, energy, start, langevin_seed, self.langevin_steps)
        # for the next update: a step size that looked at its own run would bias it
        self.dynamics.adapt(self.step_size, info.mean.acceptance, self.step.value)
        if not self.contrastive_divergence:
            self.model.persistent_chains.put(synthesized)

        # Steps 5 and 6: w ← w + η (H_obs - H_syn), equation 21. U is -f plus a term without
        # weights, so descending the difference of energies ascends the likelihood.
        with tf.GradientTape() as tape:
            data = self.model.energy_fn(label, True, self.step.value)(observed)
            samples = self.model.energy_fn(start_label, True, self.step.value)(synthesized)
            weights = self._class_weights(label, start_label)
            loss = losses.energy_difference(data, samples, weights)
        gradients = self.minimize("energy", tape, loss, self._stabilize)

        logs = {
            "energy_data": tf.reduce_mean(data),
            "energy_samples": tf.reduce_mean(samples),
            "energy_gap": loss,
            "weight_grad_norm": tf.linalg.global_norm(gradients),
            "langevin_grad_norm": tf.reduce_mean(info.mean.grad_norm),
            "acceptance": tf.reduce_mean(info.mean.acceptance),
        }
        if self.contrastive_divergence:
            # CD-1 learns an auto-encoder, whose error is what to watch (equation 23)
            error = (observed - self.model.reconstruct(observed, label)) ** 2
            logs["reconstruction_error"] = tf.reduce_mean(error)
        return logs

    def save_model(self, path: pathlib.Path) -> None:
        # new samples move by the step that training adapted, or that a guard lowered
        step = self.dynamics.last.step_size if self.step_size is None else self.step_size.numpy()
        self.model.sampling = self.model.sampling.with_step_size(float(step) * self.step_factor)
        super().save_model(path)

    def chain_label(self) -> Label | None:
        """Returns the class that each of this replica's chains belongs to."""
        if self.model.num_classes == 1:
            return None
        return self.model.persistent_chains.index() % self.model.num_classes

    def pictures(self, batch: Batch) -> dict[str, Image]:
        if not self.contrastive_divergence:
            return {"chains": self.model.chains()}
        observed = batch["image"]
        found = self.model.reconstruct(observed, self._label(batch))
        return {"observed": observed, "reconstructions": found}

    def callbacks(self) -> list[keras.callbacks.Callback]:
        return [] if self.growth is None else [self.growth]

    @property
    def last_growth(self) -> int:
        return 0 if self.growth is None else self.growth.last

    def _restart(self) -> None:
        # a new layer makes a new density, in which the old chains may lie far out
        if not self.contrastive_divergence:
            self.model.persistent_chains.restart()

    def _label(self, batch: Batch) -> Label | None:
        return None if self.model.num_classes == 1 else labels_of(batch)

    def _class_weights(self, label: Label | None, chain_label: Label | None) -> tf.Tensor | float:
        """Returns weights that give the chains the observed images' shares of classes.

        Each class has its own chains, so its share among them is fixed. Without weights, a class
        that is more frequent in the minibatch would raise its score f by a constant without end.

        Args:
            label: of the observed images, [b], or None where there are no classes.
            chain_label: of the chains, [m].

        Returns:
            [m], of mean 1 if every class has chains; or 1 where there are no classes.
        """
        if label is None:
            return 1.0
        observed = tf.one_hot(label, self.model.num_classes)
        synthesized = tf.one_hot(chain_label, self.model.num_classes)
        shares = [tf.reduce_mean(classes, axis=0) for classes in (observed, synthesized)]
        observed_share, chain_share = replicas.mean(shares)
        # a product with one-hot rows looks up each chain's class; one without chains has no weight
        return tf.linalg.matvec(synthesized, observed_share / tf.maximum(chain_share, 1e-6))

    def _chains(self, seed: Seed) -> tuple[Image, Label | None]:
        """Returns the persistent chains, some of them started anew, and their classes."""
        chains = self.model.persistent_chains
        x = chains.take()
        if self.rejuvenation:
            which, noise = random.split(seed)
            anew = random.uniform((x.shape[0], *[1] * (x.shape.rank - 1)), which)
            drawn = self.model.image_mean + self.model.sigma * random.normal(tf.shape(x), noise)
            x = tf.where(anew < self.rejuvenation, drawn, x)
        return x, self.chain_label()

    def _stabilize(self, gradient: tf.Tensor, variable: keras.Variable) -> tf.Tensor:
        """Changes a variable's gradient as the released code does; by default it stays as it is.

        The order is that of release 1.3: map area, largest entry, then bias rate or weight decay.

        Args:
            gradient: of `variable`, averaged over the replicas.
            variable: a weight or a bias of the energy.

        Returns:
            The gradient for the optimizer.
        """
        # a filter's gradient is a sum over the places of its map, the more the larger the map
        if self.map_area_normalization:
            gradient /= self.model.energy_net.map_area(variable, self.model.image_shape)
        if self.max_gradient:
            largest = tf.reduce_max(tf.abs(gradient))
            gradient *= tf.minimum(1.0, self.max_gradient / (largest + 1e-12))
        if len(variable.shape) == 1:  # a bias
            return self.bias_rate * gradient
        return gradient + self.weight_decay * tf.cast(variable.value, gradient.dtype)
