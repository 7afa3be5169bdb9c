"""Training of a cascade stage by stage: a classifier, then samples across its boundary."""

import abc
from collections.abc import Sequence

import keras
import tensorflow as tf

from tfgen import random
from tfgen.errors import UserError
from tfgen.models import CascadeModel, Synthesis, without_margin
from tfgen.models.synthesis import Pace
from tfgen.samplers import run
from tfgen.training import replicas
from tfgen.training.algorithm import Algorithm
from tfgen.training.buffers import PseudoNegatives
from tfgen.training.stages import Stages
from tfgen.types import Batch, Image, Seed


class Introspection(Algorithm):
    """Learns a classifier of images against its own samples, stage by stage.

    A subclass writes `update`, an update of the classifier, which moves `into_stage` on; and
    `threshold_now`, the score that samples are moved to when a stage ends.

    Args:
        discriminator: the classifier: images to scores.
        synthesis: how samples move; with the steps of one stage.
        logged: see `Algorithm`.
        seed: of all that training draws.
        image_shape: height, width, channels of what the classifier sees.
        canvas: of samples, border included.
        padding: pixels around a sample that are synthesized and cut off.
        sample_steps: when a picture is stylized.
        stages: after which training is done; a finished run goes on with more.
        reduction: a classifier is kept every so many stages; 0 keeps one in all.
        stage_updates: the most updates of a stage.
        stop_loss: the mean of `loss` that ends a stage.
        loss_window: updates that `loss` is averaged over.
        samples: pseudo-negatives a stage.
        memory: stages whose pseudo-negatives are kept.
        recency: see `PseudoNegatives`.
        fresh: see `PseudoNegatives`.
        step_decay: factor on the steps of synthesis from stage to stage.
        decay_steps: see `Introspective`.

    Source: INNg, Algorithm 1 and section 3.6.
    """

    model: CascadeModel

    def __init__(
        self,
        discriminator: keras.Model,
        synthesis: Synthesis,
        *,
        logged: Sequence[str],
        seed: int,
        image_shape: tuple[int, int, int],
        canvas: tuple[int, int, int],
        padding: int,
        sample_steps: int,
        stages: int,
        reduction: int,
        stage_updates: int,
        stop_loss: float,
        loss_window: int,
        samples: int,
        memory: int,
        recency: float,
        step_decay: float,
        decay_steps: int,
        fresh: float = 0.0,
    ):
        group = reduction or stages  # 0: one snapshot, of the last stage (INNg-single)
        model = CascadeModel(
            discriminator,
            image_shape=image_shape,
            canvas=canvas,
            padding=padding,
            synthesis=synthesis.times(group),
            decay=step_decay**group,  # from one kept classifier to the next
            num_snapshots=-(-stages // group),  # rounded up
            style_steps=sample_steps,
            fall=step_decay ** (group - 1),
            fall_steps=max(decay_steps * (group - 1), 1),
        )
        super().__init__(model, logged=logged, seed=seed)
        self.stages = stages
        self.reduction = group
        # the one group of INNg-single has no last stage: a finished run may get more
        self.group_end = reduction - 1 if reduction else None
        self.stage_updates = stage_updates
        self.stop_loss = stop_loss
        self.loss_window = loss_window
        self.step_decay = step_decay
        self.decay_steps = decay_steps
        self.synthesis_steps = synthesis.num_steps
        self.negatives = PseudoNegatives(memory, samples, canvas, recency, synthesis.start, fresh)
        self._add_state(samples, canvas)

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
        self.loss = self.add_weight(shape=(), name="loss", **options)
        self.stage = self.add_weight(shape=(), dtype="int32", name="stage", **options)
        self.into_stage = self.add_weight(shape=(), dtype="int32", name="into_stage", **options)
        self.steps_taken = self.add_weight(shape=(), dtype="int32", name="steps_taken", **options)

    @abc.abstractmethod
    def threshold_now(self, seed: Seed) -> tf.Tensor:
        """Returns the score at which the synthesis of the stage that ends now stops, a scalar."""

    @property
    def finished(self) -> bool:
        return int(self.stage.numpy()) >= self.stages

    @property
    def growable(self) -> list[keras.Variable]:
        return [*self.model.snapshots.stacks, self.model.thresholds]

    def check_restored(self) -> None:
        if (made := int(self.stage.numpy())) > self.stages:
            words = f"at least {made}, the stages that are made, and found {self.stages}"
            raise UserError(f"stages: expected {words}")

    @property
    def last_growth(self) -> int:
        # a new stage's classifier meets new samples, and its gradient may be any size
        return self.num_updates - int(self.into_stage.numpy())

    def against(self, image: Image, seed: Seed) -> Image:
        """Draws as many pseudo-negatives as there are images, of the classifier's size."""
        stage = tf.convert_to_tensor(self.stage.value)
        return self.negatives.draw(image.shape[0], stage, self.model.image_shape[0], seed)

    def where(self) -> dict[str, tf.Tensor]:
        """Returns the logged numbers that say where training stands."""
        return {
            "stage": tf.cast(self.stage.value, tf.float32),
            "synthesis_steps": tf.cast(self.steps_taken.value, tf.float32),
        }

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

        def score(x):
            return model.discriminator(x, training=False)

        # -2: apart from the seeds of updates, from 0, and of the order of examples, -1
        seed = random.fold_in(random.fold_in(self.root, -2), stage)
        threshold = self.threshold_now(random.fold_in(seed, -1))
        pace = self._pace(number, since)
        kernel, energy = model.synthesis.across(score, threshold, start.shape, pace=pace)
        # the way from the common start grows with each stage of the group (section 3.6)
        x, summary = run(kernel, energy, start, seed, self.synthesis_steps * (since + 1))
        x = replicas.first(x)  # on other machines it may differ by rounding

        model.snapshots.keep(model.discriminator, number)
        # by TensorFlow's variable: Keras's own has no assignment to a single entry
        kept = tf.IndexedSlices(threshold[tf.newaxis], number[tf.newaxis])
        model.thresholds.value.scatter_update(kept)
        self.negatives.keep(stage + 1, x)  # the noise before the first stage is number 0
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
