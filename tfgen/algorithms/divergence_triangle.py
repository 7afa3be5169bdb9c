"""The divergence triangle: energy, generator and inference nets trained jointly, without MCMC.

Paper: Divergence triangle for joint training of generator model, energy-based model and inferential model (Han,
Nijkamp, Fang, Hill, Zhu and Wu, CVPR 2019), equation 14 and Algorithm 1: max_α min_θ min_φ D with

    D = KL(Q‖P) + KL(P‖Π) - KL(Q‖Π)

for Q = q_data(x) q_φ(z|x), P = p(z) p_θ(x|z) and Π ∝ exp(-U_α(x) / T) q_φ(z|x).
Deviation: x of P is g(z), without the noise of p(x|z), as in the released script.
"""

from typing import NamedTuple

import keras
import tensorflow as tf

from tfgen import energies, losses, random
from tfgen.errors import UserError, check
from tfgen.models import Amortized, LatentTasks, reparameterized
from tfgen.samplers import Langevin
from tfgen.training.algorithm import LatentAlgorithm, check_latents
from tfgen.types import Batch, Energy, Image, Latent, Seed


class Preset(NamedTuple):
    """The constants of an objective."""

    sigma: float
    """Of p(x|z), pixel units."""
    temperature: float
    """T of Π."""
    variational: float
    """Factor on KL(Q‖P)."""
    adversarial: float
    """Factor on KL(P‖Π) - KL(Q‖Π)."""
    simultaneous: bool
    """The three nets move at once, by one gradient of D; else in turn, each meeting the others as just updated."""


PRESETS = {
    # squared error + mean over 100 latents of KL + U + 0.1 NLL is 0.01 KL(Q‖P) + 0.1 (KL(P‖Π) - KL(Q‖Π))
    "official": Preset(0.005**0.5, 0.1, 0.01, 0.1, simultaneous=False),
    "paper": Preset(0.3, 1.0, 1.0, 1.0, simultaneous=True),
}
"""`official`: the released CIFAR-10 script's. `paper`: the objective as it is printed, with a sigma of our choice."""

ROLES = ("energy", "generator", "inference")


class DivergenceTriangle(LatentAlgorithm):
    """Learns an energy, a generator and an inference net; each side of the triangle is a KL-divergence.

    Args:
        energy: U, of images.
        generator: g, latents to images.
        inference: images to the mean and log-variance of q(z|x).
        image_shape: height, width, channels.
        num_incomplete: training images with missing pixels; 0 where all are whole.
        seed: of all that training draws.
        preset: where the constants come from that are left at 0: official or paper.
        sigma: standard deviation of p(x|z) in pixel units; 0 takes the preset's.
        temperature: T of Π, whose energy is U / T; 0 takes the preset's.
        variational_weight: of KL(Q‖P); 0 takes the preset's.
        adversarial_weight: of KL(P‖Π) - KL(Q‖Π); 0 takes the preset's.
        energy_decay: factor on the mean squares of U at data and samples, added to the energy's loss.
        gradient_penalty: factor on |dU/dx|² / 2 at the data, added to the energy's loss.
        step_size: Langevin's ε in pixel units, of steps that refine images under U / T; positive.
        sample_steps: such steps of a new sample or completion.
        completion_rounds: times that a completion is inferred from, at least 1.

    Raises:
        UserError: if the preset is unknown, the nets' latents differ, or a constant is out of its range.
    """

    def __init__(
        self,
        energy: keras.Model,
        generator: keras.Model,
        inference: keras.Model,
        *,
        image_shape: tuple[int, int, int],
        num_incomplete: int = 0,
        seed: int = 0,
        preset: str = "official",
        sigma: float = 0.0,
        temperature: float = 0.0,
        variational_weight: float = 0.0,
        adversarial_weight: float = 0.0,
        energy_decay: float = 0.0,
        gradient_penalty: float = 0.0,
        step_size: float = 0.01,
        sample_steps: int = 0,
        completion_rounds: int = 4,
    ):
        logged = ["divergence", "kl_q_p", "latent_nll", "reconstruction_error"]
        logged += [
            "energy_data",
            "energy_samples",
            "energy_gap",
            *(f"{role}_grad_norm" for role in ROLES),
        ]
        super().__init__(logged, generator, image_shape, num_incomplete, seed, completion_rounds)
        if preset not in PRESETS:
            raise UserError(f"preset: expected one of {', '.join(PRESETS)} and found {preset}")
        self.energy, self.inference = energy, inference
        check_latents(generator, inference, self.image_shape)
        constants = PRESETS[preset]
        self.sigma = check("sigma", sigma or constants.sigma, above=0)
        self.temperature = check("temperature", temperature or constants.temperature, above=0)
        self.variational_weight = check(
            "variational_weight", variational_weight or constants.variational, above=0
        )
        self.adversarial_weight = check(
            "adversarial_weight", adversarial_weight or constants.adversarial, above=0
        )
        self.simultaneous = constants.simultaneous
        self.energy_decay = check("energy_decay", energy_decay, least=0)
        self.gradient_penalty = check("gradient_penalty", gradient_penalty, least=0)
        self.kernel = Langevin(check("step_size", step_size, above=0), bounds=(-1.0, 1.0))
        self.sample_steps = check("sample_steps", sample_steps, least=0)

    def density(self, image: Image, training: bool = False) -> Energy:
        """U / T, the energy of Π, in nats: [b]."""
        return self.energy(image, training=training) / self.temperature

    def update(self, batch: Batch, seed: Seed) -> dict[str, tf.Tensor]:
        prior_seed, posterior_seed = random.split(seed)
        batch = {**batch, "image": self.missing.fill(batch)}
        z = random.normal((batch["image"].shape[0], *self.generator.latent_shape), prior_seed)
        step = self._together if self.simultaneous else self._in_turn
        logs, decoded = step(batch, z, posterior_seed)
        self.missing.overwrite(batch, decoded)
        error = losses.mean_squared_error(batch["image"], decoded, batch.get("mask"))
        q_p, adversarial = (
            logs["kl_q_p"],
            logs["energy_samples"] + logs["latent_nll"] - logs["energy_data"],
        )
        return logs | {
            "divergence": self.variational_weight * q_p + self.adversarial_weight * adversarial,
            "energy_gap": logs["energy_data"] - logs["energy_samples"],
            "reconstruction_error": error,
        }

    def _together(self, batch: Batch, z: Latent, seed: Seed) -> tuple[dict[str, tf.Tensor], Image]:
        """max_α min_θ min_φ D by one gradient of D."""
        with tf.GradientTape() as tape:
            x = self.generator(z, training=True)
            decoded, q_p = self._q_p(batch, seed)
            u, u_x = self.density(batch["image"], training=True), self.density(x, training=True)
            p_pi = losses.kl_p_pi(u_x, z, *self.inference(x, training=True))
            q_pi = losses.kl_q_pi(u)
            d = self.variational_weight * q_p + self.adversarial_weight * (p_pi - q_pi)
            objective = d - self._regularizer(batch["image"], x)
        norms = self.descend_together(ROLES, tape, objective, ascending=["energy"])
        u_x = tf.reduce_mean(u_x)
        return {
            "kl_q_p": q_p,
            "latent_nll": p_pi - u_x,
            "energy_data": q_pi,
            "energy_samples": u_x,
        } | norms, decoded

    def _in_turn(self, batch: Batch, z: Latent, seed: Seed) -> tuple[dict[str, tf.Tensor], Image]:
        """The same D: α, then φ, then θ, which meets both as they have become."""
        first, second = random.split(seed)
        with tf.GradientTape() as theta:
            x = self.generator(z, training=True)
        dreamt = tf.stop_gradient(x)

        with tf.GradientTape() as alpha:
            u, u_x = (
                self.density(batch["image"], training=True),
                self.density(dreamt, training=True),
            )
            loss = self.adversarial_weight * (losses.kl_q_pi(u) - tf.reduce_mean(u_x))
            loss += self._regularizer(batch["image"], dreamt)
        logs = self.descend_together(["energy"], alpha, loss)

        with tf.GradientTape() as phi:
            _, q_p = self._q_p(batch, first)
            p_q = losses.kl_p_q(z, *self.inference(dreamt, training=True))
            loss = self.variational_weight * q_p + self.adversarial_weight * p_q
        logs |= self.descend_together(["inference"], phi, loss)

        with theta:
            decoded, q_p = self._q_p(batch, second)
            p_pi = losses.kl_p_pi(
                self.density(x, training=True), z, *self.inference(x, training=True)
            )
            loss = self.variational_weight * q_p + self.adversarial_weight * p_pi
        logs |= self.descend_together(["generator"], theta, loss)
        means = {"energy_data": tf.reduce_mean(u), "energy_samples": tf.reduce_mean(u_x)}
        return logs | means | {"kl_q_p": q_p, "latent_nll": p_q}, decoded

    def _q_p(self, batch: Batch, seed: Seed) -> tuple[Image, tf.Tensor]:
        """What the generator makes of what is inferred from the images, and KL(Q‖P)."""
        mean, log_var = self.inference(batch["image"], training=True)
        decoded = self.generator(reparameterized(mean, log_var, seed), training=True)
        return decoded, losses.kl_q_p(
            batch["image"], decoded, mean, log_var, self.sigma, batch.get("mask")
        )

    def _regularizer(self, data: Image, samples: Image) -> tf.Tensor:
        """What keeps energies small, or smooth; zero by default."""
        loss = tf.constant(0.0)
        if self.energy_decay:
            u = [self.energy(x, training=True) for x in (data, tf.stop_gradient(samples))]
            loss += self.energy_decay * sum(tf.reduce_mean(x**2) for x in u)
        if self.gradient_penalty:
            _, gradient = energies.value_and_grad(lambda x: self.energy(x, training=True), data)
            loss += self.gradient_penalty * losses.gradient_penalty(gradient)
        return loss

    @property
    def tasks(self) -> LatentTasks:
        """What the three nets are used for."""
        return LatentTasks(
            self.generator,
            self.image_shape,
            Amortized(self.inference),
            self.density,
            self.kernel,
            self.completion_rounds,
        )
