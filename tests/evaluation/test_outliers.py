"""The energy of images of other kinds, on tiny models: its signs, and what is refused."""

import functools

import numpy as np
import pytest
from support.digit_models import DATA, classifier, energy, vae

from tfgen import random
from tfgen.analysis import near_outliers
from tfgen.data.examples import load
from tfgen.errors import UserError
from tfgen.evaluation.outliers import Outliers, png_nats


def sizes(images):
    """|x|² / (2 σ²), the energy of a net of weight zero up to a constant."""
    return (images[:100].astype(np.float64) ** 2).sum(axis=(1, 2, 3)) / (2 * 0.5**2)


def area(inliers, outliers):
    """The share of pairs in which the outlier has the higher energy."""
    return np.mean(outliers[:, None] > inliers[None, :])


def areas(*kinds):
    """The names of what is yielded of kinds of outliers."""
    return {f"auroc_{kind}{sign}" for kind in kinds for sign in ("", "_typicality", "_ratio")}


def test_plain_images_take_fewer_nats_than_noise():
    """A PNG of noise holds all of its 256 bytes; of one colour, hardly more than its frame."""
    noise = np.random.default_rng(0).uniform(-1, 1, (1, 16, 16, 1))
    plain, noisy = png_nats(np.concatenate([np.zeros_like(noise), noise]))
    assert noisy - plain > 200 * 8 * np.log(2)


def test_without_a_net_images_are_as_outlying_as_they_are_far_from_the_references_mean():
    found = dict(Outliers(energy(scale=0.0), DATA, num_images=100, datasets="digits").run())
    assert set(found) == {"energy_gap", *areas("noise", "constant", "digits")}
    train, test = sizes(DATA.train.as_float()), sizes(DATA.test.as_float())
    assert found["energy_gap"] == pytest.approx(test.mean() - train.mean(), rel=1e-3)
    digits = sizes(load("digits", test_fraction=0).test.as_float())
    # energies are float32: pairs closer than that may change places
    assert found["auroc_digits"] == pytest.approx(area(test, digits), abs=1e-3)
    typical = [np.abs(u - train.mean()) for u in (test, digits)]
    assert found["auroc_digits_typicality"] == pytest.approx(area(*typical), abs=1e-3)


def test_noise_is_no_outlier_among_noise_and_images_of_one_colour_are_as_often_paler_as_brighter():
    """Held-out images here are uniform noise too.

    The area of 100 against 100 like ones has a standard error of 0.041. A constant c has the energy
    64 c² / 0.5, above a noise image's 64 / 1.5 or so if |c| > 1 / sqrt(3). 42 % of them are, with a
    standard error of 0.05. Each within 4 of these: it fails once in 8,000 seeds.
    """
    found = dict(Outliers(energy(scale=0.0), DATA, num_images=100).run())
    assert set(found) == {"energy_gap", *areas("noise", "constant")}
    assert abs(found["auroc_noise"] - 0.5) < 0.164
    assert abs(found["auroc_constant"] - (1 - 1 / np.sqrt(3))) < 0.2


def test_another_data_set_is_resized_to_the_models_images():
    """A picture of 512 x 512 is a single image of 8 x 8 here."""
    found = dict(Outliers(energy(), DATA, num_images=10, datasets="textures/brick,digits").run())
    assert 0 <= found["auroc_brick"] <= 1
    assert 0 <= found["auroc_digits"] <= 1


HARD = (
    *("flipped", "permuted_quadrants", "mixed_quadrants", "mean_of_two", "maximum_of_two"),
    *("blurred", "own_samples"),
)


def test_hard_kinds_are_measured_when_they_are_asked_for():
    """Without a net the energy is |x|² / (2 σ²).

    Flipped and permuted images have just that of their source, so that the area is 1/2. Blurring
    and averaging shrink noise, and a mean of two has half its square: the area is near 0.
    """
    found = dict(Outliers(energy(scale=0.0), DATA, num_images=100, hard=True).run())
    assert set(found) == {"energy_gap", *areas("noise", "constant", *HARD)}
    for kind in ("flipped", "permuted_quadrants"):
        assert found[f"auroc_{kind}"] == pytest.approx(0.5, abs=1e-3)
    assert found["auroc_mean_of_two"] < 0.05
    assert found["auroc_blurred"] < 0.01
    test = DATA.test.as_float()
    made = near_outliers.made_from(test[:100], seed=0)["maximum_of_two"]
    expected = area(sizes(test), sizes(made))
    assert found["auroc_maximum_of_two"] == pytest.approx(expected, abs=1e-3)


def test_own_samples_are_what_the_model_generates_and_neither_high_nor_low_is_better():
    model = energy()
    found = dict(Outliers(model, DATA, num_images=20, hard=True).run())
    made = model.generate(20, random.fold_in(random.root(0), 0))
    u, v = (np.asarray(model.energy(x)) for x in (DATA.test.as_float()[:20], made))
    assert found["auroc_own_samples"] == pytest.approx(area(u, v), abs=0.01)
    assert Outliers.direction("auroc_own_samples") == "neither"
    assert Outliers.direction("auroc_flipped") == "higher"


def test_where_files_lie_is_no_part_of_the_protocol():
    protocol = Outliers(energy(), DATA, datasets="mnist", data_dir="a", manual_dir="b").protocol()
    assert protocol["datasets"] == "mnist"
    assert not {"data_dir", "manual_dir"} & set(protocol)


@pytest.mark.parametrize(
    "model", [vae, classifier, functools.partial(energy, 2)], ids=["vae", "classifier", "classes"]
)
def test_outliers_of_a_model_without_one_energy_are_refused(model):
    with pytest.raises(UserError, match=r"outliers: expected a model with (the task|one) energy"):
        Outliers(model(), DATA)


def test_energies_that_are_not_finite_are_refused():
    with pytest.raises(UserError, match="finite energies"):
        list(Outliers(energy(scale=np.nan), DATA, num_images=2).run())
