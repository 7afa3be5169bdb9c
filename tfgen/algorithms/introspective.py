"""Introspective networks: a cascade of classifiers that is its own generator.

Paper: Introspective neural networks for generative modeling (Lazarow, Jin and Tu, ICCV 2017),
Algorithm 1; constants that the paper leaves open are the released code's.
"""

from typing import Annotated

import keras
import tensorflow as tf

from tfgen import losses, microbatches
from tfgen.errors import AtLeastOne, Fraction, NotNegative, OneOf, Positive, Range
from tfgen.models import Synthesis
from tfgen.models.synthesis import OBJECTIVES, OPTIMIZERS, STOPS, canvas_shape
from tfgen.training import replicas
from tfgen.training.algorithm import grad_norms
from tfgen.training.introspection import Introspection
from tfgen.types import Batch, Image, Seed

LOGGED = (
    "cross_entropy",
    "cross_entropy_inference",
    "accuracy",
    "log_odds_data",
    "log_odds_samples",
    *grad_norms("discriminator"),
    "stage",
    "synthesis_steps",
)


class Introspective(Introspection):
    """Learns a classifier of images against its own samples, stage by stage.

    An update is one of a classifier's. A stage classifies until the loss is low, then synthesizes
    samples across the classifier's boundary, which the next stage learns to tell from images too.

    Args:
        discriminator: the classifier: images to log-odds.
        image_shape: height, width, channels of what it sees.
        seed: of all that training draws.
        stages: T, after which training is done; a finished run goes on with more.
        reduction: b: a classifier is kept every so many stages, and the stages between start their
            synthesis from the samples of the last kept one; 0 keeps one classifier in all
            (INNg-single).
        stage_updates: the most updates of a stage.
        stop_loss: the classifier's loss in inference mode that ends a stage, taken after each of
            loss_window updates and averaged; nats.
        loss_window: updates.
        samples: pseudo-negatives a stage.
        memory: stages whose pseudo-negatives are kept and learned from.
        recency: how much likelier a stage's pseudo-negatives are met than those of the stage
            before.
        canvas: side of the square that a sample shows, of which the classifier sees patches; 0
            takes the image's own size, of which it sees the whole.
        padding: pixels around the canvas that are synthesized and cut off; one less than the patch
            makes all pixels of the canvas equally likely in a patch.
        patches: of a canvas with its padding, seen at a step of synthesis.
        sigma: standard deviation, in pixel units, of the noise that synthesis starts from.
        optimizer: of synthesis: adam or sgd.
        step_size: of synthesis from noise, in pixel units.
        step_decay: factor on it for each stage that the samples a synthesis starts from have gone
            through.
        decay_steps: where stages share a start (reduction other than 1), the steps of a synthesis
            after which it has fallen by step_decay once, as often as there were stages since.
        beta_1: of adam.
        noise: standard deviation, in pixel units, of noise added to the first step of a synthesis.
        noise_decay: factor on it a step.
        objective: what synthesis ascends: log_odds, or cross_entropy to the label of images.
        synthesis_steps: the most steps of a synthesis; times the stages since the last kept
            classifier.
        stop: when synthesis stops: boundary, margin or quantile.
        stop_quantile: of the images' log-odds, where stop is quantile.
        sample_steps: when a picture is stylized, each of them under all classifiers.

    Raises:
        UserError: if a hyperparameter is out of its range.
    """

    def __init__(
        self,
        discriminator: keras.Model,
        *,
        image_shape: tuple[int, int, int],
        seed: int = 0,
        stages: Annotated[int, AtLeastOne] = 20,
        reduction: Annotated[int, NotNegative] = 1,
        stage_updates: Annotated[int, AtLeastOne] = 300,
        stop_loss: Annotated[float, NotNegative] = 0.005,
        loss_window: Annotated[int, AtLeastOne] = 10,
        samples: Annotated[int, AtLeastOne] = 16,
        memory: Annotated[int, AtLeastOne] = 10,
        recency: Annotated[float, Range(least=1)] = 2.0,
        canvas: Annotated[int, NotNegative] = 0,
        padding: Annotated[int, NotNegative] = 0,
        patches: Annotated[int, AtLeastOne] = 10,
        sigma: Annotated[float, Positive] = 0.3,
        optimizer: Annotated[str, OneOf(*OPTIMIZERS)] = "adam",
        step_size: Annotated[float, Positive] = 0.01,
        step_decay: Annotated[float, Range(above=0, most=1)] = 1.0,
        decay_steps: Annotated[int, AtLeastOne] = 20,
        beta_1: Annotated[float, Range(least=0, most=0.999)] = 0.5,
        noise: Annotated[float, NotNegative] = 0.0,
        noise_decay: Annotated[float, Range(above=0, most=1)] = 0.99,
        objective: Annotated[str, OneOf(*OBJECTIVES)] = "cross_entropy",
        synthesis_steps: Annotated[int, AtLeastOne] = 500,
        stop: Annotated[str, OneOf(*STOPS)] = "margin",
        stop_quantile: Annotated[float, Fraction] = 0.1,
        sample_steps: Annotated[int, NotNegative] = 100,
    ):
        shape = canvas_shape(image_shape, canvas, padding)
        threshold, window = STOPS[stop]
        synthesis = Synthesis(
            optimizer=optimizer,
            step_size=step_size,
            beta_1=beta_1,
            noise=noise,
            noise_decay=noise_decay,
            objective=objective,
            window=window,
            num_steps=synthesis_steps,
            sigma=sigma,
            patch_size=image_shape[0] if canvas else None,
            patches=patches,
            area=shape[0] * shape[1],
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
            stop_loss=stop_loss,
            loss_window=loss_window,
            samples=samples,
            memory=memory,
            recency=recency,
            step_decay=step_decay,
            decay_steps=decay_steps,
        )
        self.stop_quantile = stop_quantile
        self.threshold = threshold
        self.images_threshold = self.add_weight(
            shape=(),
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
            name="images_threshold",
        )

    def update(self, batch: Batch, seed: Seed) -> dict[str, tf.Tensor]:
        # 1. classification: S+ against the pseudo-negatives of the last stages
        image = batch["image"]
        both = tf.concat([image, self.against(image, seed)], axis=0)
        with tf.GradientTape() as tape:
            data, synthesized = tf.split(self.model.discriminator(both, training=True), 2)
            loss = losses.logistic(data, synthesized)
        norms = self.minimize_together(["discriminator"], tape, loss)
        kept_loss = self._loss_as_kept(both)
        microbatches.once(lambda: self.into_stage.assign_add(1))
        right = tf.concat([data > 0, synthesized < 0], axis=0)
        return (
            norms
            | self.where()
            | {
                "cross_entropy": loss,
                "cross_entropy_inference": kept_loss,
                "accuracy": tf.reduce_mean(tf.cast(right, tf.float32)),
                "log_odds_data": tf.reduce_mean(data),
                "log_odds_samples": tf.reduce_mean(synthesized),
            }
        )

    def _loss_as_kept(self, both: Image) -> tf.Tensor:
        """Computes the loss of the classifier as a stage keeps it, and adds it to the window's.

        What is kept and sampled from runs in inference mode, with averaged weights where its
        optimizer averages them: another function than the one just trained.

        Args:
            both: images, then as many pseudo-negatives.
        """
        with self.averaged_weights():
            data, synthesized = tf.split(self.model.discriminator(both, training=False), 2)
        (loss,) = replicas.mean([losses.logistic(data, synthesized)])  # all decide by it
        if self.threshold is None:  # stop=quantile: the threshold is learned
            log_odds = replicas.gathered(data)
            microbatches.once(lambda: self._follow_images(log_odds))
        # `Stages` reads the sum at the end of each window, as the window's mean, and resets it
        microbatches.once(lambda: self.loss.assign_add(loss / self.loss_window))
        return loss

    def _follow_images(self, log_odds: tf.Tensor) -> None:
        """Keeps the running quantile of the images' log-odds, [b]."""
        ordered = tf.sort(log_odds)
        found = ordered[round(self.stop_quantile * (ordered.shape[0] - 1))]
        # each stage starts anew: log-odds of the classifier before say nothing about its own
        kept = tf.where(self.into_stage.value == 0, 0.0, 0.9)
        self.images_threshold.assign(kept * self.images_threshold.value + (1 - kept) * found)

    def threshold_now(self, seed: Seed) -> tf.Tensor:
        del seed
        if self.threshold is not None:
            return tf.constant(self.threshold)
        return tf.convert_to_tensor(self.images_threshold.value)
