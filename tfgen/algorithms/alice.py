"""ALI with conditional entropy: inferred latents must also reconstruct their image.

Paper: Li et al., ALICE: Towards understanding adversarial learning for joint distribution matching,
2017. For Q = q_data(x) q_φ(z|x) and P = p(z) p_θ(x|z):

    min_θ min_φ max_D E_Q[log D(x, z)] + E_P[log(1 - D(x, z))] - E_Q[log p_θ(x|z)]

The last term bounds the conditional entropy H(x|z) under Q, which ALI leaves open. It is the
paper's explicit form of cycle consistency, with p(x|z) a Gaussian; its adversarial form is not
here. Deviation: x of P is g(z), without the noise of p(x|z), as in the divergence triangle.
"""

from typing import Annotated

import keras
import tensorflow as tf

from tfgen import losses, random
from tfgen.errors import AtLeastOne, Positive
from tfgen.models import JointAdversarialModel, reparameterized
from tfgen.training.algorithm import grad_norms
from tfgen.training.latent_algorithm import LatentAlgorithm, prior_draws
from tfgen.types import Batch, Seed

ROLES = ("joint_discriminator", "generator", "inference")
LOGGED = (
    "cross_entropy",
    "generator_loss",
    "conditional_nll",
    "log_odds_data",
    "log_odds_samples",
    "reconstruction_error",
    *grad_norms(*ROLES),
)


class ALICE(LatentAlgorithm):
    """Learns as ALI does, and to reconstruct images from inferred latents.

    Args:
        joint_discriminator: images and latents to log-odds of being an image and what is inferred.
        generator: g, latents to images.
        inference: images to the mean and log-variance of q(z|x).
        image_shape: height, width, channels.
        seed: of all that training draws.
        sigma: standard deviation of p(x|z) in pixel units; the squared error of an image weighs
            1 / (2 sigma²).
        completion_rounds: times that a completion is inferred from.

    Raises:
        UserError: if the nets' latents differ, or a constant is out of its range.
    """

    model: JointAdversarialModel

    def __init__(
        self,
        joint_discriminator: keras.Model,
        generator: keras.Model,
        inference: keras.Model,
        *,
        image_shape: tuple[int, int, int],
        seed: int = 0,
        sigma: Annotated[float, Positive] = 0.5**0.5,
        completion_rounds: Annotated[int, AtLeastOne] = 4,
    ):
        model = JointAdversarialModel(
            joint_discriminator,
            generator,
            inference,
            image_shape=image_shape,
            sigma=sigma,
            completion_rounds=completion_rounds,
        )
        super().__init__(model, logged=LOGGED, num_incomplete=0, seed=seed)
        self.sigma = sigma

    def update(self, batch: Batch, seed: Seed) -> dict[str, tf.Tensor]:
        prior_seed, posterior_seed = random.split(seed)
        discriminator, generator, inference = (self.nets[role] for role in ROLES)
        x, z = batch["image"], prior_draws(self.model, batch, prior_seed)
        with tf.GradientTape(persistent=True) as tape:
            mean, log_var = inference(x, training=True)
            inferred = reparameterized(mean, log_var, posterior_seed)
            odds_q = discriminator((x, inferred), training=True)
            odds_p = discriminator((generator(z, training=True), z), training=True)
            decoded = generator.of_inferred(inferred, training=True)
            cross_entropy = losses.logistic(odds_q, odds_p)
            # -log of the other's probability in place of log(1 - it), as in ALI
            loss = losses.logistic(odds_p, odds_q)
            nll = losses.conditional_nll(x, decoded, self.sigma)
            objective = loss + nll

        # both gradients before any step
        gradients = tape.gradient(cross_entropy, self.trainable_tensors("joint_discriminator"))
        norms = self.minimize_together(["generator", "inference"], tape, objective)
        applied = self.apply_gradients("joint_discriminator", gradients)
        return norms | {
            "cross_entropy": cross_entropy,
            "generator_loss": loss,
            "conditional_nll": nll,
            "log_odds_data": tf.reduce_mean(odds_q),
            "log_odds_samples": tf.reduce_mean(odds_p),
            "reconstruction_error": losses.mean_squared_error(x, decoded),
            "joint_discriminator_grad_norm": tf.linalg.global_norm(applied),
        }
