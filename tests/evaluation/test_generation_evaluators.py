"""Evaluators of generated images and of outliers on tiny models: what they yield and refuse."""

import numpy as np
import pytest
import tensorflow as tf
from support.digit_models import DATA, SHAPE, classifier, energy, vae

from export.saved_model import archive
from tfgen import random
from tfgen.data.examples import Examples, Images
from tfgen.errors import UserError
from tfgen.evaluation import generation
from tfgen.evaluation.fid import FID, frechet_distance
from tfgen.evaluation.inception_score import InceptionScore, inception_score
from tfgen.evaluation.kid import KID
from tfgen.evaluation.precision_recall import PrecisionRecall
from tfgen.models import Model, inputs, task

NAMES = {
    FID: {"distance"},
    KID: {"distance", "spread"},
    InceptionScore: {"score"},
    PrecisionRecall: {"precision", "recall"},
}


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    """The path of an exported classifier."""
    return str(archive.write(classifier(), tmp_path_factory.mktemp("exported") / "classifier"))


def seen(images):
    """Features and probabilities of images, by the classifier itself."""
    feature, probability = classifier().features(images)
    return feature.numpy(), probability.numpy()


@pytest.mark.parametrize("cls", NAMES)
def test_every_measurement_yields_its_numbers(cls, features):
    found = dict(cls(vae(), DATA, features=features, num_images=103).run())
    assert set(found) == NAMES[cls]
    assert all(np.isfinite(value) for value in found.values())


@pytest.mark.parametrize("outputs", [1, 2])
def test_samples_of_energies_are_measured_too(outputs, features):
    """With sampling steps, and with classes."""
    found = dict(PrecisionRecall(energy(outputs), DATA, features=features, num_images=110).run())
    assert all(0 <= value <= 1 for value in found.values())


def test_images_are_generated_in_seeded_batches_of_a_hundred(features):
    root = random.root(5)
    images = np.concatenate(
        [vae().generate(c, random.fold_in(root, i)) for i, c in enumerate([100, 100, 30])]
    )
    feature, probability = seen(images)
    distance = dict(FID(vae(), DATA, features=features, num_images=230, seed=5).run())["distance"]
    # the two sides compute in float32, which leaves some six digits of a feature
    assert distance == pytest.approx(
        frechet_distance(seen(DATA.test.as_float())[0], feature), rel=1e-4
    )
    score = dict(
        InceptionScore(vae(), DATA, features=features, num_images=230, seed=5, splits=2).run()
    )
    assert score["score"] == pytest.approx(inception_score(probability, 2).mean(), rel=1e-5)
    assert set(score) == {"score", "spread"}


class Painter(Model):
    """Generates images that show their label and the number of steps."""

    def __init__(self):
        super().__init__({}, image_shape=(1, 1, 2), num_classes=2)

    def inputs(self):
        declared = inputs.count(), inputs.num_steps(7), inputs.label(2)
        return {known.name: known for known in declared}

    @task("image")
    def generate(self, count, num_steps, label):
        """Shows the inputs."""
        shown = tf.cast(tf.stack([label, tf.fill([count], num_steps)], axis=1), tf.float32)
        return shown[:, tf.newaxis, tf.newaxis, :]


def test_classes_are_as_frequent_as_among_the_training_images(monkeypatch):
    """1,000 labels, a quarter of them 1, within 4 standard errors: fails once in 16,000 seeds."""
    monkeypatch.setattr(
        generation, "Features", lambda path: lambda images: (images[:, 0, 0], images)
    )
    train = Examples(DATA.train.image[:8], np.array([0, 0, 0, 1, 0, 0, 0, 1]))
    measure = FID(Painter(), Images(train, DATA.test, SHAPE, 8), num_images=1000)
    label, steps = measure.generated[0].T
    assert set(label) == {0, 1}
    assert abs(label.mean() - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 1000)
    np.testing.assert_array_equal(steps, np.full(1000, 7))


def test_the_split_decides_which_images_are_real(features):
    found = {
        s: dict(FID(vae(), DATA, features=features, num_images=50, split=s).run())
        for s in ("train", "test")
    }
    assert found["train"] != found["test"]
    with pytest.raises(UserError, match="split: expected train or test and found dev"):
        list(FID(vae(), DATA, features=features, num_images=50, split="dev").run())


def test_measurements_repeat_themselves_with_their_seed(features):
    runs = [
        dict(KID(vae(), DATA, features=features, num_images=100, seed=s).run()) for s in (0, 0, 1)
    ]
    assert runs[0] == runs[1] != runs[2]


def test_the_protocol_names_the_net_its_hash_and_the_numbers_of_images(features):
    measure = FID(energy(), DATA, features=features, num_images=20, split="train")
    protocol = measure.protocol()
    assert protocol["features"] == "classifier/1"
    assert protocol["features_hash"] == measure.extractor.hash
    assert (protocol["num_images"], protocol["num_real"]) == (20, 150)
    assert (protocol["num_steps"], protocol["resize"], protocol["seed"]) == (3, "none", 0)
    assert "num_real" not in InceptionScore(energy(), DATA, features=features).protocol()


@pytest.mark.parametrize("cls", NAMES)
def test_a_measurement_without_features_is_refused(cls):
    with pytest.raises(UserError, match="features: expected a classifier's SavedModel"):
        list(cls(vae(), DATA).run())


def test_a_model_that_cannot_generate_is_refused(features):
    with pytest.raises(UserError, match="the task generate and found one with classify, features"):
        FID(classifier(), DATA, features=features)


def test_a_model_that_generates_nan_is_refused(features):
    with pytest.raises(UserError, match="finite images"):
        list(FID(energy(scale=np.nan), DATA, features=features, num_images=2).run())
