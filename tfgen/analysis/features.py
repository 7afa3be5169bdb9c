"""Features of images by a net in a file: what generated images are measured on."""

import hashlib
import pathlib
import warnings
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from tfgen.errors import UserError

BATCH = 100
"""Images that the net sees at a time."""

INCEPTION = "inception_v3:"
"""What stands before the path of a file of Inception's weights."""

WANTED = f"a classifier's SavedModel or {INCEPTION}PATH"


class Features:
    """Features and class probabilities of images, by an exported classifier or by Inception v3.

    Images of another size are resized, bilinearly and without aliasing; of another number of channels, greys are
    repeated or colours averaged. Values of two nets, of two versions of one, or after two ways of resizing are not
    comparable; nor are Inception's here with those of the papers, which had other weights and resized otherwise.

    Args:
        path: the directory of a SavedModel with the endpoint `features`, or of its versions 1, 2, ..., whose newest
            is taken; or `inception_v3:PATH`, a file of weights for `keras.applications.InceptionV3` with its top.

    Raises:
        UserError: if there is no such net, or it is damaged or another one.

    Attributes:
        name: MODEL/VERSION, or inception_v3.
        hash: 16 hexadecimal digits, of the bytes of all its files.
        image_shape: height, width, channels that the net takes.
    """

    def __init__(self, path: str):
        if path.startswith(INCEPTION):
            place = pathlib.Path(path.removeprefix(INCEPTION))
            self.name, self.image_shape = "inception_v3", (299, 299, 3)
            self._net = _inception(place)
        else:
            place = _version(path)
            self.name = "/".join(place.resolve().parts[-2:])
            self._model, self._net, self.image_shape = _saved_model(place)
        self.hash = _hash(place)

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Looks at images.

        Args:
            images: float32 [n, h, w, c] in [-1, 1], at least one.

        Returns:
            Features [n, d] and probabilities [n, classes], float32.

        Raises:
            UserError: if the images have neither the net's number of channels nor 1 or 3.
        """
        found = [self._net(self._fit(images[i : i + BATCH])) for i in range(0, len(images), BATCH)]
        feature, probability = (
            np.concatenate([part.numpy() for part in parts]) for parts in zip(*found, strict=True)
        )
        return feature, probability

    def adaptation(self, shape: tuple[int, int, int]) -> str:
        """What is done to images of a shape to make them fit, in words."""
        size, wanted = ("x".join(map(str, s[:2])) for s in (shape, self.image_shape))
        done = [f"bilinear from {size} to {wanted}"] if size != wanted else []
        if shape[-1] != self.image_shape[-1]:
            done.append("greys repeated" if shape[-1] == 1 else "colours averaged")
        return ", ".join(done) or "none"

    def _fit(self, images: np.ndarray) -> tf.Tensor:
        *size, channels = self.image_shape
        if images.shape[-1] != channels:
            if {images.shape[-1], channels} != {1, 3}:
                raise UserError(
                    f"features: expected images of {channels} channels and found {images.shape[-1]}"
                )
            images = (
                np.repeat(images, 3, axis=-1)
                if channels == 3
                else images.mean(axis=-1, keepdims=True)
            )
        if images.shape[1:3] != tuple(size):
            return tf.image.resize(images, size, antialias=True)
        return tf.constant(images)


def _version(path: str) -> pathlib.Path:
    """The SavedModel's own directory, given that or the one of its versions."""
    if not path:
        raise UserError(f"features: expected {WANTED} and found nothing")
    place = pathlib.Path(path)
    if not place.exists():
        raise UserError(f"features: expected {WANTED} and found nothing at {path}")
    versions = [d for d in place.glob("*") if d.name.isdigit()]
    if not versions and not (place / "saved_model.pb").exists():
        raise UserError(
            f"features: expected {WANTED} and found neither a saved_model.pb nor versions in {path}"
        )
    return max(versions, key=lambda d: int(d.name)) if versions else place


def _saved_model(place: pathlib.Path) -> tuple[object, Callable, tuple[int, int, int]]:
    """The model, which must outlive its functions, the one of features, and the image shape that it takes."""
    try:
        model = tf.saved_model.load(str(place))
    except (
        Exception
    ) as error:  # graphs and checkpoints that are cut short or changed fail in many ways
        raise UserError(
            f"features: expected a whole SavedModel and could not load {place}"
        ) from error
    if "features" not in model.signatures:
        names = ", ".join(sorted(model.signatures)) or "none"
        raise UserError(
            f"features: expected a model with the endpoint features and found {names} in {place}"
        )
    endpoint = model.signatures["features"]
    inputs, outputs = endpoint.structured_input_signature[1], endpoint.structured_outputs
    if set(inputs) != {"image"} or not {"feature", "probability"} <= set(outputs):
        raise UserError(
            f"features: expected an endpoint from image to feature and probability in {place} and found one from "
            f"{', '.join(inputs)} to {', '.join(outputs)}"
        )

    def net(image):
        found = endpoint(image=image)
        return found["feature"], found["probability"]

    return model, net, tuple(inputs["image"].shape[1:])


def _inception(file: pathlib.Path) -> Callable:
    if not file.is_file():
        raise UserError(
            f"features: expected a file of Inception's weights and found none at {file}"
        )
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")  # whatever the measured model computes in
    try:
        inception = keras.applications.InceptionV3(weights=None)
        with warnings.catch_warnings():
            warnings.simplefilter(
                "error", UserWarning
            )  # by which Keras says that it left layers as they were
            inception.load_weights(file)
    except (
        Exception
    ) as error:  # files that are cut short, of another kind or of another net fail in many ways
        raise UserError(
            f"features: expected weights (.h5 or .keras) of keras.applications.InceptionV3 with its top and could not "
            f"load {file}"
        ) from error
    finally:
        keras.config.set_dtype_policy(policy)
    halves = keras.Model(
        inception.input, [inception.get_layer("avg_pool").output, inception.output]
    )
    image = tf.TensorSpec((None, *inception.input_shape[1:]), tf.float32, "image")
    return tf.function(
        lambda x: halves(x, training=False), input_signature=[image], autograph=False
    )


def _hash(place: pathlib.Path) -> str:
    digest = hashlib.sha256()
    files = [place] if place.is_file() else [f for f in place.rglob("*") if f.is_file()]
    for file in sorted(files, key=lambda f: f.relative_to(place).as_posix()):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
