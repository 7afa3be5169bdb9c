"""The terms of the papers' objectives, against closed forms."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import special, stats

from tfgen import energies, losses, probability, random

SHAPE = (2, 2, 1)
DIM, LATENT = 4, 2
SIGMA = 0.6


def test_the_energy_difference_has_minus_the_likelihoods_gradient():
    """U = -theta.x + |x|² / 2 is N(theta, 1): the log-likelihood's gradient is mean(data) - theta.

    Exact draws leave a standard error of 1 / √m in each of 3 entries. At 5 of these the test fails
    with a probability of 2e-6.
    """
    rng = np.random.default_rng(0)
    theta = tf.Variable([0.5, -1.0, 2.0])
    data = tf.constant(rng.normal(size=(50, 3)) + 1, tf.float32)
    samples = tf.constant(rng.normal(size=(40_000, 3)) + theta.numpy(), tf.float32)

    def energy(x):
        return -tf.linalg.matvec(x, theta) + tf.reduce_sum(x**2, axis=1) / 2

    with tf.GradientTape() as tape:
        loss = losses.energy_difference(energy(data), energy(samples))
    exact = data.numpy().mean(axis=0) - theta.numpy()
    assert np.all(np.abs(tape.gradient(loss, theta) + exact) < 5 / np.sqrt(40_000))
    assert np.abs(exact).min() > 10 * 5 / np.sqrt(40_000)


def test_the_energy_difference_is_a_difference_of_means():
    assert losses.energy_difference(tf.constant([1.0, 3.0]), tf.constant([4.0, 5.0, 6.0])) == -3.0


def test_cross_entropy_is_minus_the_mean_log_probability_of_the_labels():
    rng = np.random.default_rng(0)
    logits, label = 5 * rng.normal(size=(20, 4)), rng.integers(0, 4, 20)
    expected = -np.mean(special.log_softmax(logits, axis=1)[np.arange(20), label])
    found = losses.cross_entropy(tf.constant(logits, tf.float32), tf.constant(label, tf.int32))
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_cross_entropy_is_finite_for_huge_logits():
    assert losses.cross_entropy(tf.constant([[1e4, -1e4]]), tf.constant([1])) == 2e4


def test_the_logistic_loss_is_the_cross_entropy_of_two_labels_met_equally_often():
    """Scikit-learn's, each label with half of the weight, whatever their numbers."""
    from sklearn import metrics

    rng = np.random.default_rng(0)
    data, samples = 3 * rng.normal(size=7), 3 * rng.normal(size=20)
    odds, label = np.concatenate([data, samples]), np.repeat([1, 0], [7, 20])
    weight = np.repeat([1 / 7, 1 / 20], [7, 20])
    expected = metrics.log_loss(label, special.expit(odds), sample_weight=weight)
    found = losses.logistic(tf.constant(data, tf.float32), tf.constant(samples, tf.float32))
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_the_logistic_loss_of_no_opinion_is_ln_2():
    assert float(losses.logistic(tf.zeros([3]), tf.zeros([8]))) == pytest.approx(
        np.log(2), rel=1e-6
    )


def test_the_logistic_loss_is_least_at_the_log_odds_of_the_frequencies():
    """For 10 images and 20 samples in three cells, there is no slope at ln p / q.

    The loss there is ln 2 minus the Jensen-Shannon divergence.
    """
    images, samples = np.array([5, 3, 2]), np.array([2, 6, 12])
    p, q = images / 10, samples / 20
    cells = tf.Variable(np.log(p / q), dtype=tf.float32)
    with tf.GradientTape() as tape:
        loss = losses.logistic(
            *(tf.gather(cells, np.repeat(np.arange(3), n)) for n in (images, samples))
        )
    slope = tf.convert_to_tensor(tape.gradient(loss, cells))
    np.testing.assert_allclose(slope, np.zeros(3), atol=1e-6)
    middle = (p + q) / 2
    divergence = (stats.entropy(p, middle) + stats.entropy(q, middle)) / 2
    assert float(loss) == pytest.approx(np.log(2) - divergence, rel=1e-5)


def test_the_logistic_loss_is_finite_for_huge_log_odds():
    assert losses.logistic(tf.constant([-1e4]), tf.constant([1e4])) == 1e4
    assert losses.logistic(tf.constant([1e4]), tf.constant([-1e4])) == 0.0


def test_reconstruction_sums_over_pixels_and_averages_over_images():
    image, mean = tf.ones([2, 3, 4, 5]), tf.zeros([2, 3, 4, 5])
    assert losses.reconstruction(image, mean) == 3 * 4 * 5 / 2


# Gaussian terms


@pytest.mark.parametrize("shape", [(5, 3), (5, 2, 3, 4)], ids=["vector", "map"])
def test_log_normal_is_scipys_log_density_summed_over_each_example(shape):
    """The 1e-6 added to variances of 0.01 or more changes a quadratic term by 1e-4 at most."""
    rng = np.random.default_rng(0)
    x, mean, log_var = (
        rng.normal(size=shape),
        rng.normal(size=shape),
        rng.uniform(np.log(0.01), 1, shape),
    )
    expected = stats.norm(mean, np.exp(log_var / 2)).logpdf(x).reshape(5, -1).sum(axis=1)
    found = losses.log_normal(*(tf.constant(a, tf.float32) for a in (x, mean, log_var)))
    assert found.shape == (5,)
    np.testing.assert_allclose(found, expected, rtol=2e-4)


def test_log_normal_takes_numbers_for_mean_and_variance():
    x = random.normal((3, 2, 2), random.root(0))
    expected = stats.norm(0.5, 2.0).logpdf(x).sum(axis=(1, 2))
    np.testing.assert_allclose(losses.log_normal(x, 0.5, float(np.log(4.0))), expected, rtol=1e-5)


def test_log_normal_and_its_gradient_are_finite_where_the_variance_has_collapsed():
    x, log_var = tf.constant([[1.0]]), tf.constant([[-200.0]])
    with tf.GradientTape() as tape:
        tape.watch(log_var)
        value = losses.log_normal(x, 0.0, log_var)
    assert np.isfinite(value)
    assert np.isfinite(tape.gradient(value, log_var)).all()


@pytest.mark.parametrize("shape", [(5, 3), (5, 2, 3, 4)], ids=["vector", "map"])
def test_kl_to_prior_is_that_of_tensorflow_probability(shape):
    mean, log_var = (random.normal(shape, random.root(seed)) for seed in (0, 1))
    distributions = probability.package().distributions
    q = distributions.Normal(mean, tf.exp(log_var / 2))
    expected = tf.reduce_sum(distributions.kl_divergence(q, distributions.Normal(0.0, 1.0))) / 5
    np.testing.assert_allclose(losses.kl_to_prior(mean, log_var), expected, rtol=1e-5)


def test_kl_to_prior_is_zero_for_the_prior_alone():
    zeros = tf.zeros([3, 4])
    assert losses.kl_to_prior(zeros, zeros) == 0
    assert losses.kl_to_prior(zeros + 0.01, zeros) > 0
    assert losses.kl_to_prior(zeros, zeros + 0.01) > 0
    assert losses.kl_to_prior(zeros, zeros - 0.01) > 0


# The triangle's divergences on linear-Gaussian models of 4 pixels and 2 latents, with all constants
#
# The losses are means of functions that are quadratic in standard normal numbers. Their mean over
# the 2n points ±√n e_i is their expectation, exactly. The 1e-6 that log_normal adds to variances of
# a third or more changes it by 3e-6.

RNG = np.random.default_rng(0)
W, B = RNG.normal(size=(DIM, LATENT)), RNG.normal(size=DIM)
A, C = RNG.normal(size=(LATENT, DIM)), RNG.normal(size=LATENT)
V = np.array([0.4, 1.5])
MEAN, ROOT = RNG.normal(size=DIM), RNG.normal(size=(DIM, DIM))
ENERGY_MEAN, ENERGY_ROOT = RNG.normal(size=DIM), RNG.normal(size=(DIM, DIM)) + 2 * np.eye(DIM)
"""p(x|z) = N(W z + B, σ²) and q(z|x) = N(A x + C, V).

q_data = N(MEAN, ROOT ROOT') and π = N(ENERGY_MEAN, (R R')^-1) with R = ENERGY_ROOT.
"""


def sigma_points(n):
    """Points [2 n, n] of mean 0 and covariance 1."""
    return np.sqrt(n) * np.concatenate([np.eye(n), -np.eye(n)])


def tensor(x, image=False):
    """float32, as an image if it is one."""
    x = tf.constant(x, tf.float32)
    return tf.reshape(x, [-1, *SHAPE]) if image else x


def encoded(x):
    """The mean and log-variance of q(z|x)."""
    mean = x @ A.T + C
    return tensor(mean), tensor(np.broadcast_to(np.log(V), mean.shape))


def from_data():
    """x of q_data and z of q(z|x), at the points."""
    points = sigma_points(DIM + LATENT)
    x = MEAN + points[:, :DIM] @ ROOT.T
    return x, x @ A.T + C + points[:, DIM:] * np.sqrt(V)


def from_model():
    """z of the prior and x of p(x|z), at the points."""
    points = sigma_points(DIM + LATENT)
    z = points[:, :LATENT]
    return z @ W.T + B + SIGMA * points[:, LATENT:], z


def energy(x):
    """U of π, whose log Z is `LOG_Z`."""
    return tensor(np.sum(((x - ENERGY_MEAN) @ ENERGY_ROOT) ** 2, axis=1) / 2)


def joint(first, linear, shift, noise):
    """Mean and covariance of (a, b), with a ~ `first` and b = linear a + shift + N(0, noise)."""
    mean, covariance = first
    cross = linear @ covariance
    below = linear @ covariance @ linear.T + noise
    return np.concatenate([mean, linear @ mean + shift]), np.block(
        [[covariance, cross.T], [cross, below]]
    )


def swapped(gaussian):
    """(z, x) as (x, z)."""
    order = [*range(LATENT, LATENT + DIM), *range(LATENT)]
    return gaussian[0][order], gaussian[1][np.ix_(order, order)]


DATA = (MEAN, ROOT @ ROOT.T)
PRIOR = (np.zeros(LATENT), np.eye(LATENT))
PI_X = (ENERGY_MEAN, np.linalg.inv(ENERGY_ROOT @ ENERGY_ROOT.T))
Q = joint(DATA, A, C, np.diag(V))
P = swapped(joint(PRIOR, W, B, SIGMA**2 * np.eye(DIM)))
PI = joint(PI_X, A, C, np.diag(V))


def entropy(gaussian):
    """Of N(mean, covariance), in nats."""
    return np.linalg.slogdet(2 * np.pi * np.e * gaussian[1])[1] / 2


def kl(a, b):
    """KL(a‖b) of two Gaussians."""
    inverse, shift = np.linalg.inv(b[1]), b[0] - a[0]
    quadratic = np.trace(inverse @ a[1]) + shift @ inverse @ shift - len(shift)
    return (quadratic + np.linalg.slogdet(b[1])[1] - np.linalg.slogdet(a[1])[1]) / 2


LOG_Z = np.linalg.slogdet(2 * np.pi * PI_X[1])[1] / 2
NOISE_ENTROPY = DIM * np.log(2 * np.pi * np.e * SIGMA**2) / 2


def q_p():
    """kl_q_p at the points of Q."""
    x, z = from_data()
    return losses.kl_q_p(tensor(x, True), tensor(z @ W.T + B, True), *encoded(x), SIGMA)


def test_kl_q_p_is_the_divergence_plus_the_datas_entropy():
    np.testing.assert_allclose(q_p(), kl(Q, P) + entropy(DATA), rtol=1e-5)


def test_kl_p_q_is_the_divergence_up_to_terms_without_q():
    """KL(P‖Q) = -H(P) - E log q_data - E log q(z|x)."""
    x, z = from_model()
    marginal = (P[0][:DIM], P[1][:DIM, :DIM])
    cross = kl(marginal, DATA) + entropy(marginal)
    np.testing.assert_allclose(
        losses.kl_p_q(tensor(z), *encoded(x)), kl(P, Q) + entropy(P) - cross, rtol=1e-5
    )


def test_kl_p_pi_is_the_divergence_up_to_the_partition_function_and_the_models_entropies():
    x, z = from_model()
    expected = kl(P, PI) - LOG_Z + entropy(PRIOR) + NOISE_ENTROPY
    np.testing.assert_allclose(
        losses.kl_p_pi(energy(x), tensor(z), *encoded(x)), expected, rtol=1e-5
    )


def test_kl_q_pi_is_the_divergence_up_to_the_partition_function_and_the_datas_entropy():
    x, _ = from_data()
    np.testing.assert_allclose(
        losses.kl_q_pi(energy(x)), kl(Q, PI) - LOG_Z + entropy(DATA), rtol=1e-5
    )


def test_of_the_triangle_only_the_models_own_entropies_are_left_out():
    """D = KL(Q‖P) + KL(P‖Π) - KL(Q‖Π): the data's entropy and log Z cancel."""
    x, z = from_model()
    d = (
        q_p()
        + losses.kl_p_pi(energy(x), tensor(z), *encoded(x))
        - losses.kl_q_pi(energy(from_data()[0]))
    )
    expected = kl(Q, P) + kl(P, PI) - kl(Q, PI) + entropy(PRIOR) + NOISE_ENTROPY
    np.testing.assert_allclose(d, expected, rtol=1e-5)


def test_kl_q_p_bounds_the_cross_entropy_and_meets_it_at_the_true_posterior():
    """Equation 19: KL(Q‖P) = KL(q_data‖p) + the posterior gap, zero for q(z|x) = p(z|x)."""
    precision = W.T @ W / SIGMA**2 + np.eye(LATENT)
    covariance = np.linalg.inv(precision)
    turn = np.linalg.eigh(covariance)[1]  # latents in which the posterior's covariance is diagonal
    points = sigma_points(DIM + LATENT)
    x = MEAN + points[:, :DIM] @ ROOT.T
    mean = (x - B) @ W @ covariance / SIGMA**2 @ turn
    variances = np.diag(turn.T @ covariance @ turn)
    z = mean + points[:, DIM:] * np.sqrt(variances)
    log_var = np.broadcast_to(np.log(variances), mean.shape)
    found = losses.kl_q_p(
        tensor(x, True), tensor(z @ (W @ turn).T + B, True), tensor(mean), tensor(log_var), SIGMA
    )
    marginal = (P[0][:DIM], P[1][:DIM, :DIM])
    cross = kl(DATA, marginal) + entropy(DATA)
    np.testing.assert_allclose(found, cross, rtol=1e-5)
    assert q_p() > cross + 0.1


# masks, penalties, errors


def test_a_masked_kl_q_p_is_that_of_the_known_pixels_alone():
    """Whatever stands at the others, and with the constant of as many pixels as are known."""
    image, decoded = (random.normal((3, 4, 4, 2), random.root(seed)) for seed in (0, 1))
    mean, log_var = (random.normal((3, 2), random.root(seed)) for seed in (2, 3))
    mask = tf.concat([tf.ones([3, 3, 4, 1]), tf.zeros([3, 1, 4, 1])], axis=1)
    found = losses.kl_q_p(image, decoded, mean, log_var, SIGMA, mask)
    np.testing.assert_allclose(
        found, losses.kl_q_p(image[:, :3], decoded[:, :3], mean, log_var, SIGMA), rtol=1e-5
    )
    other = losses.kl_q_p(image + 9 * (1 - mask), decoded, mean, log_var, SIGMA, mask)
    np.testing.assert_array_equal(found, other)
    whole = losses.kl_q_p(image, decoded, mean, log_var, SIGMA, tf.ones_like(mask))
    np.testing.assert_allclose(
        whole, losses.kl_q_p(image, decoded, mean, log_var, SIGMA), rtol=1e-6
    )


def test_missing_pixels_pull_at_no_gradient():
    image, decoded = random.normal((1, 4, 4, 2), random.root(0)), tf.zeros([1, 4, 4, 2])
    mask = tf.cast(random.uniform((1, 4, 4, 1), random.root(1)) < 0.5, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(decoded)
        loss = losses.kl_q_p(image, decoded, tf.zeros([1, 2]), tf.zeros([1, 2]), SIGMA, mask)
    np.testing.assert_allclose(tape.gradient(loss, decoded), -mask * image / SIGMA**2, rtol=1e-5)


def test_the_gradient_penalty_is_half_the_mean_squared_slope():
    """U = a.x has |a|² / 2; U = 2 |x|² has 8 |x|² each."""
    a, x = (random.normal((3, 2, 2, 1), random.root(seed)) for seed in (0, 1))
    _, gradient = energies.value_and_grad(lambda x: tf.reduce_sum(a[:1] * x, axis=[1, 2, 3]), x)
    np.testing.assert_allclose(losses.gradient_penalty(gradient), np.sum(a[0] ** 2) / 2, rtol=1e-5)
    _, gradient = energies.value_and_grad(lambda x: 2 * tf.reduce_sum(x**2, axis=[1, 2, 3]), x)
    np.testing.assert_allclose(losses.gradient_penalty(gradient), 8 * np.sum(x**2) / 3, rtol=1e-5)


def test_the_interpolated_penalty_of_a_linear_critic_is_its_slope_less_1_squared():
    """D = a.x has slope |a| everywhere; the gradient in a is 2 (|a| - 1) a / |a|."""
    real, fake = (random.normal((5, 2, 2, 1), random.root(seed)) for seed in (0, 1))
    a = tf.Variable(random.normal((1, 2, 2, 1), random.root(2)))
    with tf.GradientTape() as tape:
        found = losses.interpolated_gradient_penalty(
            lambda x: tf.reduce_sum(a * x, axis=[1, 2, 3]), real, fake, random.root(3)
        )
    slope = np.linalg.norm(a)
    np.testing.assert_allclose(found, (slope - 1) ** 2, rtol=1e-5)
    np.testing.assert_allclose(tape.gradient(found, a), 2 * (slope - 1) * a / slope, rtol=1e-4)


def test_the_interpolated_penalty_is_taken_uniformly_between_the_images_of_a_pair():
    """D = |x|² / 2 between 0 and a fake of norm r has slope u r, with u uniform.

    E (u r - 1)² = r²/3 - r + 1, here 1/3 at r = 2, where the summand's deviation is 0.298. Of
    40,000 pairs the mean has a standard error of 0.0015; at 5 of these the test fails with 6e-7.
    """
    fake = tf.ones([40_000, 2, 2, 1])  # of norm 2
    found = losses.interpolated_gradient_penalty(
        lambda x: tf.reduce_sum(x**2, axis=[1, 2, 3]) / 2, tf.zeros_like(fake), fake, random.root(0)
    )
    assert abs(float(found) - 1 / 3) < 5 * 0.0015


def test_the_interpolated_penalty_of_a_flat_critic_is_1_with_a_finite_gradient():
    weight = tf.Variable(0.0)
    images = tf.ones([3, 2, 2, 1])
    with tf.GradientTape() as tape:
        found = losses.interpolated_gradient_penalty(
            lambda x: weight * tf.reduce_sum(x, axis=[1, 2, 3]), images, 2 * images, random.root(0)
        )
    np.testing.assert_allclose(found, 1.0, rtol=1e-5)
    assert np.isfinite(tape.gradient(found, weight))


def test_the_mean_squared_error_is_over_the_pixels_that_count():
    image, decoded = (random.normal((3, 4, 4, 2), random.root(seed)) for seed in (0, 1))
    np.testing.assert_allclose(
        losses.mean_squared_error(image, decoded), np.mean((image - decoded) ** 2), rtol=1e-5
    )
    mask = tf.cast(random.uniform((3, 4, 4, 1), random.root(2)) < 0.5, tf.float32)
    known = np.broadcast_to(mask == 1, image.shape)
    expected = np.mean((image - decoded).numpy()[known] ** 2)
    np.testing.assert_allclose(losses.mean_squared_error(image, decoded, mask), expected, rtol=1e-5)
    np.testing.assert_array_equal(
        losses.mean_squared_error(image, decoded, mask),
        losses.mean_squared_error(image + 5 * (1 - mask), decoded, mask),
    )
