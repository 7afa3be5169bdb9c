"""What a trained energy is used for: score, reconstruct, generate, complete, synthesize."""

import dataclasses
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from tfgen import distributions, energies, random
from tfgen.samplers import Langevin, run
from tfgen.types import Endpoint, Energy, EnergyFn, Image, Label, Mask, Seed


@dataclasses.dataclass(frozen=True)
class EnergyTasks:
    """A trained energy, how to sample it, and the tasks that need no more than that.

    Attributes:
        density: U, given each example's class (or None where there are none).
        kernel: how samples move.
        image_shape: height, width, channels of an image.
        sigma: the reference's standard deviation in pixel units.
        mean: the reference's mean in pixel units, [c].
        memory: images that samples start from, [m, h, w, c]; None starts them from the reference.
        num_classes: energies to choose from; 1 means that there are no classes.
        any_size: whether the energy takes images of any size.
        margin: pixels sampled around an image and cut off, since fewer filters see them.
        denoising_steps: noise-free steps after the kernel's.
    """

    density: Callable[[Label | None], EnergyFn]
    kernel: Langevin
    image_shape: tuple[int, int, int]
    sigma: float
    mean: np.ndarray
    memory: keras.Variable | None = None
    num_classes: int = 1
    any_size: bool = False
    margin: int = 0
    denoising_steps: int = 0

    @property
    def reference(self) -> distributions.Reference:
        """What the energy tilts."""
        return distributions.Gaussian(self.sigma, self.mean)

    def energy(self, image: Image, label: Label | None = None) -> Energy:
        """U(x) of each image, [b], in nats."""
        return self.density(label)(image)

    def anomaly(self, image: Image, label: Label | None = None) -> dict[str, tf.Tensor]:
        """U(x), and which pixels it hangs on; see `energies.steepness`."""
        return energies.steepness(self.density(label), image)

    def reconstruct(self, image: Image, label: Label | None = None) -> Image:
        """I - σ² dU/dI: for a ReLU net B, the mean of the Gaussian piece that each image lies on.

        Source: A Theory of Generative ConvNet, equations 16 and 20.
        """
        _, gradient = energies.value_and_grad(self.density(label), image)
        return image - self.sigma**2 * gradient

    def generate(
        self, count: tf.Tensor, seed: Seed, num_steps: tf.Tensor, label: Label | None = None
    ) -> Image:
        """Samples of the training images' size less the margin, [count, h - 2 margin, w - 2 margin, c]."""
        return self._sample((count, *self.image_shape), seed, num_steps, label)

    def synthesize(
        self, count: tf.Tensor, seed: Seed, num_steps: tf.Tensor, size: tf.Tensor
    ) -> Image:
        """Samples of any size, [count, size[0], size[1], c]; the energy must take them."""
        canvas = (count, size[0] + 2 * self.margin, size[1] + 2 * self.margin, self.image_shape[-1])
        return self._sample(canvas, seed, num_steps, None)

    def complete(
        self, image: Image, mask: Mask, seed: Seed, num_steps: tf.Tensor, label: Label | None = None
    ) -> Image:
        """Fills missing pixels with a sample given the known ones, which stay as they are.

        Args:
            image: [b, h, w, c]; what stands at missing pixels does not matter.
            mask: [b, h, w, 1], 1 where a pixel is known.
            seed: int32 [2].
            num_steps: sampling steps, not negative.
            label: [b], or None where there are no classes.

        Returns:
            [b, h, w, c], in [-1, 1] where it was missing.
        """
        start_seed, run_seed = random.split(seed)
        known = mask * image
        start = known + (1 - mask) * self._start(tf.shape(image), start_seed, label)
        x = self._run(
            energies.clamped(self.density(label), known, mask), start, run_seed, num_steps
        )
        return known + (1 - mask) * x

    def denoise(self, image: Image, label: Label | None = None) -> Image:
        """Images after the noise-free steps that end every sample, in [-1, 1]."""
        return self._denoise(self.density(label), image)

    def endpoints(self) -> dict[str, Endpoint]:
        """The tasks by name, with named inputs, for export."""
        image = tf.TensorSpec((None, *self.image_shape), tf.float32, "image")
        mask = tf.TensorSpec((None, *self.image_shape[:2], 1), tf.float32, "mask")
        count = tf.TensorSpec((), tf.int32, "count")
        seed = tf.TensorSpec((2,), tf.int32, "seed")
        num_steps = tf.TensorSpec((), tf.int32, "num_steps")
        label = [tf.TensorSpec((None,), tf.int32, "label")] if self.num_classes > 1 else []

        def images(task):
            return lambda *inputs: {"image": task(*inputs)}

        found = {
            "energy": Endpoint(lambda *inputs: {"energy": self.energy(*inputs)}, [image, *label]),
            "anomaly": Endpoint(self.anomaly, [image, *label]),
            "reconstruct": Endpoint(images(self.reconstruct), [image, *label]),
            "generate": Endpoint(images(self.generate), [count, seed, num_steps, *label]),
            "complete": Endpoint(images(self.complete), [image, mask, seed, num_steps, *label]),
        }
        if self.any_size and self.num_classes == 1:
            size = tf.TensorSpec((2,), tf.int32, "size")
            found["synthesize"] = Endpoint(images(self.synthesize), [count, seed, num_steps, size])
        return found

    def _sample(self, shape, seed: Seed, num_steps: tf.Tensor, label: Label | None) -> Image:
        start_seed, run_seed = random.split(seed)
        x = self._run(
            self.density(label), self._start(shape, start_seed, label), run_seed, num_steps
        )
        return cut(x, self.margin)

    def _start(self, shape, seed: Seed, label: Label | None) -> Image:
        """White noise, or pictures from memory: tiles of them where the images are to be larger."""
        if self.memory is None:
            return self.mean + self.sigma * random.normal(shape, seed)
        number, tile_height, tile_width, channels = self.memory.shape
        rows, columns = -(-shape[1] // tile_height), -(-shape[2] // tile_width)
        count = shape[0] * rows * columns
        which = random.uniform((count,), seed, 0, number // self.num_classes, tf.int32)
        if label is not None:  # picture i is of class i % num_classes
            which = which * self.num_classes + label
        tiles = tf.gather(self.memory.value, which)
        tiles = tf.reshape(tiles, (shape[0], rows, columns, tile_height, tile_width, channels))
        tiles = tf.transpose(tiles, (0, 1, 3, 2, 4, 5))
        sheet = tf.reshape(tiles, (shape[0], rows * tile_height, columns * tile_width, channels))
        return sheet[:, : shape[1], : shape[2]]

    def _run(self, energy: EnergyFn, start: Image, seed: Seed, num_steps: tf.Tensor) -> Image:
        x, _ = run(self.kernel, energy, start, seed, num_steps)
        return self._denoise(energy, x)

    def _denoise(self, energy: EnergyFn, x: Image) -> Image:
        still = dataclasses.replace(self.kernel, temperature=0.0)
        x, _ = run(still, energy, x, random.root(0), self.denoising_steps)
        return tf.clip_by_value(x, -1.0, 1.0)


def cut(image: Image, margin: int) -> Image:
    """Without the pixels within `margin` of the border."""
    return image[:, margin:-margin, margin:-margin] if margin else image
