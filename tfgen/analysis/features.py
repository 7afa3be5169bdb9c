"""Features of images, by a classifier in a file: what measurements compare images by."""

import hashlib
import pathlib
import warnings
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from tfgen.errors import UserError

BATCH = 100
"""Number of images that the net sees at a time."""

INCEPTION = "inception_v3:"
"""The prefix of a path that names a file of Inception's weights."""

WANTED = f"a classifier's SavedModel or {INCEPTION}PATH"


class Features:
    """Features and class probabilities of images, by an exported classifier or by Inception v3.

    Images of another size are resized, bilinearly and without aliasing. For another number of
    channels, greys are repeated or colours averaged. Values of two nets, of two versions of a net,
    or after two ways of resizing are not comparable. Nor are those of Inception here and in papers,
    where weights and resizing differ.

    Args:
        path: the directory of a SavedModel with the endpoint `features`; the directory of its
            versions 1, 2, ..., of which the newest is taken; or `inception_v3:PATH`, a file of
            weights for `keras.applications.InceptionV3` with its top.

    Raises:
        UserError: if there is no such net, or it is damaged, or another one.

    Attributes:
        name: MODEL/VERSION, or inception_v3.
        hash: 16 hexadecimal digits that depend on the bytes of all its files.
        image_shape: height, width, channels that the net takes.
    """

    def __init__(self, path: str):
        if path.startswith(INCEPTION):
            place = pathlib.Path(path.removeprefix(INCEPTION))
            self.name, self.image_shape = "inception_v3", (299, 299, 3)
            self._net = _inception(place)
        else:
            place = _newest_version(path)
            self.name = "/".join(place.resolve().parts[-2:])
            # the loaded model is kept for its variables, which its functions do not own
            self._model, self._net, self.image_shape = _saved_model(place)
        self.hash = _hash(place)

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Computes the features and class probabilities of images.

        Args:
            images: float32 [n, h, w, c] in [-1, 1], at least one.

        Returns:
            Features [n, d] and probabilities [n, classes], float32.

        Raises:
            UserError: if the images have neither the net's number of channels nor 1 or 3.
        """
        features, probabilities = [], []
        for start in range(0, len(images), BATCH):
            feature, probability = self._net(self._fit(images[start : start + BATCH]))
            features.append(feature.numpy())
            probabilities.append(probability.numpy())
        return np.concatenate(features), np.concatenate(probabilities)

    def adaptation(self, shape: tuple[int, ...]) -> str:
        """Returns in words what is done to images of a shape to make them fit the net."""
        done = []
        if shape[:2] != self.image_shape[:2]:
            height, width, _ = self.image_shape
            done.append(f"bilinear from {shape[0]}x{shape[1]} to {height}x{width}")
        if shape[-1] != self.image_shape[-1]:
            done.append("greys repeated" if shape[-1] == 1 else "colours averaged")
        return ", ".join(done) or "none"

    def _fit(self, images: np.ndarray) -> tf.Tensor:
        """Returns images in the shape that the net takes."""
        *size, channels = self.image_shape
        if images.shape[-1] == channels:
            fitting = images
        elif images.shape[-1] == 1 and channels == 3:
            fitting = np.repeat(images, 3, axis=-1)
        elif images.shape[-1] == 3 and channels == 1:
            fitting = images.mean(axis=-1, keepdims=True)
        else:
            raise UserError(
                f"features: expected images of {channels} channels and found {images.shape[-1]}"
            )
        if images.shape[1:3] != tuple(size):
            return tf.image.resize(fitting, size, antialias=True)
        return tf.constant(fitting)


def _newest_version(path: str) -> pathlib.Path:
    """Returns a SavedModel's own directory, given that or the one of its versions."""
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
    """Loads a SavedModel whose endpoint `features` gives features and class probabilities.

    Args:
        place: the directory of the SavedModel.

    Returns:
        The loaded model, which must outlive its functions; a function from images to features and
        probabilities; and the image shape that this function takes.

    Raises:
        UserError: if it cannot be loaded, or has no such endpoint.
    """
    try:
        model = tf.saved_model.load(str(place))
    except Exception as error:  # graphs and checkpoints cut short or changed fail in many ways
        raise UserError(
            f"features: expected a whole SavedModel and could not load {place}"
        ) from error
    if "features" not in model.signatures:
        names = ", ".join(sorted(model.signatures)) or "none"
        raise UserError(
            f"features: expected a model with the endpoint features and found {names} in {place}"
        )
    endpoint = model.signatures["features"]
    # a signature takes keywords only: the first part of its pair, the positional ones, is empty
    _, inputs = endpoint.structured_input_signature
    outputs = endpoint.structured_outputs
    if set(inputs) != {"image"} or not {"feature", "probability"} <= set(outputs):
        raise UserError(
            f"features: expected an endpoint from image to feature and probability in {place} "
            f"and found one from {', '.join(inputs)} to {', '.join(outputs)}"
        )

    return model, _net(endpoint, place), tuple(inputs["image"].shape[1:])


def _net(endpoint: Callable, place: pathlib.Path) -> Callable:
    """Returns an endpoint as a function from images to features and probabilities."""

    def net(image):
        try:
            found = endpoint(image=image)
        except tf.errors.InvalidArgumentError as error:
            # the check's own words, without those that TensorFlow puts before them
            said = " ".join(error.message.rpartition("assertion failed:")[2].split())[:200]
            raise UserError(
                f"features: expected images that {place} takes and found others ({said})"
            ) from error
        return found["feature"], found["probability"]

    return net


def _inception(file: pathlib.Path) -> Callable:
    """Builds Inception v3 with the weights in a file: a function to features and probabilities."""
    if not file.is_file():
        raise UserError(
            f"features: expected a file of Inception's weights and found none at {file}"
        )
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")  # whatever the measured model computes in
    try:
        inception = keras.applications.InceptionV3(weights=None)
        with warnings.catch_warnings():
            # Keras only warns of layers for which the file has no weights
            warnings.simplefilter("error", UserWarning)
            inception.load_weights(file)
    except Exception as error:  # files cut short, of another kind or another net fail in many ways
        raise UserError(
            "features: expected weights (.h5 or .keras) of keras.applications.InceptionV3 with its "
            f"top and could not load {file}"
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
    """Returns 16 hexadecimal digits of the hash of a file, or of all files in a directory."""
    digest = hashlib.sha256()
    files = [place] if place.is_file() else [f for f in place.rglob("*") if f.is_file()]
    # in one order on every machine, whatever the order in which a file system lists them
    for file in sorted(files, key=lambda file: file.relative_to(place).as_posix()):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
