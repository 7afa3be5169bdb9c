"""The roles that nets play in an algorithm: what a net of each role takes, returns and tells.

A net of this library derives from the class of its role. A user's own `keras.Model` becomes one by
`tfgen.nets.architectures.adapters`.
"""

import contextlib
import math

import keras
import tensorflow as tf

from tfgen.errors import UserError
from tfgen.types import Image, Latent

Size = tuple[int, ...]
"""Height, width, channels of images; frames, height, width, channels of clips."""


class Net(keras.Model):
    """The base of all roles: a net that takes images [b, h, w, c] or returns them.

    Nets of clips take them as [b, t, h, w, c].

    Args:
        image_shape: height, width, channels of the images that the weights are made for; before
            these, frames of clips.
        any_size: whether images of other heights and widths will do, and clips of other lengths.
        any_length: whether clips of other lengths will do, if not of other sizes.
        kwargs: Keras's own: name, dtype, trainable.

    Attributes:
        image_shape: see above.
        any_size: see above.
        any_length: see above.
        depth: layers, or levels, in use, from 1 to `max_depth`; growth sets it.
        fade: the share of the newest level in [0, 1], which growth sets; None where a layer appears
            whole.
    """

    fade: keras.Variable | None = None

    def __init__(
        self, image_shape: Size, any_size: bool = False, *, any_length: bool = False, **kwargs
    ):
        super().__init__(**kwargs)
        self.image_shape = tuple(map(int, image_shape))
        self.any_size = any_size
        self.any_length = any_length
        self.depth = 1

    @property
    def max_depth(self) -> int:
        """The most layers that can be in use; 1 if the net cannot grow."""
        return 1

    @property
    def free_sides(self) -> int:
        """Counts the sides of images, the first ones, that need not be those of the weights."""
        if self.any_size:
            return len(self.image_shape) - 1
        return 1 if self.any_length else 0

    @property
    def least_side(self) -> int:
        """Returns the smallest side of images that the net takes."""
        # by trial: what fits depends on each layer's kernel, stride and padding
        free = self.free_sides
        largest = min(self.image_shape[: free or -1])
        for side in range(1, largest):
            with contextlib.suppress(UserError):
                self.check_size(*[side] * free, *self.image_shape[free:-1])
                return side
        return largest

    def get_config(self):
        # any_size follows from the layers, and each class derives it anew
        return super().get_config() | {"image_shape": list(self.image_shape)}

    def named_variables(self) -> dict[str, keras.Variable]:
        """Returns all variables by names that are the same in every process."""
        # Keras numbers nets without a name by how many were made before
        return {v.path.removeprefix(f"{self.name}/"): v for v in self.variables}

    def check_size(self, *sides: int) -> None:
        """Raises UserError if images of these sides do not fit the net.

        Args:
            sides: height and width; before these, frames of clips.
        """
        if sides[self.free_sides :] != self.image_shape[self.free_sides : -1]:
            own, found = ("x".join(map(str, size)) for size in (self.image_shape[:-1], sides))
            raise UserError(
                f"image_size: expected images of {own}, which the net's weights are made for, and "
                f"found {found}"
            )


class EnergyNet(Net):
    """A net that gives each image an energy, in nats.

    Called on images [b, h, w, c] it returns float32 energies: [b], or [b, num_outputs] where there
    are several, one a class.

    Args:
        image_shape: see `Net`.
        any_size: see `Net`.
        num_outputs: energies of an image, at least 1.
        kwargs: see `Net`.

    Attributes:
        num_outputs: see above.
    """

    def __init__(self, image_shape: Size, any_size: bool = False, num_outputs: int = 1, **kwargs):
        super().__init__(image_shape, any_size, **kwargs)
        self.num_outputs = num_outputs

    def map_area(self, variable: keras.Variable, image_shape: Size) -> int:
        """Returns the number of positions in the maps of the layer that a variable belongs to.

        Args:
            variable: one of the net's.
            image_shape: of the images seen.

        Raises:
            UserError: if the net does not know the maps of its layers.
        """
        raise UserError(
            f"map_area_normalization: expected a net that knows the maps of its layers, and "
            f"{type(self).__name__} does not"
        )


class GeneratorNet(Net):
    """A net from latents to images.

    Called on float32 latents [b, *latent_shape] it returns float32 images [b, h, w, c] in [-1, 1].

    Args:
        latent_shape: (d,) of a vector, or (height, width, d) of a map, (frames, height, width, d)
            of one of clips.
        image_shape: see `Net`.
        any_size: whether a larger map of latents gives a larger image.
        kwargs: see `Net`.

    Attributes:
        latent_shape: see above.
    """

    def __init__(
        self, latent_shape: tuple[int, ...], image_shape: Size, any_size: bool = False, **kwargs
    ):
        super().__init__(image_shape, any_size, **kwargs)
        self.latent_shape = tuple(map(int, latent_shape))

    def get_config(self):
        return super().get_config() | {"latent_shape": list(self.latent_shape)}

    def of_inferred(self, z: Latent, training: bool = False) -> Image:
        """Returns images of latents that were inferred from images, not drawn from the prior.

        The two have different distributions. A net that keeps statistics of each overrides this.

        Args:
            z: float32 [b, *latent_shape].
            training: whether layers behave as in training.
        """
        return self(z, training=training)


class InferenceNet(Net):
    """A net from images to the Gaussian q(z|x).

    Called on images [b, h, w, c] it returns its mean and log-variance, float32 [b, *latent_shape]
    each.

    Args:
        latent_shape: of the latents of an image of `image_shape`.
        image_shape: see `Net`.
        any_size: whether a larger image gives a larger map of latents.
        kwargs: see `Net`.

    Attributes:
        latent_shape: see above.
    """

    def __init__(
        self, latent_shape: tuple[int, ...], image_shape: Size, any_size: bool = False, **kwargs
    ):
        super().__init__(image_shape, any_size, **kwargs)
        self.latent_shape = tuple(map(int, latent_shape))


class DiscriminatorNet(Net):
    """A net that tells images from samples.

    Called on images [b, h, w, c] it returns log-odds, float32 [b]: ln q(+1|x) - ln q(-1|x).
    """

    @property
    def has_features(self) -> bool:
        """Tells whether `features` can be asked for."""
        return False

    def features(self, x: Image) -> tf.Tensor:
        """Returns the net's features of images in inference mode, float32 [b, d].

        Raises:
            UserError: if the net has none.
        """
        raise UserError(
            f"features: expected a discriminator that has features, and {type(self).__name__} "
            "has none"
        )


class JointDiscriminatorNet(Net):
    """A net that tells pairs of images and inferred latents from latents and their samples.

    Called on a pair, images [b, h, w, c] and latents [b, *latent_shape], it returns log-odds,
    float32 [b]: ln q(x, z) - ln p(x, z) at its best, with Q = q_data(x) q(z|x), P = p(z) p(x|z).

    Args:
        latent_shape: of the latents of one image.
        image_shape: see `Net`.
        kwargs: see `Net`.

    Attributes:
        latent_shape: see above.
        latent_size: numbers in the latents of one image.
    """

    def __init__(self, latent_shape: tuple[int, ...], image_shape: Size, **kwargs):
        super().__init__(image_shape, **kwargs)
        self.latent_shape = tuple(map(int, latent_shape))
        self.latent_size = math.prod(self.latent_shape)

    def get_config(self):
        return super().get_config() | {"latent_shape": list(self.latent_shape)}


class ClassifierNet(Net):
    """A net that scores classes: a head, linear in features.

    Called on images [b, h, w, c] it returns logits, float32 [b, num_outputs], which are
    `head(features(x))`.

    Args:
        image_shape: see `Net`.
        any_size: see `Net`.
        num_outputs: number of classes, at least 2.
        kwargs: see `Net`.

    Attributes:
        num_outputs: see above.
    """

    def __init__(self, image_shape: Size, num_outputs: int, any_size: bool = False, **kwargs):
        super().__init__(image_shape, any_size, **kwargs)
        self.num_outputs = num_outputs

    def features(self, x: Image, training: bool = False) -> tf.Tensor:
        """Returns what the head is linear in, float32 [b, d].

        Args:
            x: [b, h, w, c].
            training: whether layers behave as in training.
        """
        raise NotImplementedError

    def head(self, feature: tf.Tensor) -> tf.Tensor:
        """Returns logits [b, num_outputs] of features [b, d]."""
        raise NotImplementedError
