"""The classifiers of a cascade: what is kept of each, and the energies that they make."""

from collections.abc import Hashable, Mapping
from typing import Any

import keras
import tensorflow as tf

from tfgen import distributions, energies
from tfgen.models.base import Model, Target
from tfgen.models.endpoints import task
from tfgen.models.snapshots import Snapshots
from tfgen.models.synthesis import BOUNDS, LogOdds, Synthesis
from tfgen.nets.architectures import adapters
from tfgen.types import Energy, EnergyFn, Image, Label


class Classifiers(Model):
    """Classifiers learned one after the other, and their energies.

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

    Source: Introspective neural networks for generative modeling, section 3.
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

    @property
    def any_size(self) -> bool:
        """Tells whether the classifiers see patches, so that images may have any size."""
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
    def from_config(cls, config: Mapping[str, Any]) -> "Classifiers":
        given = dict(config)
        canvas, synthesis = tuple(given["canvas"]), Synthesis(**given["synthesis"])
        return super().from_config(given | {"canvas": canvas, "synthesis": synthesis})
