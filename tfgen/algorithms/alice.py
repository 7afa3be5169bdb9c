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

from tfgen import losses
from tfgen.errors import AtLeastOne, Positive
from tfgen.training.joint_adversarial import LOGGED, JointAdversarial
from tfgen.types import Image


class ALICE(JointAdversarial):
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
        super().__init__(
            joint_discriminator,
            generator,
            inference,
            logged=(*LOGGED, "conditional_nll"),
            image_shape=image_shape,
            seed=seed,
            sigma=sigma,
            completion_rounds=completion_rounds,
        )
        self.sigma = sigma

    def beside(self, x: Image, decoded: Image) -> dict[str, tf.Tensor]:
        # -E_Q[log p(x|z)]: it bounds H(x|z)
        return {"conditional_nll": losses.conditional_nll(x, decoded, self.sigma)}
