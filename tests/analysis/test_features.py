"""Features by a net in a file: which file, how images are made to fit, which files are refused."""

import functools
import hashlib
import math
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgen.analysis.features import Features
from tfgen.data.examples import load
from tfgen.errors import UserError

SHAPE = (8, 8, 1)
KERAS_ON_H5PY = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


class Classifier(tf.Module):
    """A net of two layers with random weights: 5 features, 3 classes."""

    def __init__(self, shape, seed):
        rng = np.random.default_rng(seed)
        size = math.prod(shape)
        weights = rng.normal(size=(size, 5)) / np.sqrt(size)
        self.hidden = tf.Variable(weights, dtype=tf.float32)
        self.head = tf.Variable(rng.normal(size=(5, 3)), dtype=tf.float32)
        self.spec = tf.TensorSpec((None, *shape), tf.float32, "image")

    def features(self, image):
        """Computes features and probabilities, as exported classifiers do."""
        feature = tf.nn.relu(tf.reshape(image, [-1, self.hidden.shape[0]]) @ self.hidden)
        return {"feature": feature, "probability": tf.nn.softmax(feature @ self.head)}


@functools.cache
def classifier(shape=SHAPE, seed=0):
    return Classifier(shape, seed)


def save(model, directory):
    """Writes a SavedModel with the endpoint `features`."""
    endpoint = tf.function(model.features, input_signature=[model.spec])
    tf.saved_model.save(model, str(directory), {"features": endpoint})
    return directory


def pictures(count, shape=SHAPE):
    """Noise."""
    return np.random.default_rng(1).uniform(-1, 1, (count, *shape)).astype(np.float32)


def expected(model, images):
    """Features and probabilities of images that fit the model."""
    found = model.features(tf.constant(images))
    return found["feature"].numpy(), found["probability"].numpy()


def agree(found, expected):
    """Asserts that features and probabilities are equal, to rounding."""
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def complaint(path):
    """Returns the sentence that refuses a path."""
    with pytest.raises(UserError) as caught:
        Features(str(path))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Versions 1 and 2 of a model, with other weights."""
    directory = tmp_path_factory.mktemp("exported") / "classifier"
    for seed in (0, 1):
        save(classifier(seed=seed), directory / str(seed + 1))
    return directory


@pytest.fixture(scope="module")
def coloured(tmp_path_factory):
    """A model of colour images of 12 x 10 pixels."""
    return save(classifier((12, 10, 3)), tmp_path_factory.mktemp("coloured") / "classifier")


@pytest.mark.parametrize("count", [1, 100, 230])
def test_features_are_the_exported_models(exported, count):
    images = pictures(count)
    agree(Features(str(exported / "1"))(images), expected(classifier(seed=0), images))


def test_the_newest_version_is_taken_unless_one_is_named(exported):
    images = pictures(3)
    newest, first = Features(str(exported)), Features(str(exported / "1"))
    assert (newest.name, first.name) == ("classifier/2", "classifier/1")
    agree(newest(images), expected(classifier(seed=1), images))
    assert newest.hash == Features(str(exported / "2")).hash != first.hash


def test_the_tenth_version_is_newer_than_the_ninth(exported, tmp_path):
    for version, number in (("1", "9"), ("2", "10")):
        shutil.copytree(exported / version, tmp_path / "model" / number)
    assert Features(str(tmp_path / "model")).name == "model/10"


def test_the_hash_is_that_of_all_the_files_bytes_in_the_order_of_their_paths(exported):
    version = exported / "1"
    files = sorted(f.relative_to(version).as_posix() for f in version.rglob("*") if f.is_file())
    digest = hashlib.sha256(b"".join((version / f).read_bytes() for f in files))
    assert Features(str(version)).hash == digest.hexdigest()[:16]


def test_grey_images_are_resized_and_repeated(coloured):
    images = pictures(4)
    features = Features(str(coloured))
    assert features.adaptation(SHAPE) == "bilinear from 8x8 to 12x10, greys repeated"
    larger = tf.image.resize(np.repeat(images, 3, axis=-1), (12, 10)).numpy()
    agree(features(images), expected(classifier((12, 10, 3)), larger))


def test_colours_are_averaged(exported):
    images = pictures(4, (8, 8, 3))
    features = Features(str(exported / "1"))
    assert features.adaptation((8, 8, 3)) == "colours averaged"
    agree(features(images), expected(classifier(), images.mean(axis=-1, keepdims=True)))


def test_shrinking_does_not_alias(exported):
    """A chequerboard of single pixels becomes grey at half the size, and not black or white."""
    rows, columns = np.mgrid[:16, :16]
    board = np.where((rows + columns) % 2, 1.0, -1.0).astype(np.float32)[None, :, :, None]
    middle = Features(str(exported))._fit(board).numpy()[0, 2:-2, 2:-2]
    assert np.abs(middle).max() < 0.01


def test_images_that_fit_are_left_alone(exported):
    features, images = Features(str(exported)), pictures(2)
    assert features.adaptation(SHAPE) == "none"
    np.testing.assert_array_equal(features._fit(images), images)


def test_images_of_other_channels_are_refused(exported):
    with pytest.raises(UserError, match="expected images of 1 channels and found 2"):
        Features(str(exported))(pictures(1, (8, 8, 2)))


def test_images_that_an_export_refuses_are_an_error_in_one_sentence(tmp_path):
    """Exports take images in [-1, 1] alone."""

    class Strict(Classifier):
        def features(self, image):
            test = tf.debugging.Assert(tf.reduce_all(image <= 1), ["image: expected", image])
            with tf.control_dependencies([test]):
                return super().features(tf.identity(image))

    features = Features(str(save(Strict(SHAPE, 0), tmp_path)))
    assert features(np.ones((2, *SHAPE), np.float32))[0].shape == (2, 5)
    with pytest.raises(UserError, match=r"features: expected images that .*image: expected"):
        features(np.full((2, *SHAPE), 1.5, np.float32))


@pytest.mark.parametrize(
    ("path", "said"), [("", "found nothing"), ("/nowhere/at/all", "found nothing at /nowhere")]
)
def test_a_missing_model_is_refused(path, said):
    assert said in complaint(path)


def test_a_directory_without_a_model_is_refused(tmp_path):
    assert "neither a saved_model.pb nor versions" in complaint(tmp_path)


@pytest.mark.parametrize(
    "name",
    ["saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"],
)
def test_a_damaged_model_is_refused(exported, tmp_path, name):
    """Each file cut to its first half."""
    damaged = shutil.copytree(exported / "1", tmp_path / "damaged")
    content = (damaged / name).read_bytes()
    (damaged / name).write_bytes(content[: len(content) // 2])
    assert f"could not load {damaged}" in complaint(damaged)


def exported_function(directory, name, outputs):
    """Writes a SavedModel with one endpoint, whose outputs are its input; returns its directory."""
    module = tf.Module()
    spec = tf.TensorSpec((None, 2), tf.float32, "image")
    module.endpoint = tf.function(
        lambda image: dict.fromkeys(outputs, image), input_signature=[spec]
    )
    tf.saved_model.save(module, str(directory), {name: module.endpoint})
    return directory


def test_a_model_without_features_is_refused(tmp_path):
    place = exported_function(tmp_path, "generate", ["image"])
    assert "expected a model with the endpoint features and found generate" in complaint(place)


def test_an_endpoint_features_with_other_outputs_is_refused(tmp_path):
    place = exported_function(tmp_path, "features", ["feature"])
    assert "from image to feature and probability" in complaint(place)


def test_missing_weights_of_inception_are_refused(tmp_path):
    assert "found none at" in complaint(f"inception_v3:{tmp_path / 'none.h5'}")


@pytest.mark.slow
@KERAS_ON_H5PY
def test_inceptions_probabilities_are_its_last_layers_of_the_features(tmp_path):
    """With random weights from a file; images are enlarged to 299x299 and greys repeated."""
    keras.utils.set_random_seed(0)
    whole = keras.applications.InceptionV3(weights=None)
    whole.save_weights(tmp_path / "inception.weights.h5")
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        features = Features(f"inception_v3:{tmp_path / 'inception.weights.h5'}")
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        keras.config.set_dtype_policy("float32")
    images = load("digits").test.shown(3)
    feature, probability = features(images)
    assert (feature.shape, probability.shape, feature.dtype) == ((3, 2048), (3, 1000), np.float32)
    larger = tf.image.resize(np.repeat(images, 3, axis=-1), (299, 299))
    np.testing.assert_allclose(probability, whole(larger, training=False), rtol=1e-3)
    top = whole.get_layer("predictions")
    np.testing.assert_allclose(probability, top(feature), rtol=1e-3)
    assert features.name == "inception_v3"
    assert features.adaptation(SHAPE) == "bilinear from 8x8 to 299x299, greys repeated"


@pytest.mark.slow
@KERAS_ON_H5PY
@pytest.mark.parametrize("name", ["other.weights.h5", "other.h5", "other.keras", "other.txt"])
def test_weights_of_another_net_and_files_of_another_kind_are_refused(tmp_path, name):
    file = tmp_path / name
    if name == "other.weights.h5":
        keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)]).save_weights(file)
    else:
        file.write_text("no weights")
    assert f"could not load {file}" in complaint(f"inception_v3:{file}")
