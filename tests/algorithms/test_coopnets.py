"""Cooperative learning on linear nets: the revision, and what each net learns from it."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import linear_gaussian as lg
from support.linear_gaussian import agree, build, change, draws, flat, pictures, slope, weights

from tfgen import energies, random
from tfgen.algorithms.coopnets import CoopNets
from tfgen.errors import UserError
from tfgen.samplers import run

SEED = random.root(5)
ROLES = ("energy", "generator")
SIGMA, T = 0.4, 0.7


def coopnets(rate=1.0, **options):
    """Returns cooperative nets that are linear, with a few large steps."""
    options = {"langevin_steps": 3, "step_size": 0.2, "inference_steps": 10} | options
    return build(CoopNets, ROLES, rate, sigma=SIGMA, temperature=T, **options)


def revision(algorithm, seed=SEED):
    """Returns the drafts' latents and the revised drafts, by the sampler alone."""
    prior, revising, _ = random.split(seed, 3)
    z = draws(8, 3, prior)
    draft = algorithm.model.generator(tf.constant(z, tf.float32))
    energy = energies.frozen(algorithm.model.energy_net)
    revised, _ = run(algorithm.kernel, lambda x: energy(x) / T, draft, revising, 3)
    return z, draft, revised


def posterior_energy(w, z, x):
    """Computes -log p(z, x), averaged, up to a constant."""
    squares = ((x - z @ w["A"]) ** 2).sum(axis=1) / SIGMA**2
    return (squares + (z**2).sum(axis=1)).mean() / 2


def test_both_nets_learn_from_revised_drafts():
    """The energy by data minus revised drafts, the generator by regression on its own latents."""
    algorithm, batch = coopnets(), pictures()
    z, draft, revised = revision(algorithm)
    w, x, y = weights(algorithm), flat(batch["image"]), flat(revised)

    def gap(v):
        return (lg.energy(v, x).mean() - lg.energy(v, y).mean()) / T

    expected = {"S": -slope(gap, w, ["S"])["S"]}
    expected["A"] = -slope(lambda v: posterior_energy(v, z, y), w, ["A"])["A"]
    found, logs = change(algorithm, batch, SEED)
    agree(found, expected)
    assert float(logs["energy_gap"]) == pytest.approx(gap(w), rel=1e-4)
    assert float(logs["generator_loss"]) == pytest.approx(posterior_energy(w, z, y), rel=1e-4)
    assert float(logs["revision"]) == pytest.approx(np.mean((y - flat(draft)) ** 2), rel=1e-4)


def test_latents_may_follow_the_posterior_of_the_revised_drafts():
    algorithm, batch = coopnets(latent_steps=4, latent_step_size=0.3), pictures()
    start, _, revised = revision(algorithm)
    decode = algorithm.model.generator
    energy = energies.posterior(decode, revised, SIGMA)
    inferring = random.split(SEED, 3)[2]
    z, _ = run(algorithm.latent_kernel, energy, tf.constant(start, tf.float32), inferring, 4)
    w, z = weights(algorithm), z.numpy().astype(np.float64)
    assert np.abs(z - start).max() > 0.1
    found, _ = change(algorithm, batch, SEED)
    expected = slope(lambda v: posterior_energy(v, z, flat(revised)), w, ["A"])["A"]
    agree(found, {"A": -expected})


def test_revision_lowers_the_energy_of_drafts():
    """Without noise to speak of, and U convex: every step descends."""
    algorithm = coopnets(rate=0.0, step_size=0.02, langevin_steps=50)
    s = np.eye(lg.DIM)
    algorithm.nets["energy"].named["S"].assign(s)
    _, draft, _ = revision(algorithm)
    _, logs = change(algorithm, pictures(), SEED)
    before = lg.energy({"S": s}, flat(draft)).mean() / T
    assert float(logs["energy_samples"]) < before
    assert float(logs["revision"]) > 0


def test_a_data_density_that_the_energy_has_already_leaves_it_where_it_is():
    """Drafts from N(0, S⁻¹ T) stay there, so that the mean gradient is that of equal moments.

    8,000 images: an entry of the gradient, in units of the variance, has a standard error of 0.011
    at most. The tolerance is nine of these. Steps of a twentieth of the deviation have no bias to
    speak of.
    """
    count, variance = 8000, 0.01
    algorithm = coopnets(step_size=0.005, langevin_steps=10)
    algorithm.nets["energy"].named["S"].assign(np.eye(lg.DIM) * T / variance)
    a = np.eye(3, lg.DIM) * variance**0.5
    algorithm.nets["generator"].named["A"].assign(a)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(count, 3)) @ a
    batch = {"image": tf.constant(x.reshape(-1, *lg.SHAPE), tf.float32), "index": tf.range(count)}
    found, _ = change(algorithm, batch, SEED)
    moved = found["S"][:3, :3] * T / variance
    assert np.abs(moved).max() < 0.1


def test_new_images_are_inferred_and_reconstructed_by_the_posterior():
    algorithm = coopnets(rate=0.0, inference_steps=300, latent_step_size=0.2)
    x = pictures()["image"]
    a = weights(algorithm)["A"]
    best = flat(x) @ a.T @ np.linalg.inv(a @ a.T + SIGMA**2 * np.eye(3))
    np.testing.assert_allclose(algorithm.model.encode(x), best, atol=1e-3)
    assert {"reconstruct", "complete", "energy"} <= algorithm.model.capabilities()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("langevin_steps", 0),
        ("step_size", 0.0),
        ("latent_steps", -1),
        ("latent_step_size", 0.0),
        ("inference_steps", 0),
        ("completion_rounds", 0),
    ],
)
def test_a_constant_out_of_its_range_is_named(option, value):
    with pytest.raises(UserError, match=option):
        coopnets(**{option: value})


def test_a_shorter_step_after_a_roll_back_revises_less():
    """A guard halves the step size of both samplers."""
    found = []
    for factor in (1.0, 0.1):
        algorithm = coopnets(rate=0.0)
        algorithm.compile({role: keras.optimizers.SGD(0.0) for role in ROLES})
        algorithm.retry(1, factor)
        found.append(float(algorithm.update(pictures(), SEED)["revision"]))
    assert found[1] < 0.1 * found[0]
