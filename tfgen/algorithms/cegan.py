"""Calibrated energy-based GANs: a generator of bounded entropy chases an energy.

Paper: Dai, Almahairi, Bachman, Hovy and Courville, Calibrating energy-based generative adversarial
networks, 2017, with the variational bound of the generator's entropy (CEGAN-Ent-VI):

    max_U min_θ E_P[U(x)] - E_data[U(x)] - w H(P),    H(P) ≥ H(z) + E_P[log q_φ(z|x)]

At its solution the generator has the distribution of the data, and U = -w log p + constant: the
energy is calibrated. Without the entropy term every constant U is a solution, too. Constants are
those of the released code. Deviations: z is normal, where the code draws it uniformly; the
estimate of the entropy's gradient by nearest neighbours (CEGAN-Ent-NN) is not here.
"""

from typing import Annotated

import keras
import tensorflow as tf

from tfgen import losses, samplers
from tfgen.errors import AtLeastOne, NotNegative, Positive
from tfgen.models import LatentModel, Sampling
from tfgen.samplers import KernelName
from tfgen.training.algorithm import grad_norms
from tfgen.training.latent_algorithm import LatentAlgorithm, prior_draws
from tfgen.types import Batch, Seed

ROLES = ("energy", "generator", "inference")
LOGGED = ("energy_data", "energy_samples", "energy_gap", "latent_nll", *grad_norms(*ROLES))


class CEGAN(LatentAlgorithm):
    """Learns an energy and its sampler, in turn; an inference net bounds the sampler's entropy.

    Args:
        energy: U, of images.
        generator: g, latents to images.
        inference: images to the mean and log-variance of q(z|x).
        image_shape: height, width, channels.
        seed: of all that training draws.
        entropy_weight: w, of the bound of the generator's entropy; it is the temperature of the
            density exp(-U / w).
        energy_decay: factor on the mean squares of U at data and samples, added to the energy's
            loss.
        kernel: how images are refined under U / w: langevin, mala or hmc.
        step_size: ε of such a step in pixel units.
        sample_steps: such steps of a new sample or completion.
        completion_rounds: times that a completion is inferred from.

    Raises:
        UserError: if the nets' latents differ, or a constant is out of its range.
    """

    def __init__(
        self,
        energy: keras.Model,
        generator: keras.Model,
        inference: keras.Model,
        *,
        image_shape: tuple[int, int, int],
        seed: int = 0,
        entropy_weight: Annotated[float, Positive] = 0.1,
        energy_decay: Annotated[float, NotNegative] = 0.01,
        kernel: Annotated[str, KernelName] = "langevin",
        step_size: Annotated[float, Positive] = 0.01,
        sample_steps: Annotated[int, NotNegative] = 0,
        completion_rounds: Annotated[int, AtLeastOne] = 4,
    ):
        refining = samplers.kernel(kernel, step_size=step_size, bounds=(-1.0, 1.0))
        model = LatentModel(
            generator,
            inference,
            energy,
            image_shape=image_shape,
            sampling=Sampling(refining, sample_steps),
            temperature=entropy_weight,
            completion_rounds=completion_rounds,
        )
        super().__init__(model, logged=LOGGED, num_incomplete=0, seed=seed)
        self.entropy_weight = entropy_weight
        self.energy_decay = energy_decay

    def update(self, batch: Batch, seed: Seed) -> dict[str, tf.Tensor]:
        energy, generator, inference = (self.nets[role] for role in ROLES)
        z = prior_draws(self.model, batch, seed)
        with tf.GradientTape() as generating:
            x = generator(z, training=True)

        # U goes down at the data and up at samples, and stays small
        with tf.GradientTape() as scoring:
            u_data = energy(batch["image"], training=True)
            u_samples = energy(tf.stop_gradient(x), training=True)
            loss = losses.energy_difference(u_data, u_samples)
            loss += self.energy_decay * losses.energy_squares(u_data, u_samples)
        norms = self.minimize_together(["energy"], scoring, loss)

        # the generator meets the new U; the first tape goes on, so that g(z) is computed once
        with generating:
            nll = losses.kl_p_q(z, *inference(x, training=True))
            loss = tf.reduce_mean(energy(x, training=True)) + self.entropy_weight * nll
        norms |= self.minimize_together(["generator", "inference"], generating, loss)
        data, samples = tf.reduce_mean(u_data), tf.reduce_mean(u_samples)
        return norms | {
            "energy_data": data / self.entropy_weight,
            "energy_samples": samples / self.entropy_weight,
            "energy_gap": (data - samples) / self.entropy_weight,
            "latent_nll": nll,
        }
