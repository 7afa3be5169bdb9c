"""Wasserstein introspective networks: a cascade of critics that is its own generator.

Paper: Wasserstein introspective neural networks (Lee, Xu, Fan and Tu, CVPR 2018).
"""

import math
from typing import Annotated

import keras
import tensorflow as tf

from tfgen import losses, microbatches, random
from tfgen.errors import AtLeastOne, Fraction, NotNegative, OneOf, Positive, Range
from tfgen.models import Synthesis
from tfgen.models.synthesis import OPTIMIZERS, STARTS, canvas_shape
from tfgen.training import replicas
from tfgen.training.algorithm import grad_norms
from tfgen.training.introspection import Introspection
from tfgen.types import Batch, Seed

LOGGED = (
    "critic_difference",
    "gradient_penalty",
    "score_data",
    "score_samples",
    *grad_norms("discriminator"),
    "stage",
    "synthesis_steps",
)


class WINN(Introspection):
    """Learns a Wasserstein critic of images against its own samples, stage by stage.

    An update is one of the critic's. After each stage, samples ascend the critic's score to that of
    images, and the next stage learns to tell them from images too.

    Args:
        discriminator: the critic: images to scores, high for images.
        image_shape: height, width, channels of what it sees.
        seed: of all that training draws.
        stages: after which training is done; a finished run goes on with more.
        reduction: a critic is kept every so many stages, see `Introspective`.
        stage_updates: updates of a stage.
        penalty: weight of the gradient penalty.
        samples: pseudo-negatives a stage.
        memory: stages whose pseudo-negatives are kept and learned from.
        recency: how much likelier a stage's pseudo-negatives are met than those of the stage
            before.
        fresh: share of pseudo-negatives that are of the newest stage, whatever the recency.
        canvas: side of the square that a sample shows, of which the critic sees patches; 0 takes
            the image's own size, of which it sees the whole.
        padding: pixels around the canvas that are synthesized and cut off.
        patches: of a canvas with its padding, seen at a step of synthesis.
        start: of synthesis: white noise, or smooth, which is noise of several scales.
        sigma: standard deviation, in pixel units, of that noise.
        optimizer: of synthesis: adam or sgd.
        step_size: of synthesis, in pixel units.
        step_decay: factor on it from stage to stage.
        synthesis_steps: the most steps of a synthesis; times the stages since the last kept critic.
        stop_window: batches of images, between the least and the highest of whose mean scores the
            score is drawn at which a synthesis stops.
        sample_steps: when a picture is stylized, each of them under all critics.

    Raises:
        UserError: if a hyperparameter is out of its range.
    """

    def __init__(
        self,
        discriminator: keras.Model,
        *,
        image_shape: tuple[int, int, int],
        seed: int = 0,
        stages: Annotated[int, AtLeastOne] = 150,
        reduction: Annotated[int, NotNegative] = 1,
        stage_updates: Annotated[int, AtLeastOne] = 8,
        penalty: Annotated[float, NotNegative] = 10.0,
        samples: Annotated[int, AtLeastOne] = 100,
        memory: Annotated[int, AtLeastOne] = 60,
        recency: Annotated[float, Range(least=1)] = 1.5,
        fresh: Annotated[float, Fraction] = 0.5,
        canvas: Annotated[int, NotNegative] = 0,
        padding: Annotated[int, NotNegative] = 0,
        patches: Annotated[int, AtLeastOne] = 10,
        start: Annotated[str, OneOf(*STARTS)] = "white",
        sigma: Annotated[float, Positive] = 0.3,
        optimizer: Annotated[str, OneOf(*OPTIMIZERS)] = "sgd",
        step_size: Annotated[float, Positive] = 0.3,
        step_decay: Annotated[float, Range(above=0, most=1)] = 1.0,
        synthesis_steps: Annotated[int, AtLeastOne] = 100,
        stop_window: Annotated[int, AtLeastOne] = 20,
        sample_steps: Annotated[int, NotNegative] = 100,
    ):
        shape = canvas_shape(image_shape, canvas, padding)
        synthesis = Synthesis(
            optimizer=optimizer,
            step_size=step_size,
            beta_1=0.5,
            noise=0.0,
            noise_decay=1.0,
            objective="log_odds",
            window=1,
            num_steps=synthesis_steps,
            sigma=sigma,
            patch_size=image_shape[0] if canvas else None,
            patches=patches,
            area=shape[0] * shape[1],
            origin=start,
        )
        super().__init__(
            discriminator,
            synthesis,
            logged=LOGGED,
            seed=seed,
            image_shape=image_shape,
            canvas=shape,
            padding=padding,
            sample_steps=sample_steps,
            stages=stages,
            reduction=reduction,
            stage_updates=stage_updates,
            stop_loss=-math.inf,  # a stage is over after its updates alone
            loss_window=stage_updates,
            samples=samples,
            memory=memory,
            recency=recency,
            fresh=fresh,
            step_decay=step_decay,
            decay_steps=20,
        )
        self.penalty = penalty
        self.recent_scores = self.add_weight(
            shape=(stop_window,),
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
            name="recent_scores",
        )

    def update(self, batch: Batch, seed: Seed) -> dict[str, tf.Tensor]:
        image, net = batch["image"], self.model.discriminator
        draw_seed, place_seed = random.split(seed)
        samples = self.against(image, draw_seed)
        both = tf.concat([image, samples], axis=0)

        def critic(x):
            return net(x, training=True)

        with tf.GradientTape() as tape:
            data, synthesized = tf.split(critic(both), 2)
            difference = tf.reduce_mean(data) - tf.reduce_mean(synthesized)
            steep = losses.interpolated_gradient_penalty(critic, image, samples, place_seed)
            loss = self.penalty * steep - difference
        norms = self.minimize_together(["discriminator"], tape, loss)
        (score,) = replicas.mean([tf.reduce_mean(data)])
        microbatches.once(lambda: self._follow(score))
        return (
            norms
            | self.where()
            | {
                "critic_difference": difference,
                "gradient_penalty": steep,
                "score_data": tf.reduce_mean(data),
                "score_samples": tf.reduce_mean(synthesized),
            }
        )

    def _follow(self, score: tf.Tensor) -> None:
        """Keeps the mean score of this batch of images as one of the last."""
        recent = tf.convert_to_tensor(self.recent_scores.value)
        # the first batch fills all places
        recent = tf.where(self.step.value == 0, score, recent)
        self.recent_scores.assign(tf.concat([recent[1:], score[tf.newaxis]], axis=0))
        self.into_stage.assign_add(1)

    def threshold_now(self, seed: Seed) -> tf.Tensor:
        """Draws the score that ends a synthesis between those of the last batches of images."""
        recent = tf.convert_to_tensor(self.recent_scores.value)
        least, most = tf.reduce_min(recent), tf.reduce_max(recent)
        return least + random.uniform((), seed) * (most - least)
