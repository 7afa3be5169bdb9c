"""Introspective networks: a cascade of classifiers that is its own generator.

Paper: Introspective neural networks for generative modeling (Lazarow, Jin and Tu, ICCV 2017),
Algorithm 1; constants that the paper leaves open are the released code's.
"""

from typing import Annotated

import keras
import tensorflow as tf

from tfgen import losses, random
from tfgen.errors import AtLeastOne, Fraction, NotNegative, OneOf, Positive, Range, UserError
from tfgen.models import CascadeModel, Synthesis, without_margin
from tfgen.models.synthesis import OBJECTIVES, OPTIMIZERS, STOPS, Pace, canvas_shape
from tfgen.samplers import run
from tfgen.training import replicas
from tfgen.training.algorithm import Algorithm, grad_norms
from tfgen.training.buffers import PseudoNegatives
from tfgen.training.stages import Stages
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


class Introspective(Algorithm):
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

    model: CascadeModel

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
        stages_a_snapshot = reduction or stages  # 0: one snapshot, of the last stage (INNg-single)
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
            num_steps=synthesis_steps * stages_a_snapshot,
            sigma=sigma,
            patch_size=image_shape[0] if canvas else None,
            patches=patches,
            area=shape[0] * shape[1],
        )
        model = CascadeModel(
            discriminator,
            image_shape=image_shape,
            canvas=shape,
            padding=padding,
            synthesis=synthesis,
            decay=step_decay**stages_a_snapshot,  # from one kept classifier to the next
            num_snapshots=-(-stages // stages_a_snapshot),  # rounded up
            style_steps=sample_steps,
            fall=step_decay ** (stages_a_snapshot - 1),
            fall_steps=max(decay_steps * (stages_a_snapshot - 1), 1),
        )
        super().__init__(model, logged=LOGGED, seed=seed)
        self.stages = stages
        self.reduction = stages_a_snapshot
        # the one group of INNg-single has no last stage: a finished run may get more
        self.group_end = reduction - 1 if reduction else None
        self.stage_updates = stage_updates
        self.stop_loss = stop_loss
        self.loss_window = loss_window
        self.stop_quantile = stop_quantile
        self.threshold = threshold
        self.step_decay = step_decay
        self.decay_steps = decay_steps
        self.synthesis_steps = synthesis_steps
        self.negatives = PseudoNegatives(memory, samples, shape, recency, sigma)
        self._add_state(samples, shape)

    def _add_state(self, samples: int, canvas: tuple[int, int, int]) -> None:
        """Adds the weights that say where training stands."""
        options = {"trainable": False, "aggregation": "only_first_replica"}

        # the first stage learns against noise of p_0, and its synthesis moves that same noise
        def noise(shape, dtype):
            return tf.cast(self.negatives.newest(0), dtype)

        self.start = self.add_weight(
            shape=(samples, *canvas), initializer=noise, name="start", **options
        )
        options["initializer"] = "zeros"
        self.images_threshold = self.add_weight(shape=(), name="images_threshold", **options)
        self.loss = self.add_weight(shape=(), name="loss", **options)
        self.stage = self.add_weight(shape=(), dtype="int32", name="stage", **options)
        self.into_stage = self.add_weight(shape=(), dtype="int32", name="into_stage", **options)
        self.steps_taken = self.add_weight(shape=(), dtype="int32", name="steps_taken", **options)

    @property
    def finished(self) -> bool:
        return int(self.stage.numpy()) >= self.stages

    @property
    def growable(self) -> list[keras.Variable]:
        return [*self.model.snapshots.stacks, self.model.thresholds]

    def check_restored(self) -> None:
        if (made := int(self.stage.numpy())) > self.stages:
            words = f"at least {made}, the stages that are made, and found {self.stages}"
            raise UserError(f"introspective.stages: expected {words}")

    @property
    def last_growth(self) -> int:
        # a new stage's classifier meets new samples, and its gradient may be any size
        return self.num_updates - int(self.into_stage.numpy())

    def update(self, batch: Batch, seed: Seed) -> dict[str, tf.Tensor]:
        # 1. classification: S+ against the pseudo-negatives of the last stages
        image, net = batch["image"], self.model.discriminator
        count, size = image.shape[0], self.model.image_shape[0]
        samples = self.negatives.draw(count, tf.convert_to_tensor(self.stage.value), size, seed)
        both = tf.concat([image, samples], axis=0)
        with tf.GradientTape() as tape:
            data, synthesized = tf.split(net(both, training=True), 2)
            loss = losses.logistic(data, synthesized)
        norms = self.minimize_together(["discriminator"], tape, loss)
        kept_loss = self._loss_as_kept(both)
        self.into_stage.assign_add(1)
        right = tf.concat([data > 0, synthesized < 0], axis=0)
        return norms | {
            "cross_entropy": loss,
            "cross_entropy_inference": kept_loss,
            "accuracy": tf.reduce_mean(tf.cast(right, tf.float32)),
            "log_odds_data": tf.reduce_mean(data),
            "log_odds_samples": tf.reduce_mean(synthesized),
            "stage": tf.cast(self.stage.value, tf.float32),
            "synthesis_steps": tf.cast(self.steps_taken.value, tf.float32),
        }

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
            self._follow_images(replicas.gathered(data))
        # `Stages` reads the sum at the end of each window, as the window's mean, and resets it
        self.loss.assign_add(loss / self.loss_window)
        return loss

    def _follow_images(self, log_odds: tf.Tensor) -> None:
        """Keeps the running quantile of the images' log-odds, [b]."""
        ordered = tf.sort(log_odds)
        found = ordered[round(self.stop_quantile * (ordered.shape[0] - 1))]
        # each stage starts anew: log-odds of the classifier before say nothing about its own
        kept = tf.where(self.into_stage.value == 0, 0.0, 0.9)
        self.images_threshold.assign(kept * self.images_threshold.value + (1 - kept) * found)

    def synthesize(self) -> None:
        """Makes steps 2 and 3 of Algorithm 1: synthesizes pseudo-negatives, keeps the classifier.

        With `reduction` above 1, the classifiers of a group of stages overwrite each other in one
        snapshot, and their syntheses all start from the samples that ended the group before.

        Source: INNg, sections 3.2.2 and 3.6.
        """
        with self.averaged_weights():
            self._synthesize()

    def _synthesize(self) -> None:
        model, stage = self.model, tf.convert_to_tensor(self.stage.value)
        start = tf.convert_to_tensor(self.start.value)
        number = stage // self.reduction  # the snapshot, or group of stages
        since = stage % self.reduction  # stages since the last kept classifier
        learned = self.threshold is None
        threshold = tf.convert_to_tensor(self.images_threshold if learned else self.threshold)

        def log_odds(x):
            return model.discriminator(x, training=False)

        # -2: apart from the seeds of updates, from 0, and of the order of examples, -1
        seed = random.fold_in(random.fold_in(self.root, -2), stage)
        pace = self._pace(number, since)
        kernel, energy = model.synthesis.across(log_odds, threshold, start.shape, pace=pace)
        most = self.synthesis_steps * (since + 1)  # the way from the start grows (section 3.6)
        x, summary = run(kernel, energy, start, seed, most)
        x = replicas.first(x)  # on other machines it may differ by rounding

        model.snapshots.keep(model.discriminator, number)
        # by TensorFlow's variable: Keras's own has no assignment to a single entry
        kept = tf.IndexedSlices(threshold[tf.newaxis], number[tf.newaxis])
        model.thresholds.value.scatter_update(kept)
        self.negatives.keep(stage + 1, x)  # the first noise is number 0
        if self.group_end is not None:
            self.start.assign(tf.where(since == self.group_end, x, start))
        self.steps_taken.assign(replicas.first(summary.num_steps))
        self.stage.assign_add(1)
        self.into_stage.assign(0)

    def _pace(self, number: tf.Tensor, since: tf.Tensor) -> Pace:
        """Returns how steps shrink: within a group, as if the stages since had each been passed."""
        first = self.model.scale(number)
        if self.reduction == 1 or self.step_decay == 1:
            return Pace(first)
        return Pace(first, self.step_decay ** tf.cast(since, tf.float32), self.decay_steps * since)

    def pictures(self, batch: Batch) -> dict[str, Image]:
        del batch
        newest = self.negatives.newest(self.stage.value)[:16]
        return {"samples": without_margin(newest, self.model.padding)}

    def callbacks(self) -> list[keras.callbacks.Callback]:
        return [Stages(self)]
