"""Adversarially learned inference: a discriminator of pairs matches two joint distributions.

Papers: Dumoulin et al., Adversarially learned inference, 2017, Algorithm 1; Donahue, Krähenbühl and
Darrell, Adversarial feature learning, 2017. For Q = q_data(x) q_φ(z|x) and P = p(z) p_θ(x|z):

    min_θ min_φ max_D E_Q[log D(x, z)] + E_P[log(1 - D(x, z))]

Deviation: x of P is g(z), without the noise of p(x|z), as in the divergence triangle.
"""

from typing import Annotated

import keras
import tensorflow as tf

from tfgen.errors import AtLeastOne
from tfgen.training.joint_adversarial import LOGGED, JointAdversarial
from tfgen.types import Image


class ALI(JointAdversarial):
    """Learns a generator and an inference net against a discriminator of images and latents.

    Args:
        joint_discriminator: images and latents to log-odds of being an image and what is inferred.
        generator: g, latents to images.
        inference: images to the mean and log-variance of q(z|x).
        image_shape: height, width, channels.
        seed: of all that training draws.
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
        completion_rounds: Annotated[int, AtLeastOne] = 4,
    ):
        super().__init__(
            joint_discriminator,
            generator,
            inference,
            logged=LOGGED,
            image_shape=image_shape,
            seed=seed,
            completion_rounds=completion_rounds,
        )

    def beside(self, x: Image, decoded: Image) -> dict[str, tf.Tensor]:
        return {}
