"""Tests of the table of features: its arithmetic, its plan and its page."""

import pathlib

import numpy as np
import pytest
from support import command_line

from experiments import feature_table, features
from experiments.feature_table import DCGAN, INNG, PIXELS, UNTRAINED, Measured
from tfgen.data.examples import Examples, Images

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _from_the_root(monkeypatch):
    """Flagfiles are named from there."""
    monkeypatch.chdir(ROOT)


def measured(*misled, images=1, updates=5):
    return Measured(np.array(misled, float), updates=updates, draws=10, images=images)


def test_the_mean_and_its_errors_are_as_by_hand():
    """The means of the seeds are .5 and .25; over images their mean is .75, .25, .5, 0."""
    found = feature_table.value([measured(1, 0.5, 0.5, 0), measured(0.5, 0, 0.5, 0)])
    assert found.mean == 0.375
    assert found.over_seeds == pytest.approx(0.125)
    variance = np.mean((np.array([0.75, 0.25, 0.5, 0]) - 0.375) ** 2)
    assert found.over_images == pytest.approx((variance / 4) ** 0.5)


def test_seeds_with_other_test_images_have_the_error_of_one_seed():
    one = measured(1, 0, 1, 0)
    found = feature_table.value([one, one._replace(images=2)])
    assert found == (0.5, 0.0, pytest.approx(0.25))  # .5 / sqrt(4)


def test_a_single_seed_has_no_error_over_seeds():
    assert feature_table.value([measured(1, 0)]).over_seeds is None


def test_a_paired_difference_has_no_error_where_both_err_alike():
    """Images that mislead both say nothing of which is better."""
    ours, theirs = measured(1, 0, 1, 0), measured(0.9, -0.1, 0.9, -0.1)
    found = feature_table.difference([ours], [theirs])
    assert found.mean == pytest.approx(0.1)
    assert found.over_images == pytest.approx(0, abs=1e-12)
    assert feature_table.value([ours]).over_images == pytest.approx(0.25)


def test_the_page_shows_rows_in_order_and_the_difference(tmp_path):
    found = {INNG: [measured(1, 0, 1, 0)], DCGAN: [measured(0, 0, 1, 0)], PIXELS: []}
    text = feature_table.render([feature_table.section("Toy", found)], "a command")
    assert "| INNg | 50.00 |  | 25.00 | 5 |" in text
    assert "| INNg − DCGAN | 25.00 |  | 21.65 |  |" in text  # sqrt(3)/4 / sqrt(4)
    assert "| pixels" not in text
    assert "10 draws; 4 test images." in text
    assert "`a command`" in text


@pytest.mark.parametrize("name", features.DATA)
def test_models_see_the_same_data_and_dcgan_makes_as_many_updates(name):
    of = {m: features.run_of(pathlib.Path("r"), name, m, "2", 7) for m in features.RECIPES}
    given = {m: command_line.values("trainers.main", *run.training) for m, run in of.items()}
    assert len({run.workdir for run in of.values()}) == len(of)
    same = ("dataset", "image_size", "test_fraction", "max_images", "seed")
    assert len({tuple(str(values[n].value) for n in same) for values in given.values()}) == 1
    assert given[DCGAN].steps == 7
    assert given[UNTRAINED]["discriminator.learning_rate"].value == 0
    assert given[INNG].nets == given[DCGAN].nets == given[UNTRAINED].nets


def test_what_was_measured_is_kept_and_not_measured_again(tmp_path, monkeypatch):
    """Two classes that a pixel tells apart are told apart."""
    label = np.tile([0, 1], 60)
    image = np.zeros((120, 2, 2, 1), np.float32)
    image[..., 0, 0, 0] = label - 0.5
    images = Images(Examples(image, label), Examples(image[:30], label[:30]), (2, 2, 1), 120)
    data = features.Data("Toy", [], labels=20, validation=40)
    model = features.Pixels((2, 2, 1))
    for _ in range(2):
        features.measure(tmp_path, model, images, data, seed=0, draws=3)
        kept = features.read(tmp_path)
        assert kept.misled.tolist() == [0.0] * 30
        assert (kept.updates, kept.draws) == (0, 3)
        monkeypatch.setattr(features, "LinearSVM", None)  # would fail if it was asked again
