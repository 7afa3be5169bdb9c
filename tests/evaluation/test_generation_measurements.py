"""Formulas that measure generated images: closed forms, written-out sums, invariances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfgen.errors import UserError
from tfgen.evaluation.fid import frechet_distance
from tfgen.evaluation.inception_score import inception_score
from tfgen.evaluation.kid import kernel_distance
from tfgen.evaluation.precision_recall import precision_recall

seeds = st.integers(0, 10_000)


def normal(*shape, seed=0):
    """Standard normal draws."""
    return np.random.default_rng(seed).standard_normal(shape)


def with_moments(mean, root, count, seed=0):
    """Points of exactly this mean and of covariance root rootᵀ."""
    x = normal(count, len(mean), seed=seed)
    x -= x.mean(axis=0)
    whitening = np.linalg.inv(np.linalg.cholesky(x.T @ x / (count - 1)))
    return x @ whitening.T @ root.T + mean


# the Fréchet distance


@settings(max_examples=25, deadline=None)
@given(seed=seeds, dim=st.integers(1, 6))
def test_the_frechet_distance_of_gaussians_whose_covariances_commute_is_closed(seed, dim):
    """With a common basis Q: |m_a - m_b|² + Σ (s_a - s_b)², of the standard deviations along it."""
    rng = np.random.default_rng(seed)
    q, _ = np.linalg.qr(rng.standard_normal((dim, dim)))
    means, deviations = rng.standard_normal((2, dim)), rng.uniform(0.1, 2, (2, dim))
    a, b = (with_moments(means[i], q * deviations[i], 20 + 7 * i, seed=seed + i) for i in range(2))
    expected = ((means[0] - means[1]) ** 2).sum() + ((deviations[0] - deviations[1]) ** 2).sum()
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-8, abs=1e-10)


def test_the_frechet_distance_of_gaussians_of_two_dimensions_is_closed():
    """tr (S_a S_b)^½ = (tr S_a S_b + 2 (det S_a det S_b)^½)^½; the covariances do not commute."""
    roots = [np.array([[1.0, 0.0], [0.7, 0.4]]), np.array([[0.3, -0.8], [0.0, 1.5]])]
    a, b = (with_moments(np.zeros(2), root, 50, seed=i) for i, root in enumerate(roots))
    s, t = (root @ root.T for root in roots)
    shared = np.sqrt(np.trace(s @ t) + 2 * np.sqrt(np.linalg.det(s) * np.linalg.det(t)))
    assert frechet_distance(a, b) == pytest.approx(
        np.trace(s) + np.trace(t) - 2 * shared, rel=1e-10
    )


@settings(max_examples=25, deadline=None)
@given(seed=seeds, count=st.integers(2, 30), dim=st.integers(1, 20))
def test_the_frechet_distance_of_a_set_to_itself_is_zero(seed, count, dim):
    """Also where covariances are singular; 1e-12: float64's rounding times the sum of variances."""
    a = normal(count, dim, seed=seed)
    assert frechet_distance(a, a[::-1]) == pytest.approx(0, abs=1e-12 * dim)


@settings(max_examples=25, deadline=None)
@given(seed=seeds, shift=st.floats(-10, 10))
def test_the_frechet_distance_to_a_moved_set_is_the_squared_way(seed, shift):
    a = normal(12, 5, seed=seed)
    assert frechet_distance(a, a + shift) == pytest.approx(5 * shift**2, rel=1e-9, abs=1e-9)


def test_the_frechet_distance_is_symmetric_and_never_negative():
    a, b = normal(9, 4), 2 * normal(15, 4, seed=1)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-12)
    assert frechet_distance(a, b) > 0


@pytest.mark.parametrize("counts", [(1, 5), (5, 1), (0, 5)])
def test_moments_of_fewer_than_two_images_are_refused(counts):
    with pytest.raises(
        UserError, match=f"at least 2 images in each set and found {counts[0]} and {counts[1]}"
    ):
        frechet_distance(*(normal(count, 3) for count in counts))


# the kernel distance


def test_the_kernel_distance_is_written_out():
    """Over all pairs of different points within a set, and all pairs between the sets."""
    a, b = normal(4, 3), normal(4, 3, seed=1)

    def k(x, y):
        return (x @ y / 3 + 1) ** 3

    within = [
        np.mean([k(s[i], s[j]) for i in range(4) for j in range(4) if i != j]) for s in (a, b)
    ]
    between = np.mean([k(x, y) for x in a for y in b])
    found = kernel_distance(a, b, subset_size=4)
    np.testing.assert_allclose(found, [sum(within) - 2 * between], rtol=1e-12)


def test_the_kernel_distance_of_equal_distributions_is_zero_on_average():
    """300 independent estimates: within 4 standard errors of 0; fails once in 16,000 seeds."""
    estimates = np.array(
        [kernel_distance(*normal(2, 20, 4, seed=s), subset_size=20)[0] for s in range(300)]
    )
    assert abs(estimates.mean()) < 4 * estimates.std() / np.sqrt(300)
    assert estimates.min() < 0 < estimates.max()


def test_the_kernel_distance_of_shifted_normals_is_closed_on_average():
    """In one dimension k(x, y) = 1 + 3xy + 3x²y² + x³y³.

    The distance is a sum of squared differences of moments. Between N(0, 1) and N(1, 1) it is
    3 · 1² + 3 · (2 - 1)² + (4 - 0)² = 22. 300 estimates, within 4 standard errors.
    """
    a, b = normal(300, 40, 1), normal(300, 40, 1, seed=1) + 1
    estimates = np.array(
        [kernel_distance(x, y, subset_size=40)[0] for x, y in zip(a, b, strict=True)]
    )
    assert abs(estimates.mean() - 22) < 4 * estimates.std() / np.sqrt(300)


def test_subsets_are_seeded_and_as_many_as_were_asked_for():
    a, b = normal(30, 2), normal(40, 2, seed=1)
    found = [kernel_distance(a, b, subset_size=10, num_subsets=7, seed=s) for s in (0, 0, 1)]
    assert found[0].shape == (7,)
    assert len(set(found[0])) == 7
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])


@pytest.mark.parametrize("size", [1, 11])
def test_subsets_of_too_few_or_too_many_are_refused(size):
    with pytest.raises(UserError, match=f"subset_size: expected 2 to 10.*found {size}"):
        kernel_distance(normal(10, 2), normal(20, 2), subset_size=size)


# the Inception score


@pytest.mark.parametrize("classes", [2, 10])
def test_sure_and_even_predictions_score_the_number_of_classes(classes):
    one_hot = np.tile(np.eye(classes), (6, 1))
    np.testing.assert_allclose(inception_score(one_hot, splits=3), [classes] * 3, rtol=1e-12)


def test_predictions_that_do_not_depend_on_the_image_score_one():
    for p in (
        np.full((8, 5), 0.2),
        np.tile([0.7, 0.3, 0.0], (8, 1)),
        np.tile(np.eye(3)[:1], (8, 1)),
    ):
        np.testing.assert_allclose(inception_score(p), [1], rtol=1e-12)


def test_the_inception_score_is_the_information_between_image_and_label():
    """Two kinds of images, half each, told apart with probability q: log 2 less q's entropy."""
    q = 0.9
    p = np.tile([[q, 1 - q], [1 - q, q]], (4, 1))
    information = np.log(2) + q * np.log(q) + (1 - q) * np.log(1 - q)
    assert inception_score(p)[0] == pytest.approx(np.exp(information), rel=1e-12)


def test_more_parts_than_images_are_refused():
    with pytest.raises(UserError, match="splits: expected 1 to 3"):
        inception_score(np.eye(3), splits=4)


# precision and recall


def test_equal_sets_have_precision_and_recall_one():
    assert precision_recall(normal(20, 3), normal(20, 3)) == (1, 1)


def test_disjoint_sets_have_precision_and_recall_zero():
    assert precision_recall(normal(20, 3), normal(20, 3) + 1000) == (0, 0)


def test_a_generator_of_one_mode_of_two_is_precise_and_recalls_half():
    modes = normal(40, 3)
    modes[20:] += 1000
    precision, recall = precision_recall(modes, normal(20, 3))
    assert (precision, recall) == (1, 0.5)


def test_balls_reach_to_the_kth_neighbour_and_include_their_rim():
    """On a line, 0, 1, 3 have balls of radii 1, 1, 2 for k = 1, which cover -1 to 5.

    For k = 2 the radii are 3, 2, 3.
    """
    real, generated = np.array([[0.0], [1.0], [3.0]]), np.array([[-1.5], [-1.0], [5.0], [5.5]])
    assert precision_recall(real, generated, k=1)[0] == 0.5
    assert precision_recall(real, generated, k=2)[0] == 1


@pytest.mark.parametrize("k", [0, 10])
def test_neighbours_that_no_point_has_are_refused(k):
    with pytest.raises(UserError, match=f"k: expected 1 to 9.*found {k}"):
        precision_recall(normal(20, 2), normal(10, 2), k)
