"""The divergence triangle: energy, generator and inference nets trained jointly, without MCMC.

Paper: Divergence triangle for joint training of generator model, energy-based model and
inferential model (Han, Nijkamp, Fang, Hill, Zhu and Wu, CVPR 2019), equation 14 and Algorithm 1:
max_α min_θ min_φ D with

    D = KL(Q‖P) + KL(P‖Π) - KL(Q‖Π)

for Q = q_data(x) q_φ(z|x), P = p(z) p_θ(x|z) and Π ∝ exp(-U_α(x) / T) q_φ(z|x).
Deviation: x of P is g(z), without the noise of p(x|z), as in the released script.
"""

import math
from typing import Annotated, NamedTuple

import keras
import tensorflow as tf

from tfgen import energies, losses, random, samplers
from tfgen.errors import AtLeastOne, Fraction, NotNegative, OneOf, Positive
from tfgen.models import LatentModel, Sampling, reparameterized
from tfgen.samplers import KernelName
from tfgen.training.algorithm import grad_norms
from tfgen.training.growth import Growth
from tfgen.training.latent_algorithm import LatentAlgorithm, prior_draws
from tfgen.types import Batch, Energy, Image, Latent, Seed

ROLES = ("energy", "generator", "inference")
LOGGED = (
    "divergence",
    "kl_q_p",
    "latent_nll",
    "reconstruction_error",
    "energy_data",
    "energy_samples",
    "energy_gap",
    *grad_norms(*ROLES),
)


class Preset(NamedTuple):
    """The constants of an objective.

    Without `scaled` they hold for any images and latents. The script's belong to 32x32 images in
    colour and 100 latents: there, the squared error sums 3,072 terms and KL is averaged over 100.

    Attributes:
        sigma: standard deviation of p(x|z), pixel units.
        temperature: T of Π.
        variational: factor on KL(Q‖P).
        adversarial: factor on KL(P‖Π) - KL(Q‖Π).
        entropy: factor on -log q(z|g(z)) alone, the bound of the entropy in KL(P‖Π).
        simultaneous: whether the three nets move at once, by one gradient of D; else in turn, each
            meeting the others as just updated.
    """

    sigma: float
    temperature: float
    variational: float
    adversarial: float
    entropy: float
    simultaneous: bool
    scaled: bool = False

    def of(self, pixels: int, latents: int) -> "Preset":
        """Returns the constants for images of other sizes and other numbers of latents.

        Where the preset is scaled, an error per pixel weighs as much against the energy as in the
        script, KL(q(z|x)‖p(z)) is averaged over the latents, and log q(z|g(z)) counts by 100 of
        them.

        Args:
            pixels: height x width x channels.
            latents: numbers in z.
        """
        if not self.scaled:
            return self
        shares, fewer = SCRIPT_PIXELS / pixels, SCRIPT_LATENTS / latents
        return self._replace(
            # variational / (2 sigma²) is the weight of the squared error
            sigma=self.sigma * (fewer / shares) ** 0.5,
            variational=self.variational * fewer,
            entropy=self.entropy * fewer,
        )


SCRIPT_PIXELS, SCRIPT_LATENTS = 32 * 32 * 3, 100
"""What the released script's constants belong to."""

PRESETS = {
    # The script minimizes: squared error + KL averaged over 100 latents + U + 0.1 NLL. With
    # σ² = 0.005 and T = 0.1, that is 0.01 KL(Q‖P) + 0.1 (KL(P‖Π) - KL(Q‖Π)).
    "official": Preset(0.005**0.5, 0.1, 0.01, 0.1, 0.1, simultaneous=False),
    "scaled": Preset(0.005**0.5, 0.1, 0.01, 0.1, 0.1, simultaneous=False, scaled=True),
    "paper": Preset(0.3, 1.0, 1.0, 1.0, 1.0, simultaneous=True),
}
"""`official`: the released CIFAR-10 script's. `scaled`: the same per pixel and per latent. `paper`:
the objective as printed, with our sigma."""


class DivergenceTriangle(LatentAlgorithm):
    """Learns an energy, a generator and an inference net; each side is a KL-divergence.

    Args:
        energy: U, of images.
        generator: g, latents to images.
        inference: images to the mean and log-variance of q(z|x).
        image_shape: height, width, channels.
        num_incomplete: training images with missing pixels; 0 where all are whole.
        seed: of all that training draws.
        preset: where the constants come from that are not given: official, the released script's
            for 32x32x3 pixels and 100 latents; scaled, the same per pixel and per latent; or paper.
        sigma: standard deviation of p(x|z) in pixel units; none takes the preset's.
        temperature: T of Π, whose energy is U / T; none takes the preset's.
        variational_weight: of KL(Q‖P); none takes the preset's.
        adversarial_weight: of KL(P‖Π) - KL(Q‖Π); none takes the preset's.
        entropy_weight: of -log q(z|g(z)), the bound of the generator's entropy, alone; none takes
            the adversarial weight where that is given, or else the preset's.
        energy_decay: factor on the mean squares of U at data and samples, added to the energy's
            loss.
        gradient_penalty: factor on |dU/dx|² / 2 at the data, added to the energy's loss; x are the
            smaller images while nets grow.
        kernel: how images are refined under U / T: langevin, mala or hmc.
        step_size: ε of such a step in pixel units.
        sample_steps: such steps of a new sample or completion.
        completion_rounds: times that a completion is inferred from.
        level_updates: updates between two levels of nets that grow, from the lowest resolution; 0
            starts with all levels.
        fading: share of a level's updates in which it is faded in.

    Raises:
        UserError: if the nets' latents differ, a constant is out of its range, or nets that are to
            grow cannot.
    """

    def __init__(
        self,
        energy: keras.Model,
        generator: keras.Model,
        inference: keras.Model,
        *,
        image_shape: tuple[int, ...],
        num_incomplete: int = 0,
        seed: int = 0,
        preset: Annotated[str, OneOf(*PRESETS)] = "official",
        sigma: Annotated[float | None, Positive] = None,
        temperature: Annotated[float | None, Positive] = None,
        variational_weight: Annotated[float | None, NotNegative] = None,
        adversarial_weight: Annotated[float | None, NotNegative] = None,
        entropy_weight: Annotated[float | None, NotNegative] = None,
        energy_decay: Annotated[float, NotNegative] = 0.0,
        gradient_penalty: Annotated[float, NotNegative] = 0.0,
        kernel: Annotated[str, KernelName] = "langevin",
        step_size: Annotated[float, Positive] = 0.01,
        sample_steps: Annotated[int, NotNegative] = 0,
        completion_rounds: Annotated[int, AtLeastOne] = 4,
        level_updates: Annotated[int, NotNegative] = 0,
        fading: Annotated[float, Fraction] = 0.5,
    ):
        refining = samplers.kernel(kernel, step_size=step_size, bounds=(-1.0, 1.0))
        model = LatentModel(
            generator,
            inference,
            energy,
            image_shape=image_shape,
            sampling=Sampling(refining, sample_steps),
            temperature=_given(temperature, PRESETS[preset].temperature),
            completion_rounds=completion_rounds,
        )
        super().__init__(model, logged=LOGGED, num_incomplete=num_incomplete, seed=seed)
        latents = math.prod(model.generator.latent_shape)
        constants = PRESETS[preset].of(math.prod(image_shape), latents)
        self.sigma = model.sigma = _given(sigma, constants.sigma)
        self.variational_weight = _given(variational_weight, constants.variational)
        self.adversarial_weight = _given(adversarial_weight, constants.adversarial)
        unlike = constants.entropy if adversarial_weight is None else adversarial_weight
        self.entropy_weight = _given(entropy_weight, unlike)
        self.simultaneous = constants.simultaneous
        self.energy_decay = energy_decay
        self.gradient_penalty = gradient_penalty
        self.growth = Growth(self, ROLES, level_updates, fading=fading) if level_updates else None

    @property
    def last_growth(self) -> int:
        return 0 if self.growth is None else self.growth.last

    @property
    def _block_pixels(self) -> int:
        return 1 if self.growth is None else self.growth.block_pixels

    def callbacks(self) -> list[keras.callbacks.Callback]:
        return [] if self.growth is None else [self.growth]

    def update(self, batch: Batch, seed: Seed) -> dict[str, tf.Tensor]:
        prior_seed, posterior_seed = random.split(seed)
        batch = {**batch, "image": self.missing.fill(batch)}
        z = prior_draws(self.model, batch, prior_seed)
        step = self._together if self.simultaneous else self._in_turn
        logs, decoded = step(batch, z, posterior_seed)
        self.missing.overwrite(batch, decoded)
        error = losses.mean_squared_error(batch["image"], decoded, batch.get("mask"))
        # KL(P‖Π) - KL(Q‖Π) up to constants: log Z cancels
        gap = logs["energy_data"] - logs["energy_samples"]
        divergence = self.variational_weight * logs["kl_q_p"] - self.adversarial_weight * gap
        return logs | {
            "divergence": divergence + self.entropy_weight * logs["latent_nll"],
            "energy_gap": gap,
            "reconstruction_error": error,
        }

    def _together(self, batch: Batch, z: Latent, seed: Seed) -> tuple[dict[str, tf.Tensor], Image]:
        """Makes a step of max_α min_θ min_φ D by one gradient of D."""
        generator, inference = self.nets["generator"], self.nets["inference"]
        u = self.model.energy_fn(training=True)
        with tf.GradientTape() as tape:
            x = generator(z, training=True)
            decoded, q_p = self._q_p(batch, seed)
            u_data, u_x = u(batch["image"]), u(x)
            p_q = losses.kl_p_q(z, *inference(x, training=True))
            q_pi = losses.kl_q_pi(u_data)
            d = self.variational_weight * q_p + self._p_pi(u_x, p_q)
            d -= self.adversarial_weight * q_pi
            # subtracted, since the energy goes up this objective; the other nets do not see it
            objective = d - self._regularizer(batch["image"], x)
        norms = self.minimize_together(ROLES, tape, objective, ascending=["energy"])
        u_x = tf.reduce_mean(u_x)
        means = {"energy_data": q_pi, "energy_samples": u_x}
        return norms | means | {"kl_q_p": q_p, "latent_nll": p_q}, decoded

    def _in_turn(self, batch: Batch, z: Latent, seed: Seed) -> tuple[dict[str, tf.Tensor], Image]:
        """Makes a step in α, then φ, then θ: the generator meets the others as just updated."""
        # latents of the images are drawn anew for θ, as in the released script
        first, second = random.split(seed)
        generator, inference = self.nets["generator"], self.nets["inference"]
        u = self.model.energy_fn(training=True)
        # g(z) serves all three steps: recorded once for θ, and a constant for α and φ
        with tf.GradientTape() as theta:
            x = generator(z, training=True)
        dreamt = tf.stop_gradient(x)

        with tf.GradientTape() as alpha:
            u_data, u_x = u(batch["image"]), u(dreamt)
            # equation 18, descended: the sign of the objective is turned for α
            loss = self.adversarial_weight * (losses.kl_q_pi(u_data) - tf.reduce_mean(u_x))
            loss += self._regularizer(batch["image"], dreamt)
        norms = self.minimize_together(["energy"], alpha, loss)

        with tf.GradientTape() as phi:
            _, q_p = self._q_p(batch, first)
            p_q = losses.kl_p_q(z, *inference(dreamt, training=True))
            loss = self.variational_weight * q_p + self.entropy_weight * p_q
        norms |= self.minimize_together(["inference"], phi, loss)

        with theta:  # the tape goes on, now with the new energy and inference net
            decoded, q_p = self._q_p(batch, second)
            found = losses.kl_p_q(z, *inference(x, training=True))
            loss = self.variational_weight * q_p + self._p_pi(u(x), found)
        norms |= self.minimize_together(["generator"], theta, loss)
        means = {"energy_data": tf.reduce_mean(u_data), "energy_samples": tf.reduce_mean(u_x)}
        return norms | means | {"kl_q_p": q_p, "latent_nll": p_q}, decoded

    def _p_pi(self, energy: Energy, latent_nll: tf.Tensor) -> tf.Tensor:
        """Returns KL(P‖Π) up to constants, with its parts weighted (equation 19)."""
        energy = tf.reduce_mean(energy)
        return self.adversarial_weight * energy + self.entropy_weight * latent_nll

    def _q_p(self, batch: Batch, seed: Seed) -> tuple[Image, tf.Tensor]:
        """Returns what the generator makes of inferred latents, and KL(Q‖P)."""
        x, mask = batch["image"], batch.get("mask")
        mean, log_var = self.nets["inference"](x, training=True)
        z = reparameterized(mean, log_var, seed)
        decoded = self.model.generator.of_inferred(z, training=True)
        # while nets grow, p(x|z) is of the smaller image: one number for each block of pixels
        nll = losses.conditional_nll(x, decoded, self.sigma, mask) / self._block_pixels
        return decoded, losses.kl_to_prior(mean, log_var) + nll

    def _regularizer(self, data: Image, samples: Image) -> tf.Tensor:
        """Returns what keeps energies small, or smooth; zero by default."""

        def u(x):
            return self.nets["energy"](x, training=True)

        loss = tf.constant(0.0)
        if self.energy_decay:
            # the generator must not learn to make the energy small
            squares = losses.energy_squares(u(data), u(tf.stop_gradient(samples)))
            loss += self.energy_decay * squares
        if self.gradient_penalty:
            _, gradient = energies.value_and_grad(u, data)
            penalty = self._block_pixels * losses.gradient_penalty(gradient)
            loss += self.gradient_penalty * penalty
        return loss


def _given(value: float | None, preset: float) -> float:
    """Returns a constant that was given, or else the preset's; 0 is a number."""
    return preset if value is None else value
