"""What a generator is used for, with an inference net or without, with an energy or without."""

import dataclasses
from collections.abc import Callable

import keras
import tensorflow as tf

from tfgen import distributions, energies, random
from tfgen.models.posterior import Posterior
from tfgen.samplers import Langevin, run
from tfgen.types import Endpoint, Energy, EnergyFn, Image, Latent, Mask, Seed


@dataclasses.dataclass(frozen=True)
class LatentTasks:
    """A trained generator, how its latents are inferred, and maybe an energy to refine images under.

    Attributes:
        generator: latents to images.
        image_shape: height, width, channels.
        posterior: how images are encoded, or None where the model cannot.
        density: U of images, or None where the model has none.
        kernel: how images move under U.
        completion_rounds: times that missing pixels are filled in, seen by the inference again, and filled anew.
    """

    generator: keras.Model
    image_shape: tuple[int, int, int]
    posterior: Posterior | None = None
    density: EnergyFn | None = None
    kernel: Langevin | None = None
    completion_rounds: int = 4

    @property
    def reference(self) -> distributions.Reference:
        """What the energy is measured against."""
        return distributions.Uniform()

    def decode(self, latent: Latent) -> Image:
        """g(z), [b, h, w, c]."""
        return self.generator(latent, training=False)

    def generate(self, count: tf.Tensor, seed: Seed, num_steps: tf.Tensor | int = 0) -> Image:
        """g(z) of latents drawn from the prior, [count, h, w, c], moved for so many steps under U if there is one."""
        return self._generate((count, *self.generator.latent_shape), seed, num_steps)

    def synthesize(
        self, count: tf.Tensor, seed: Seed, size: tf.Tensor, num_steps: tf.Tensor | int = 0
    ) -> Image:
        """Images of any size, [count, size[0], size[1], c], from a map of latents as large as it takes."""
        rows, columns, dim = self.generator.latent_shape
        height, width, _ = self.image_shape
        latent = (count, -(-size[0] * rows // height), -(-size[1] * columns // width), dim)
        return self._generate(latent, seed, num_steps)[:, : size[0], : size[1]]

    def encode(self, image: Image) -> Latent:
        """The latents that explain images best, [b, ...]."""
        return self.posterior.mean(image)

    def reconstruct(self, image: Image) -> Image:
        """g of these latents, [b, h, w, c]."""
        return self.decode(self.encode(image))

    def energy(self, image: Image) -> Energy:
        """U(x) of each image, [b], in nats."""
        return self.density(image)

    def anomaly(self, image: Image) -> dict[str, tf.Tensor]:
        """U(x), and which pixels it hangs on; see `energies.steepness`."""
        return energies.steepness(self.density, image)

    def interpolate(
        self, first: Image, second: Image, position: tf.Tensor, spherical: tf.Tensor
    ) -> Image:
        """Images between two: decoded from the way between their latents.

        Args:
            first: [b, h, w, c].
            second: [b, h, w, c].
            position: [b], 0 at the first and 1 at the second.
            spherical: a boolean scalar; along the great circle, not the straight line.

        Returns:
            [b, h, w, c].
        """
        a, b = self.encode(first), self.encode(second)
        return self.decode(tf.where(spherical, slerp(a, b, position), lerp(a, b, position)))

    def complete(
        self, image: Image, mask: Mask, seed: Seed, num_steps: tf.Tensor | int = 0
    ) -> Image:
        """Fills missing pixels: G(I(x)), seen again a few times, then moved under U with the known ones held.

        Args:
            image: [b, h, w, c]; what stands at missing pixels does not matter.
            mask: [b, h, w, 1], 1 where a pixel is known.
            seed: int32 [2]; other seeds give other completions.
            num_steps: sampling steps under U, not negative; of a model without one, none are made.

        Returns:
            [b, h, w, c], in [-1, 1] where it was missing.
        """
        known = mask * image
        x = self.filled(
            image, mask, lambda x, i: self.posterior.sample(x, random.fold_in(seed, i), mask)
        )
        if self.density is not None:
            energy = energies.clamped(self.density, known, mask)
            x, _ = run(self.kernel, energy, x, random.fold_in(seed, -1), num_steps)
        return known + (1 - mask) * tf.clip_by_value(x, -1.0, 1.0)

    def filled(self, image: Image, mask: Mask, infer: Callable[[Image, int], Latent]) -> Image:
        """Missing pixels as they are decoded, from latents inferred from known ones and what was decoded before.

        Args:
            image: [b, h, w, c]; what stands at missing pixels does not matter.
            mask: [b, h, w, 1], 1 where a pixel is known.
            infer: latents of images as they have been filled so far, zeros at first; given the round's number too.

        Returns:
            [b, h, w, c], in [-1, 1] where it was missing.
        """
        x = mask * image
        for i in range(self.completion_rounds):
            x = self.refilled(x, mask, infer(x, i))
        return x

    def refilled(self, image: Image, mask: Mask, latent: Latent) -> Image:
        """One such round: missing pixels as these latents are decoded, in [-1, 1], and known ones as they are."""
        return mask * image + (1 - mask) * tf.clip_by_value(self.decode(latent), -1.0, 1.0)

    def uncertainty(
        self, image: Image, mask: Mask, seed: Seed, count: tf.Tensor, num_steps: tf.Tensor | int = 0
    ) -> tuple[Image, tf.Tensor]:
        """The mean of several completions of each image, and their spread.

        Args:
            image: [b, h, w, c].
            mask: [b, h, w, 1], 1 where a pixel is known.
            seed: int32 [2].
            count: completions of each image, at least 2.
            num_steps: sampling steps under U.

        Returns:
            The mean [b, h, w, c], and the standard deviation of each pixel, root mean square over its
            channels, [b, h, w, 1]: zero where it is known.
        """
        if tf.convert_to_tensor(num_steps).shape.rank:
            num_steps = tf.repeat(num_steps, count)
        several = self.complete(
            tf.repeat(image, count, 0), tf.repeat(mask, count, 0), seed, num_steps
        )
        several = tf.reshape(several, (-1, count, *self.image_shape))
        variance = tf.reduce_mean(tf.math.reduce_variance(several, axis=1), axis=-1, keepdims=True)
        # a mean of equal numbers may differ from them by rounding: known pixels are not averaged
        mean = mask * image + (1 - mask) * tf.reduce_mean(several, axis=1)
        return mean, (1 - mask) * tf.sqrt(variance)

    def pictures(self, image: Image, seed: Seed) -> dict[str, Image]:
        """What to look at while training: as many samples as there are images, the images, and what is made of them."""
        found = {
            "samples": self.decode(
                random.normal((tf.shape(image)[0], *self.generator.latent_shape), seed)
            )
        }
        if self.posterior is not None:
            found |= {"observed": image, "reconstructions": self.reconstruct(image)}
        return found

    def endpoints(self) -> dict[str, Endpoint]:
        """The tasks by name, with named inputs, for export."""
        image = tf.TensorSpec((None, *self.image_shape), tf.float32, "image")
        mask = tf.TensorSpec((None, *self.image_shape[:2], 1), tf.float32, "mask")
        latent = tf.TensorSpec((None, *self.generator.latent_shape), tf.float32, "latent")
        count, num_steps = (
            tf.TensorSpec((), tf.int32, "count"),
            tf.TensorSpec((), tf.int32, "num_steps"),
        )
        seed, size = tf.TensorSpec((2,), tf.int32, "seed"), tf.TensorSpec((2,), tf.int32, "size")
        position, spherical = (
            tf.TensorSpec((None,), tf.float32, "position"),
            tf.TensorSpec((), tf.bool, "spherical"),
        )
        pair = [tf.TensorSpec(image.shape, tf.float32, name) for name in ("first", "second")]
        steps = [] if self.density is None else [num_steps]

        def images(task):
            return lambda *inputs: {"image": task(*inputs)}

        def uncertainty(*inputs):
            return dict(zip(("image", "spread"), self.uncertainty(*inputs), strict=True))

        found = {
            "decode": Endpoint(images(self.decode), [latent]),
            "generate": Endpoint(images(self.generate), [count, seed, *steps]),
        }
        if self.posterior is not None:
            found |= {
                "encode": Endpoint(lambda image: {"latent": self.encode(image)}, [image]),
                "reconstruct": Endpoint(images(self.reconstruct), [image]),
                "interpolate": Endpoint(images(self.interpolate), [*pair, position, spherical]),
                "complete": Endpoint(images(self.complete), [image, mask, seed, *steps]),
                "uncertainty": Endpoint(uncertainty, [image, mask, seed, count, *steps]),
            }
        if self.density is not None:
            found["energy"] = Endpoint(lambda image: {"energy": self.energy(image)}, [image])
            found["anomaly"] = Endpoint(self.anomaly, [image])
        if self.generator.any_size:
            found["synthesize"] = Endpoint(images(self.synthesize), [count, seed, size, *steps])
        return found

    def _generate(self, latent_shape, seed: Seed, num_steps: tf.Tensor | int) -> Image:
        start_seed, run_seed = random.split(seed)
        x = self.decode(random.normal(latent_shape, start_seed))
        if self.density is None:
            return x
        x, _ = run(self.kernel, self.density, x, run_seed, num_steps)
        return tf.clip_by_value(x, -1.0, 1.0)


def lerp(first: Latent, second: Latent, position: tf.Tensor) -> Latent:
    """The straight way: (1 - position) first + position second, position [b]."""
    t = tf.reshape(position, [-1] + [1] * (first.shape.rank - 1))
    return (1 - t) * first + t * second


def slerp(first: Latent, second: Latent, position: tf.Tensor) -> Latent:
    """The way along the great circle, which keeps the length that draws of the prior have.

    Args:
        first: [b, ...].
        second: [b, ...].
        position: [b].

    Returns:
        [b, ...].

    Source: Shoemake, Animating rotation with quaternion curves, 1985.
    """
    column = [-1] + [1] * (first.shape.rank - 1)
    t = tf.reshape(position, column)
    u, v = (z / tf.reshape(energies.norm(z), column) for z in (first, second))
    # Kahan's formula loses no digits to small angles, which the norm's finite slope at zero keeps above zero
    angle = tf.reshape(2 * tf.atan2(energies.norm(u - v), energies.norm(u + v)), column)
    return (tf.sin((1 - t) * angle) * first + tf.sin(t * angle) * second) / tf.sin(angle)
