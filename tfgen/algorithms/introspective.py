"""Introspective networks: a cascade of classifiers that is its own generator.

Paper: Introspective neural networks for generative modeling (Lazarow, Jin and Tu, ICCV 2017), Algorithm 1; constants
that the paper leaves open are the released code's.
"""

import keras
import tensorflow as tf

from tfgen import losses, random
from tfgen.errors import UserError, check
from tfgen.models import CascadeTasks, Synthesis, cut
from tfgen.models.snapshots import Cascade
from tfgen.models.synthesis import OBJECTIVES
from tfgen.samplers import run
from tfgen.training.algorithm import Algorithm
from tfgen.training.buffers import PseudoNegatives
from tfgen.training.stages import Stages
from tfgen.types import Batch, Endpoint, Image, Seed

STOPS = {
    "boundary": (0.0, 20),  # section 4.1: the average over a window crosses the decision boundary
    "margin": (0.1521, 1),  # the released code: a cross-entropy of 0.62, ln(1 / (e^0.62 - 1))
    "quantile": (
        None,
        1,
    ),  # as likely an image as the images of a quantile; after Lee et al., WINN, 2018
}
"""When synthesis stops: at which log-odds, averaged over how many steps."""

OPTIMIZERS = ("adam", "sgd")


class Introspective(Algorithm):
    """Learns a classifier of images against its own samples, stage by stage; an update is one of a classifier's.

    A stage classifies until the loss is low, then synthesizes samples across the classifier's boundary, which the
    next stage learns to tell from images too.

    Args:
        discriminator: the classifier: images to log-odds.
        image_shape: height, width, channels of what it sees.
        seed: of all that training draws.
        stages: T, after which training is done.
        reduction: b: a classifier is kept every so many stages, and the stages between start their synthesis from the
            samples of the last kept one; 0 keeps one classifier in all (INNg-single).
        stage_updates: the most updates of a stage.
        stop_loss: the classifier's loss that ends a stage, averaged over loss_window updates; nats.
        loss_window: updates.
        samples: pseudo-negatives a stage.
        memory: stages whose pseudo-negatives are kept and learned from.
        recency: how much likelier a stage's pseudo-negatives are met than those of the stage before.
        canvas: side of the square that a sample shows, of which the classifier sees patches; 0 takes the image's own
            size, of which it sees the whole.
        padding: pixels around the canvas that are synthesized and cut off; one less than the patch makes all pixels
            of the canvas equally likely in a patch.
        patches: of a canvas with its padding, seen at a step of synthesis.
        sigma: standard deviation, in pixel units, of the noise that synthesis starts from.
        optimizer: of synthesis: adam or sgd.
        step_size: of synthesis from noise, in pixel units.
        step_decay: factor on it for each stage that the samples a synthesis starts from have gone through.
        beta_1: of adam.
        noise: standard deviation, in pixel units, of noise added to the first step of a synthesis.
        noise_decay: factor on it a step.
        objective: what synthesis ascends: log_odds, or cross_entropy to the label of images.
        synthesis_steps: the most steps of a synthesis; times the stages since the last kept classifier.
        stop: when synthesis stops: boundary, margin or quantile.
        stop_quantile: of the images' log-odds, where stop is quantile.
        sample_steps: under each classifier, when a picture is stylized.

    Raises:
        UserError: if a hyperparameter is out of its range.
    """

    def __init__(
        self,
        discriminator: keras.Model,
        *,
        image_shape: tuple[int, int, int],
        seed: int = 0,
        stages: int = 20,
        reduction: int = 1,
        stage_updates: int = 300,
        stop_loss: float = 0.005,
        loss_window: int = 10,
        samples: int = 16,
        memory: int = 10,
        recency: float = 2.0,
        canvas: int = 0,
        padding: int = 0,
        patches: int = 10,
        sigma: float = 0.3,
        optimizer: str = "adam",
        step_size: float = 0.01,
        step_decay: float = 1.0,
        beta_1: float = 0.5,
        noise: float = 0.0,
        noise_decay: float = 0.99,
        objective: str = "cross_entropy",
        synthesis_steps: int = 500,
        stop: str = "margin",
        stop_quantile: float = 0.1,
        sample_steps: int = 20,
    ):
        logged = [
            "cross_entropy",
            "accuracy",
            "log_odds_data",
            "log_odds_samples",
            "discriminator_grad_norm",
        ]
        super().__init__([*logged, "stage", "synthesis_steps"], seed)
        for name, value, known in (
            ("optimizer", optimizer, OPTIMIZERS),
            ("objective", objective, OBJECTIVES),
            ("stop", stop, STOPS),
        ):
            if value not in known:
                raise UserError(f"{name}: expected one of {', '.join(known)} and found {value}")
        self.discriminator = discriminator
        self.image_shape = tuple(image_shape)
        self.stages = check("stages", stages, least=1)
        self.reduction = check("reduction", reduction, least=0) or self.stages
        self.stage_updates = check("stage_updates", stage_updates, least=1)
        self.stop_loss = check("stop_loss", stop_loss, least=0)
        self.loss_window = check("loss_window", loss_window, least=1)
        self.stop_quantile = check("stop_quantile", stop_quantile, least=0, most=1)
        self.sample_steps = check("sample_steps", sample_steps, least=0)
        self.decay = (
            check("step_decay", step_decay, above=0, most=1) ** self.reduction
        )  # from one kept to the next
        self.margin, window = STOPS[stop]
        self.padding = check("padding", padding, least=0)
        self.canvas = self._canvas(check("canvas", canvas, least=0))
        self.synthesis_steps = check("synthesis_steps", synthesis_steps, least=1)
        self.synthesis = Synthesis(
            optimizer,
            check("step_size", step_size, above=0),
            check("beta_1", beta_1, least=0, most=0.999),
            check("noise", noise, least=0),
            check("noise_decay", noise_decay, above=0, most=1),
            objective,
            window,
            self.synthesis_steps * self.reduction,
            check("sigma", sigma, above=0),
            self.image_shape[0] if canvas else None,
            check("patches", patches, least=1),
            self.canvas[0] * self.canvas[1],
        )
        samples, memory = check("samples", samples, least=1), check("memory", memory, least=1)
        self.negatives = PseudoNegatives(
            memory, samples, self.canvas, check("recency", recency, least=1), sigma
        )
        kept = -(-self.stages // self.reduction)
        self.cascade = Cascade(discriminator, kept)
        options = {"trainable": False, "aggregation": "only_first_replica"}
        self.start = self.add_weight(
            shape=(samples, *self.canvas), initializer=self._noise, name="start", **options
        )
        options["initializer"] = "zeros"
        self.margins = self.add_weight(shape=(kept,), name="margins", **options)
        self.images_margin = self.add_weight(shape=(), name="images_margin", **options)
        self.loss = self.add_weight(shape=(), name="loss", **options)
        self.stage = self.add_weight(shape=(), dtype="int32", name="stage", **options)
        self.into_stage = self.add_weight(shape=(), dtype="int32", name="into_stage", **options)
        self.steps_taken = self.add_weight(shape=(), dtype="int32", name="steps_taken", **options)

    def _canvas(self, side: int) -> tuple[int, int, int]:
        """Height, width, channels of a pseudo-negative."""
        height, width, channels = self.image_shape
        if height != width:
            raise UserError(f"image_size: expected square images and found {height}x{width}")
        if side and side + 2 * self.padding < height:
            raise UserError(
                f"canvas: expected at least the patches' side, {height}, and found {side}"
            )
        if self.padding and not side:
            raise UserError(
                "padding: expected 0 without a canvas, since the classifier sees whole images"
            )
        side = side + 2 * self.padding if side else height
        return side, side, channels

    def _noise(self, *_, **__) -> Image:
        """What synthesis starts from: the first pseudo-negatives."""
        return self.negatives.newest(0)

    def update(self, batch: Batch, seed: Seed) -> dict[str, tf.Tensor]:
        # 1. classification: S+ against the pseudo-negatives of the last stages
        x = batch["image"]
        count = x.shape[0]
        samples = self.negatives.draw(count, self.stage.value, self.image_shape[0], seed)
        with tf.GradientTape() as tape:
            log_odds = self.discriminator(tf.concat([x, samples], axis=0), training=True)
            data, synthesized = log_odds[:count], log_odds[count:]
            loss = losses.logistic(data, synthesized)
        norms = self.descend_together(["discriminator"], tape, loss)
        if self.margin is None:
            self._follow_images(x)
        self.loss.assign_add(loss / self.loss_window)
        self.into_stage.assign_add(1)
        right = tf.concat([data > 0, synthesized < 0], axis=0)
        return {
            "cross_entropy": loss,
            "accuracy": tf.reduce_mean(tf.cast(right, tf.float32)),
            "log_odds_data": tf.reduce_mean(data),
            "log_odds_samples": tf.reduce_mean(synthesized),
            "stage": tf.cast(self.stage.value, tf.float32),
            "synthesis_steps": tf.cast(self.steps_taken.value, tf.float32),
        } | norms

    def _follow_images(self, image: Image) -> None:
        """Keeps the running quantile of the images' log-odds."""
        ordered = tf.sort(self.discriminator(image, training=False))
        found = ordered[round(self.stop_quantile * (ordered.shape[0] - 1))]
        kept = tf.where(self.into_stage.value == 0, 0.0, 0.9)
        self.images_margin.assign(kept * self.images_margin.value + (1 - kept) * found)

    def synthesize(self) -> None:
        """2. and 3. of Algorithm 1: the classifier joins the model, of which pseudo-negatives are drawn."""
        stage = self.stage.value
        number, since = stage // self.reduction, stage % self.reduction
        margin = self.images_margin.value if self.margin is None else tf.constant(self.margin)

        def log_odds(x):
            return self.discriminator(x, training=False)

        start = self.start.value
        seed = random.fold_in(random.fold_in(random.root(self.seed), -2), stage)
        most = self.synthesis_steps * (since + 1)  # section 3.6
        scale = self.decay ** tf.cast(number, tf.float32)
        kernel, energy = self.synthesis.across(log_odds, margin, start.shape, scale)
        x, summary = run(kernel, energy, start, seed, most)

        self.cascade.keep(self.discriminator, number)
        self.margins.value.scatter_update(tf.IndexedSlices(margin[tf.newaxis], number[tf.newaxis]))
        self.negatives.keep(stage + 1, x)
        self.start.assign(tf.where(since == self.reduction - 1, x, start))
        self.steps_taken.assign(summary.num_steps)
        self.stage.assign_add(1)
        self.into_stage.assign(0)

    @property
    def stop_training(self) -> bool:
        """Whether all stages are over; Keras asks, and would set it."""
        return hasattr(self, "stage") and int(self.stage.numpy()) >= self.stages

    @stop_training.setter
    def stop_training(self, stop: bool) -> None:
        del stop

    @property
    def tasks(self) -> CascadeTasks:
        """What the cascade is used for."""
        kept = self.cascade, self.margins, self.decay
        return CascadeTasks(
            self.discriminator, *kept, self.synthesis, self.image_shape, self.canvas, self.padding
        )

    def endpoints(self) -> dict[str, Endpoint]:
        return self.tasks.endpoints()

    def pictures(self, batch: Batch) -> dict[str, Image]:
        del batch
        return {"samples": cut(self.negatives.newest(self.stage.value)[:16], self.padding)}

    def callbacks(self) -> list[keras.callbacks.Callback]:
        return [Stages(self)]
