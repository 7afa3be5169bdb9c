"""A cascade of classifiers that generates by back-propagation into the image."""

from collections.abc import Hashable, Mapping
from typing import Any

import keras
import tensorflow as tf

from tfgen import distributions, energies, random
from tfgen.models import inputs
from tfgen.models.base import Model, Target
from tfgen.models.endpoints import task
from tfgen.models.energy import without_margin
from tfgen.models.snapshots import Snapshots
from tfgen.models.synthesis import BOUNDS, LogOdds, Pace, Synthesis
from tfgen.nets.architectures import adapters
from tfgen.samplers import Kernel, run, run_sequence
from tfgen.types import Energy, EnergyFn, Image, Label, Mask, Seed


@keras.saving.register_keras_serializable("tfgen")
class CascadeModel(Model):
    """Classifiers learned one after the other, and how images move across their boundaries.

    Args:
        discriminator: the classifier's net, whose snapshots are the cascade.
        image_shape: height, width, channels of what the classifier sees.
        canvas: height, width, channels of the images that training synthesized, border included.
        padding: pixels around an image that are synthesized and cut off, since fewer patches
            cover them.
        synthesis: how images move.
        decay: factor on the steps of synthesis from one classifier to the next, in (0, 1].
        num_snapshots: classifiers there is room for.
        style_steps: steps when a picture is stylized.
        fall: factor that the steps fall by within the synthesis across one classifier, in (0, 1].
        fall_steps: the number of these steps, at least 1.

    Attributes:
        snapshots: the cascade.
        thresholds: the log-odds at which each classifier's synthesis stops, [num_snapshots].

    Source: Introspective neural networks for generative modeling, sections 3 and 4.2.
    """

    image_shape: tuple[int, int, int]

    def __init__(
        self,
        discriminator: keras.Model,
        *,
        image_shape: tuple[int, int, int],
        canvas: tuple[int, int, int],
        padding: int,
        synthesis: Synthesis,
        decay: float,
        num_snapshots: int,
        style_steps: int,
        fall: float = 1.0,
        fall_steps: int = 1,
        sampling: None = None,
    ):
        net = adapters.as_discriminator(discriminator, image_shape)
        super().__init__({"discriminator": net}, image_shape=image_shape, sampling=sampling)
        self.discriminator = net
        self.canvas = canvas
        self.padding = padding
        self.synthesis = synthesis
        self.decay = decay
        self.style_steps = style_steps
        self.fall = fall
        self.fall_steps = fall_steps
        self.snapshots = Snapshots(net, num_snapshots)
        self.thresholds = self.add_weight(
            shape=(num_snapshots,),
            trainable=False,
            initializer="zeros",
            aggregation="only_first_replica",
            name="thresholds",
        )

    def inputs(self) -> dict[str, inputs.Input]:
        height, width, channels = self.canvas
        sides = (None, None) if self.any_size else (height, width)
        shown = (height - 2 * self.padding, width - 2 * self.padding)
        patch = self.image_shape[0]  # a patch fits into the canvas
        least = max(patch - 2 * self.padding, 1)
        shape = (*sides, channels)
        canvas = "canvas", "images with their border"
        content = "content", "pictures to stylize"
        declared = [
            inputs.image(self.image_shape),
            inputs.mask(self.image_shape),
            inputs.image(shape, *canvas, (height, width), patch),
            inputs.image(shape, *content, (height, width), patch),
            inputs.seed(),
            inputs.count(),
            inputs.size(shown, least),
            inputs.stage(self.snapshots.num_kept),
            inputs.classifiers(self.snapshots.num_kept),
            inputs.gamma(),
            inputs.num_steps(self.style_steps),
        ]
        return {known.name: known for known in declared}

    def unable(self) -> set[str]:
        unable = {"complete"} if self.any_size else {"synthesize"}
        if not self.snapshots.num_kept:  # room alone is a net of zeros
            unable.add("advance")
        return unable if self.discriminator.has_features else unable | {"features"}

    @property
    def any_size(self) -> bool:
        """Whether the classifiers see patches, so that images of any size can be synthesized."""
        return self.synthesis.patch_size is not None

    def classifier(self, stage: int | tf.Tensor) -> LogOdds:
        """Returns the classifier of a stage: images to log-odds."""
        return self.snapshots.net_at(self.discriminator, stage)

    def energy_fn(self, label: Label | None = None, training: bool = False) -> EnergyFn:
        """Returns minus the sum of all log-odds of images of the classifier's size, in nats.

        Source: INNg, equation 11.
        """
        del label, training  # snapshots run in inference mode alone
        return energies.cascade(self._kept())

    def target(self, label: Label | None = None) -> Target:
        """Returns p_T of equation 12, in the box that synthesis keeps images in."""
        del label
        sigma = self.synthesis.sigma
        noise = distributions.TruncatedGaussian(sigma, bounds=BOUNDS)
        energy = energies.cascade_density(self._kept(), sigma)
        return Target(energy, noise, self.image_shape)

    def score_target(self, label: Label | None = None) -> Target:
        """Returns the density whose energy is minus the sum of all log-odds, in the same box.

        White noise is left out: it would decide every comparison of two images (`target`).
        """
        uniform = distributions.Uniform(BOUNDS)
        return Target(self.energy_fn(label), uniform, self.image_shape)

    def _kept(self) -> list[LogOdds]:
        return [self.classifier(stage) for stage in range(self.snapshots.num_kept)]

    def revision(self) -> Hashable:
        return self.snapshots.num_kept  # how many classifiers a graph goes through

    @task("energy")
    def energy(self, image: Image) -> Energy:
        """Computes minus the sum of all log-odds of each image in nats: low is like the data."""
        return self.energy_fn()(image)

    @task("energy")
    def density_energy(self, image: Image) -> Energy:
        """Computes -ln p_T of equation 12 in nats, white noise included: lowest for plain grey."""
        return self.target().energy(image)

    @task("energy", "steepness")
    def anomaly(self, image: Image) -> tuple[Energy, tf.Tensor]:
        """Computes the energy and the magnitude of its gradient at each pixel, [b, h, w, 1]."""
        found = energies.input_gradient_magnitude(self.energy_fn(), image)
        return found["energy"], found["steepness"]

    @task("features")
    def features(self, image: Image) -> tf.Tensor:
        """Computes the newest classifier's features, [b, d]; INNg, section 4.5."""
        return self.discriminator.features(image)

    @task("image")
    def generate(self, count: tf.Tensor, seed: Seed, classifiers: tf.Tensor | None = None) -> Image:
        """Synthesizes images of the size of training's, from noise through the classifiers.

        Args:
            count: how many.
            seed: int32 [2].
            classifiers: how many of the first ones; None takes all.
        """
        # the canvas includes the padding
        return self._through((count, *self.canvas), seed, classifiers)

    @task("image")
    def synthesize(
        self,
        count: tf.Tensor,
        seed: Seed,
        size: tf.Tensor,
        classifiers: tf.Tensor | None = None,
    ) -> Image:
        """Synthesizes images of any size, [count, size[0], size[1], c]."""
        height, width = (size[axis] + 2 * self.padding for axis in (0, 1))
        return self._through((count, height, width, self.canvas[-1]), seed, classifiers)

    @task("image")
    def complete(
        self, image: Image, mask: Mask, seed: Seed, classifiers: tf.Tensor | None = None
    ) -> Image:
        """Synthesizes missing pixels through the classifiers; known ones stay as they are.

        Args:
            image: [b, h, w, c]; what stands at missing pixels does not matter.
            mask: [b, h, w, 1], 1 where a pixel is known.
            seed: int32 [2].
            classifiers: see `generate`.
        """
        known, shape = mask * image, (tf.shape(image)[0], *self.canvas)
        return known + (1 - mask) * self._through(shape, seed, classifiers, known, mask)

    @task("image")
    def advance(self, canvas: Image, stage: tf.Tensor, seed: Seed) -> Image:
        """Moves canvases across the boundary of one classifier of the cascade.

        Args:
            canvas: [b, h, w, c], border included.
            stage: number of the classifier, from 0.
            seed: int32 [2].
        """
        kernel, energy = self._across(stage, tf.shape(canvas), seed)
        return run(kernel, energy, canvas, seed, self.synthesis.num_steps)[0]

    @task("image")
    def stylize(
        self,
        content: Image,
        seed: Seed,
        num_steps: tf.Tensor | None = None,
        gamma: tf.Tensor | None = None,
    ) -> Image:
        """Draws pictures in the texture's style: likely to the cascade, and near to the content.

        Each patch descends gamma |x - content|_2 - (1 - gamma) ln p(x), with ln p the sum of all
        log-odds. The steps shrink over the way as those of a sample do through the cascade.

        Args:
            content: [b, h, w, c], of any size that the classifier's fits into.
            seed: int32 [2].
            num_steps: None takes the model's own number.
            gamma: weight of staying near, in [0, 1]; None takes 0.3.

        Source: INNg, section 4.2.
        """
        score, steps = self.energy_fn(), self.style_steps if num_steps is None else num_steps
        last = self.decay ** max(self.snapshots.num_kept - 1, 0) * self.fall
        pace = Pace(fall=last, num_steps=tf.maximum(steps, 1))
        kernel, energy = self.synthesis.near(lambda x: -score(x), content, gamma, pace)
        return run(kernel, energy, content, seed, steps)[0]

    def scale(self, stage: int | tf.Tensor) -> tf.Tensor:
        """Returns the factor on the first step of synthesis across a classifier's boundary."""
        return self.decay ** tf.cast(stage, tf.float32)

    def step_scale(self, stage: int | tf.Tensor, count: tf.Tensor) -> tf.Tensor:
        """Returns the factor on a step of synthesis, after as many under the same classifier."""
        if self.fall == 1:
            return self.scale(stage)
        fraction = tf.minimum(count / max(self.fall_steps - 1, 1), 1.0)
        return self.scale(stage) * self.fall**fraction

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "canvas": list(self.canvas),
            "padding": self.padding,
            "synthesis": self.synthesis.get_config(),
            "decay": self.decay,
            "num_snapshots": self.thresholds.shape[0],
            "style_steps": self.style_steps,
            "fall": self.fall,
            "fall_steps": self.fall_steps,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "CascadeModel":
        given = dict(config)
        canvas, synthesis = tuple(given["canvas"]), Synthesis(**given["synthesis"])
        return super().from_config(given | {"canvas": canvas, "synthesis": synthesis})

    def _across(self, stage: int | tf.Tensor, shape, seed: Seed) -> tuple[Kernel, EnergyFn]:
        return self.synthesis.across(
            self.classifier(stage),
            self.thresholds.value[stage],
            shape,
            pace=Pace(self.scale(stage), self.fall, self.fall_steps),
            per_example=random.several(seed),  # images with their own seeds stop on their own
        )

    def _through(self, shape, seed: Seed, classifiers, known=0.0, mask: Mask | None = None):
        start_seed, run_seed = random.split(seed)
        x = self.synthesis.start(shape, start_seed)
        # a shape that is a tensor leaves the channels unknown, which convolutions must know
        x = tf.ensure_shape(x, (None, None, None, self.canvas[-1]))

        def stage(number):
            kernel, energy = self._across(number, tf.shape(x), seed)
            return kernel, energy if mask is None else energies.clamped(energy, known, mask)

        through = self.snapshots.num_kept if classifiers is None else classifiers
        x, _ = run_sequence(stage, x, run_seed, through, self.synthesis.num_steps)
        return without_margin(x, self.padding)
