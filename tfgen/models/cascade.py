"""What a trained cascade of classifiers is used for: score, generate, synthesize, stylize, features."""

import dataclasses

import keras
import tensorflow as tf

from tfgen import distributions, energies, random
from tfgen.models.energy import cut
from tfgen.models.snapshots import Cascade
from tfgen.models.synthesis import LogOdds, Synthesis
from tfgen.samplers import run, run_in_turn
from tfgen.types import Endpoint, Energy, Image, Seed


@dataclasses.dataclass(frozen=True)
class CascadeTasks:
    """A trained cascade, how to sample it, and its tasks.

    Attributes:
        net: the classifier's, as it is now.
        cascade: its copies.
        margins: the log-odds at which each classifier's synthesis stops, [stages].
        decay: factor on the steps of synthesis from one classifier to the next.
        synthesis: how images move.
        image_shape: height, width, channels of what the classifier sees.
        canvas: height, width, channels of the images that training synthesized.
        padding: pixels around an image that are synthesized and cut off, since fewer patches cover them.
    """

    net: keras.Model
    cascade: Cascade
    margins: keras.Variable
    decay: float
    synthesis: Synthesis
    image_shape: tuple[int, int, int]
    canvas: tuple[int, int, int]
    padding: int

    @property
    def reference(self) -> distributions.Reference:
        """The noise that the classifiers tilt."""
        return distributions.Gaussian(self.synthesis.sigma)

    def classifier(self, stage: int | tf.Tensor) -> LogOdds:
        """The classifier of a stage."""
        return self.cascade.classifier(self.net, stage)

    def energy(self, image: Image) -> Energy:
        """-ln p_T up to a constant, of images of the classifier's size, [b], in nats; INNg, equation 12."""
        kept = [self.classifier(stage) for stage in range(self.cascade.num_kept)]
        return energies.cascade(kept, self.synthesis.sigma)(image)

    def anomaly(self, image: Image) -> dict[str, tf.Tensor]:
        """U(x), and which pixels it hangs on; see `energies.steepness`."""
        return energies.steepness(self.energy, image)

    def features(self, image: Image) -> tf.Tensor:
        """The newest classifier's, [b, d]; INNg, section 4.5."""
        return self.net.features(image)

    def generate(self, count: tf.Tensor, seed: Seed) -> Image:
        """Samples of the size of training's, [count, h, w, c]: from noise through all classifiers."""
        return self._through((count, *self.canvas), seed)

    def synthesize(self, count: tf.Tensor, seed: Seed, size: tf.Tensor) -> Image:
        """Samples of any size, [count, size[0], size[1], c]."""
        return self._through(
            (count, size[0] + 2 * self.padding, size[1] + 2 * self.padding, self.canvas[-1]), seed
        )

    def advance(self, image: Image, stage: tf.Tensor, seed: Seed) -> Image:
        """Images across the boundary of one classifier of the cascade, border and all."""
        x, _ = run(
            *self._across(stage, tf.shape(image), seed), image, seed, self.synthesis.num_steps
        )
        return x

    def stylize(self, image: Image, seed: Seed, num_steps: tf.Tensor, gamma: tf.Tensor) -> Image:
        """Pictures in the texture's style: through all classifiers, so many steps each, and near to the picture.

        Args:
            image: [b, h, w, c], of any size that the classifier's fits into.
            seed: int32 [2].
            num_steps: under each classifier.
            gamma: weight of staying near, in [0, 1].

        Source: INNg, section 4.2.
        """

        def stage(number):
            return self.synthesis.near(self.classifier(number), image, gamma, self.scale(number))

        return run_in_turn(stage, image, seed, self.cascade.kept.value, num_steps)[0]

    def endpoints(self) -> dict[str, Endpoint]:
        """The tasks by name, with named inputs, for export."""
        any_size = self.synthesis.patch_size is not None
        sides = (None, None) if any_size else self.canvas[:2]
        seen = tf.TensorSpec((None, *self.image_shape), tf.float32, "image")
        image = tf.TensorSpec((None, *sides, self.image_shape[-1]), tf.float32, "image")
        count, num_steps, stage = (
            tf.TensorSpec((), tf.int32, name) for name in ("count", "num_steps", "stage")
        )
        seed, size = (tf.TensorSpec((2,), tf.int32, name) for name in ("seed", "size"))
        gamma = tf.TensorSpec((), tf.float32, "gamma")

        def images(task):
            return lambda *inputs: {"image": task(*inputs)}

        found = {
            "energy": Endpoint(lambda image: {"energy": self.energy(image)}, [seen]),
            "anomaly": Endpoint(self.anomaly, [seen]),
            "features": Endpoint(lambda image: {"features": self.features(image)}, [seen]),
            "generate": Endpoint(images(self.generate), [count, seed]),
            "advance": Endpoint(images(self.advance), [image, stage, seed]),
            "stylize": Endpoint(images(self.stylize), [image, seed, num_steps, gamma]),
        }
        if any_size:
            found["synthesize"] = Endpoint(images(self.synthesize), [count, seed, size])
        return found

    def _across(self, stage: tf.Tensor, shape, seed: Seed):
        # images with seeds of their own have nothing to do with each other
        apiece = random.several(seed)
        return self.synthesis.across(
            self.classifier(stage), self.margins.value[stage], shape, self.scale(stage), apiece
        )

    def scale(self, stage: tf.Tensor) -> tf.Tensor:
        """The factor on the steps of synthesis across a classifier's boundary."""
        return self.decay ** tf.cast(stage, tf.float32)

    def _through(self, shape, seed: Seed) -> Image:
        start_seed, run_seed = random.split(seed)
        x = self.synthesis.start(shape, start_seed)
        x = tf.ensure_shape(x, (None, None, None, self.canvas[-1]))

        def stage(number):
            return self._across(number, tf.shape(x), seed)

        x, _ = run_in_turn(stage, x, run_seed, self.cascade.kept.value, self.synthesis.num_steps)
        return cut(x, self.padding)
