"""A user's own nets in the roles of this library, wrapped by `adapters`."""

import sys
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from tfgen.errors import UserError
from tfgen.nets.architectures import trial
from tfgen.nets.architectures.roles import (
    ClassifierNet,
    DiscriminatorNet,
    EnergyNet,
    GeneratorNet,
    InferenceNet,
    JointDiscriminatorNet,
    Size,
)
from tfgen.types import Image


class _Wrapper(keras.Model):
    """The part that all adapters share: they hold a net, and their config holds its config."""

    net: keras.Model

    def __init__(self, *args, **kwargs):
        # the wrapped net converts its inputs by its own policy, and the outputs are float32
        super().__init__(*args, **{"dtype": "float32"} | kwargs, autocast=False)

    def _hold(self, net: keras.Model) -> None:
        self.net = net
        self.built = True  # by the trial

    def named_variables(self) -> dict[str, keras.Variable]:
        # Keras numbers layers without names, and a rebuilt Sequential has other paths
        return {f"{number}/{v.name}": v for number, v in enumerate(self.variables)}

    def get_config(self):
        try:
            net = keras.saving.serialize_keras_object(self.net)
        except NotImplementedError as error:
            name = type(self.net).__name__
            raise UserError(
                f"{name}: expected a net that can be saved and found a class without get_config; "
                f"write {name}.get_config"
            ) from error
        return super().get_config() | {"net": net}

    @classmethod
    def from_config(cls, config):
        net = keras.saving.deserialize_keras_object(
            config["net"], custom_objects=dict(_imported_classes(config["net"]))
        )
        return cls(**config | {"net": net})


@keras.saving.register_keras_serializable("tfgen")
class AdaptedEnergy(_Wrapper, EnergyNet):
    """A user's net in the role of an energy, see `as_energy`."""

    def __init__(self, net: keras.Model, image_shape: Size, **kwargs):
        wanted = "one energy each, [b] or [b, classes]"
        found = trial.outputs("energy", net, image_shape, wanted)
        if not trial.is_batch(found) or found.shape.rank not in (1, 2):
            raise trial.mismatch("energy", image_shape, wanted, found)
        outputs = 1 if found.shape.rank == 1 else found.shape[1]
        # Keras takes layers as attributes only after its own constructor, hence `_hold` at the end
        super().__init__(image_shape, trial.takes_any_size(net), outputs, **kwargs)
        self._hold(net)

    def call(self, x, training=False):
        u = tf.cast(self.net(x, training=training), tf.float32)
        return u if self.num_outputs > 1 else tf.reshape(u, [-1])


@keras.saving.register_keras_serializable("tfgen")
class AdaptedGenerator(_Wrapper, GeneratorNet):
    """A user's net in the role of a generator, see `as_generator`."""

    def __init__(
        self,
        net: keras.Model,
        image_shape: Size,
        latent_shape: tuple[int, ...] | None = None,
        **kwargs,
    ):
        if latent_shape is None:
            latent_shape = trial.declared_latents(net)
        if latent_shape is None:
            raise UserError(
                f"generator: expected a net that declares the shape of its latents, and "
                f"{type(net).__name__} does not; give latent_shape, or make it a functional model "
                "with a keras.Input"
            )
        wanted = f"images {trial.batch(image_shape)}"
        found = trial.outputs("generator", net, latent_shape, wanted)
        if not trial.is_batch(found) or found.shape[1:] != tuple(image_shape):
            raise trial.mismatch("generator", latent_shape, wanted, found)
        # only a map of latents has a height and width to be larger
        any_size = len(latent_shape) == 3 and trial.takes_any_size(net)
        super().__init__(latent_shape, image_shape, any_size, **kwargs)
        self._hold(net)

    def call(self, z, training=False):
        return tf.cast(self.net(z, training=training), tf.float32)


@keras.saving.register_keras_serializable("tfgen")
class AdaptedInference(_Wrapper, InferenceNet):
    """A user's net in the role of an inference net, see `as_inference`."""

    def __init__(self, net: keras.Model, image_shape: Size, **kwargs):
        wanted = "a pair, mean and log-variance of the latents, of one shape [b, ...]"
        found = trial.outputs("inference", net, image_shape, wanted)
        shapes = trial.shapes(found)
        is_pair = isinstance(found, (tuple, list)) and len(found) == 2 and shapes[0] == shapes[1]
        if not is_pair or len(shapes[0]) < 2:
            raise trial.mismatch("inference", image_shape, wanted, found)
        latent_shape = shapes[0][1:]
        any_size = len(latent_shape) == 3 and trial.takes_any_size(net)
        super().__init__(latent_shape, image_shape, any_size, **kwargs)
        self._hold(net)

    def call(self, x, training=False):
        mean, log_var = self.net(x, training=training)
        return tf.cast(mean, tf.float32), tf.cast(log_var, tf.float32)


@keras.saving.register_keras_serializable("tfgen")
class AdaptedDiscriminator(_Wrapper, DiscriminatorNet):
    """A user's net in the role of a discriminator, see `as_discriminator`; it has no features."""

    def __init__(self, net: keras.Model, image_shape: Size, **kwargs):
        wanted = "log-odds, [b] or [b, 1]"
        found = trial.outputs("discriminator", net, image_shape, wanted)
        if not trial.is_batch(found) or tuple(found.shape) not in (
            (trial.COUNT,),
            (trial.COUNT, 1),
        ):
            raise trial.mismatch("discriminator", image_shape, wanted, found)
        super().__init__(image_shape, trial.takes_any_size(net), **kwargs)
        self._hold(net)

    def call(self, x, training=False):
        return tf.reshape(tf.cast(self.net(x, training=training), tf.float32), [-1])


@keras.saving.register_keras_serializable("tfgen")
class AdaptedJointDiscriminator(_Wrapper, JointDiscriminatorNet):
    """A user's net in the role of a joint discriminator, see `as_joint_discriminator`."""

    def __init__(
        self, net: keras.Model, image_shape: Size, latent_shape: tuple[int, ...], **kwargs
    ):
        wanted, shapes = "log-odds, [b] or [b, 1]", (tuple(image_shape), tuple(latent_shape))
        found = trial.outputs("joint_discriminator", net, shapes, wanted)
        sizes = (trial.COUNT,), (trial.COUNT, 1)
        if not trial.is_batch(found) or tuple(found.shape) not in sizes:
            raise trial.mismatch("joint_discriminator", shapes, wanted, found)
        super().__init__(latent_shape, image_shape, **kwargs)
        self._hold(net)

    def call(self, pair, training=False):
        odds = self.net(list(pair), training=training)
        return tf.reshape(tf.cast(odds, tf.float32), [-1])


@keras.saving.register_keras_serializable("tfgen")
class AdaptedClassifier(_Wrapper, ClassifierNet):
    """A user's net in the role of a classifier, see `as_classifier`.

    What such a net computes below its logits is not known, so the logits are its features.
    """

    def __init__(self, net: keras.Model, image_shape: Size, **kwargs):
        wanted = "logits, [b, classes]"
        found = trial.outputs("classifier", net, image_shape, wanted)
        if not trial.is_batch(found) or found.shape.rank != 2 or found.shape[1] < 2:
            raise trial.mismatch("classifier", image_shape, wanted, found)
        super().__init__(image_shape, found.shape[1], trial.takes_any_size(net), **kwargs)
        self._hold(net)

    def call(self, x, training=False):
        return tf.cast(self.net(x, training=training), tf.float32)

    def features(self, x: Image, training: bool = False) -> tf.Tensor:
        return self(x, training=training)

    def head(self, feature: tf.Tensor) -> tf.Tensor:
        return feature


def _imported_classes(config: Any) -> Iterator[tuple[str, type]]:
    """Yields the classes that a config names and that are imported already, by name.

    Keras itself finds registered classes only. No module is imported for the sake of a file.
    """
    if isinstance(config, dict):
        module, name = config.get("module"), config.get("class_name")
        if module in sys.modules and name in vars(sys.modules[module]):
            yield name, vars(sys.modules[module])[name]
        for value in config.values():
            yield from _imported_classes(value)
    elif isinstance(config, list):
        for value in config:
            yield from _imported_classes(value)
