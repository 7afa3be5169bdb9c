"""Linear SVMs on features: known errors, the choice of C, and what is refused."""

import numpy as np
import pytest
import tensorflow as tf

from tfgen.data.examples import Examples, Images
from tfgen.errors import UserError
from tfgen.evaluation.linear_svm import CANDIDATES, LinearSVM
from tfgen.models import Model, inputs, task

SHAPE = (1, 1, 4)


class Identity(Model):
    """A model whose features are the pixels."""

    def __init__(self):
        super().__init__({}, image_shape=SHAPE)

    def inputs(self):
        return {"image": inputs.image(SHAPE)}

    @task("features")
    def features(self, image):
        """Flattens images."""
        return tf.reshape(image, [-1, 4])


def clusters(count, spread, seed):
    """Two classes about (1, 0, 0, 0) / 2 and its negative, with normal noise of this deviation."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, count)
    image = spread * rng.standard_normal((count, *SHAPE))
    image[..., 0] += label[:, None, None] - 0.5
    return Examples(image.astype(np.float32), label.astype(np.int64))


def measured(spread, **options):
    train, test = clusters(600, spread, 0), clusters(4000, spread, 1)
    images = Images(train, test, SHAPE, len(train))
    given = {"labels": 200, "draws": 10, "validation": 300} | options
    return dict(LinearSVM(Identity(), images, **given).run())


def test_classes_apart_are_told_apart():
    found = measured(0.02)
    assert found["error"] == found["spread"] == 0


def test_the_error_of_overlapping_classes_is_nearly_the_least_possible():
    """Noise of 0.5 about ±1/2 in one coordinate: Bayes errs with Φ(-1) = .1587.

    200 labels lose at most .03. With 4,000 images the error itself has a standard deviation of
    .0058, of which 5 are allowed.
    """
    found = measured(0.5)
    assert 0.1587 - 5 * 0.0058 < found["error"] < 0.1587 + 0.03 + 5 * 0.0058
    assert 0 < found["spread"] < 0.03
    assert found["cost"] in CANDIDATES


def test_test_labels_at_random_are_guessed():
    """4,000 fair coins against any answers: .5 within 5 deviations of .0079; fails with 6e-7."""
    train, test = clusters(600, 0.02, 0), clusters(4000, 0.02, 1)
    coins = Examples(test.image, np.random.default_rng(2).integers(0, 2, len(test)))
    images = Images(train, coins, SHAPE, len(train))
    found = dict(LinearSVM(Identity(), images, labels=200, draws=2, validation=300).run())
    assert abs(found["error"] - 0.5) < 5 * 0.0079


def test_the_same_seed_measures_the_same_and_another_draws_others():
    assert measured(0.5) == measured(0.5)
    assert measured(0.5, seed=1)["error"] != measured(0.5)["error"]


def test_the_standard_error_is_that_of_the_test_images():
    """With one draw each image is wrong or right: the root of p (1 - p) / n."""
    found = measured(0.5, draws=1)
    p = found["error"]
    assert found["standard_error"] == pytest.approx(np.sqrt(p * (1 - p) / 4000), rel=1e-6)
    assert found["spread"] == 0


def test_draws_are_taken_from_all_training_images(monkeypatch):
    """Those set aside too: 60 draws of 200 from 600 leave out each one with (2 / 3)^60."""
    seen, machines = set(), LinearSVM._machines

    def watched(self, draw, costs):
        if len(costs) == 1:
            seen.update(draw.tolist())
        return machines(self, draw, costs)

    monkeypatch.setattr(LinearSVM, "_machines", watched)
    measured(0.5, draws=60)
    assert len(seen) == 600


@pytest.mark.parametrize(("labels", "draws"), [(300, 2), (301, 1)])
def test_half_of_the_training_images_and_a_single_draw_are_accepted(labels, draws):
    assert measured(0.5, labels=labels, draws=draws, validation=100)["error"] < 0.25


def test_draws_that_would_nearly_be_one_are_refused():
    with pytest.raises(UserError, match=r"labels: expected at most 300, .* found 301; .*draws=1"):
        measured(0.5, labels=301, draws=2, validation=100)


def test_too_few_images_are_refused_and_so_are_none_with_labels():
    with pytest.raises(UserError, match=r"validation: expected at most 400, .* and found 401"):
        measured(0.5, validation=401)
    bare = Examples(np.zeros((9, *SHAPE), np.float32))
    with pytest.raises(UserError, match="labels"):
        list(LinearSVM(Identity(), Images(bare, bare, SHAPE, 9)).run())
