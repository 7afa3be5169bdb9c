"""VAE, wake-sleep, ACD and alternating back-propagation on linear nets.

Their steps and optima have closed forms. The first three are sides of the divergence triangle.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import linear_gaussian as lg
from support.linear_gaussian import agree, build, change, draws, flat, pictures, slope, weights

from tfgen import energies, random
from tfgen.algorithms.abp import ABP
from tfgen.algorithms.acd import ACD
from tfgen.algorithms.divergence_triangle import ROLES, DivergenceTriangle
from tfgen.algorithms.vae import VAE
from tfgen.algorithms.wake_sleep import WakeSleep
from tfgen.errors import UserError
from tfgen.samplers import run

SEED = random.root(5)
ROLES_OF = {
    VAE: ("generator", "inference"),
    WakeSleep: ("generator", "inference"),
    ACD: ROLES,
    ABP: ("generator",),
}
INCOMPLETE = [VAE, WakeSleep, ABP]


def algorithm_of(cls, rate=1.0, **options):
    """Returns an algorithm on linear nets."""
    if cls is ABP:
        options = {"train_size": 20, "inference_steps": 10} | options
    return build(cls, ROLES_OF[cls], rate, **options)


def triangle(**options):
    """Returns the whole triangle, whose nets move at once."""
    return build(DivergenceTriangle, ROLES, preset="paper", sigma=0.4, temperature=0.7, **options)


# sides of the triangle


def test_a_vae_is_the_triangle_without_its_adversarial_side():
    side, _ = change(triangle(adversarial_weight=1e-12), pictures(), SEED)
    found, logs = change(algorithm_of(VAE, sigma=0.4), pictures(), random.split(SEED)[1])
    agree(found, {name: side[name] for name in found})
    assert np.abs(side["S"]).max() < 1e-6
    noise = draws(8, 3, random.split(SEED)[1])
    w, x = weights(algorithm_of(VAE)), flat(pictures()["image"])
    assert float(logs["kl_q_p"]) == pytest.approx(lg.kl_q_p(w, x, noise, 0.4), rel=1e-5)
    assert float(logs["kl_to_prior"]) == pytest.approx(
        lg.kl_to_prior(w, x).sum(axis=1).mean(), rel=1e-5
    )
    assert float(logs["reconstruction_error"]) == pytest.approx(
        np.mean((x - lg.decoded(w, x, noise)) ** 2), rel=1e-5
    )


def test_acd_is_the_triangle_without_the_variational_side():
    side, _ = change(triangle(variational_weight=1e-12), pictures(), SEED)
    found, logs = change(algorithm_of(ACD, temperature=0.7), pictures(), random.split(SEED)[0])
    agree(found, side)
    w, x, z = (
        weights(algorithm_of(ACD)),
        flat(pictures()["image"]),
        draws(8, 3, random.split(SEED)[0]),
    )
    total = float(logs["latent_nll"]) - float(logs["energy_gap"])
    assert total == pytest.approx(lg.adversarial(w, x, z, 0.7), rel=1e-4)


def test_wake_sleep_learns_theta_from_data_and_phi_from_noisy_dreams():
    """θ descends KL(Q‖P), then φ descends -log q(z|x) at x = g(z) + σ noise of the new g."""
    rate, sigma = 0.1, 0.4
    posterior, prior, noise = random.split(SEED, 3)
    eps, z, shot = draws(8, 3, posterior), draws(8, 3, prior), random.normal((8, *lg.SHAPE), noise)
    algorithm, batch = algorithm_of(WakeSleep, rate, sigma=sigma), pictures()
    w, x = weights(algorithm), flat(batch["image"])
    wake = slope(lambda v: lg.kl_q_p(v, x, eps, sigma), w, ["A"])
    dream = z @ (w["A"] - rate * wake["A"]) + sigma * flat(shot)
    sleep = slope(lambda v: lg.latent_nll(v, z, dream).mean(), w, ["B", "c"])
    found, logs = change(algorithm, batch, SEED)
    agree(found, {name: -rate * g for name, g in (wake | sleep).items()})
    assert float(logs["kl_q_p"]) == pytest.approx(lg.kl_q_p(w, x, eps, sigma), rel=1e-5)
    expected = lg.latent_nll(w, z, dream).mean() + 3 * np.log(2 * np.pi) / 2
    assert float(logs["latent_nll"]) == pytest.approx(expected, rel=1e-4)


def test_in_wake_sleep_data_never_move_phi_nor_dreams_theta():
    """The data change nothing while the generator stands still.

    θ steps as in a VAE, which never dreams.
    """
    still = {"generator": 0.0}
    found, other = (
        change(algorithm_of(WakeSleep, still), pictures(seed=s), SEED)[0] for s in (1, 2)
    )
    assert np.array_equal(found["B"], other["B"])
    assert np.array_equal(found["c"], other["c"])
    assert found["B"].any()
    awake, _ = change(algorithm_of(WakeSleep, sigma=0.4), pictures(), SEED)
    vae, _ = change(algorithm_of(VAE, sigma=0.4), pictures(), random.split(SEED, 3)[0])
    agree(awake, {"A": vae["A"]})


def test_a_vae_on_gaussian_data_reaches_the_best_evidence_lower_bound():
    """Probabilistic PCA: the bound is tight where the two latents lie on principal axes.

    With λ the data's second moments, the least -log p(x) is half of Σ log 2πλ + 1 over the two
    largest, and log 2πσ² + λ/σ² over the rest. 500 steps of Adam leave 0.02 nats of the way to the
    axes.
    """
    rng, sigma = np.random.default_rng(0), 0.3
    x = (
        rng.normal(size=(500, lg.DIM))
        * [1.0, 0.7, 0.2, 0.1]
        @ np.linalg.qr(rng.normal(size=(lg.DIM, lg.DIM)))[0]
    )
    algorithm = algorithm_of(VAE, latent_dim=2, sigma=sigma)
    algorithm.compile({role: keras.optimizers.Adam(0.05) for role in ROLES_OF[VAE]})
    λ = np.sort(np.linalg.eigvalsh(x.T @ x / len(x)))[::-1]
    best = (np.log(2 * np.pi * λ[:2]) + 1).sum() / 2 + (
        np.log(2 * np.pi * sigma**2) + λ[2:] / sigma**2
    ).sum() / 2
    assert lg.expected_kl_q_p(weights(algorithm), x, sigma) > best + 1
    update = tf.function(algorithm.update, autograph=False)
    batch = {"image": tf.constant(x.reshape(-1, *lg.SHAPE), tf.float32), "index": tf.range(500)}
    for step in range(500):
        if step == 400:
            for optimizer in algorithm.optimizers.values():
                optimizer.learning_rate = 0.003
        update(batch, random.root(step))
    found = lg.expected_kl_q_p(weights(algorithm), x, sigma)
    assert best - 1e-4 < found < best + 0.02


# alternating back-propagation


def test_abp_warm_starts_each_image_where_its_latents_were_left():
    """Two visits of five steps are one chain, step by step; other images' latents stay."""
    algorithm = algorithm_of(ABP, 0.0, langevin_steps=5, sigma=0.4)
    batch = pictures() | {"index": tf.constant([3, 1, 4, 15, 9, 2, 6, 5])}
    rows = algorithm.latents.rows.numpy()
    assert np.array_equal(rows, random.normal((20, 3), random.root(0)))
    energy = energies.posterior(energies.frozen(algorithm.model.generator), batch["image"], 0.4)
    z = tf.gather(rows, batch["index"])
    for step in range(2):
        algorithm.update(batch, random.root(step))
        z, _ = run(algorithm.kernel, energy, z, random.root(step), 5)
    after = algorithm.latents.rows.numpy()
    np.testing.assert_allclose(after[batch["index"]], z, atol=1e-6)
    untouched = np.setdiff1d(np.arange(20), batch["index"])
    assert np.array_equal(after[untouched], rows[untouched])


@pytest.mark.parametrize("hidden", [None, 0])
def test_abp_descends_the_posterior_energy_at_the_latents_it_sampled(hidden):
    """θ ascends log p(x, z) at the new z, of the known pixels alone."""
    sigma = 0.4
    algorithm, batch = (
        algorithm_of(ABP, langevin_steps=3, sigma=sigma, num_incomplete=20),
        pictures(hidden=hidden),
    )
    w, x, mask = (
        weights(algorithm),
        flat(batch["image"]),
        flat(batch.get("mask", tf.ones([8, *lg.SHAPE]))),
    )
    found, logs = change(algorithm, batch, SEED)
    z = algorithm.latents.rows.numpy()[:8].astype(np.float64)

    def energy(v):
        squares = (mask * (x - z @ v["A"]) ** 2).sum(axis=1)
        return (squares / sigma**2 + (z**2).sum(axis=1)).mean() / 2

    agree(found, {"A": -slope(energy, w, ["A"])["A"]})
    assert float(logs["posterior_energy"]) == pytest.approx(energy(w), rel=1e-5)


def test_latents_that_abp_goes_on_with_follow_the_posterior():
    """4,000 images alike, 12 visits of 20 steps: the mean is p(z|x)'s to 5 standard errors.

    Langevin's mean has no bias on a Gaussian, whose covariance (1 + A A'/σ²)⁻¹ gives the errors.
    One of three numbers is off by chance in 1 of 600,000 runs. Less than 1e-4 of the start is left.
    """
    sigma, count = 1.0, 4000
    algorithm = algorithm_of(
        ABP, 0.0, langevin_steps=20, step_size=0.4, sigma=sigma, train_size=count
    )
    x = tf.repeat(pictures(1)["image"], count, 0)
    update = tf.function(algorithm.update, autograph=False)
    for step in range(12):
        update({"image": x, "index": tf.range(count)}, random.root(step))
    a = weights(algorithm)["A"]
    covariance = np.linalg.inv(np.eye(3) + a @ a.T / sigma**2)
    mean = flat(x[:1])[0] @ a.T @ covariance / sigma**2
    z = algorithm.latents.rows.numpy()
    error = np.sqrt(np.diag(covariance) / count)
    assert (np.abs(z.mean(axis=0) - mean) < 5 * error).all()
    assert (np.abs(mean) > 10 * error).any()  # the prior's mean, zero, would be seen to be wrong
    np.testing.assert_allclose(np.cov(z.T), covariance, atol=0.1)


# all of them


@pytest.mark.parametrize("cls", INCOMPLETE)
def test_what_stands_in_for_missing_pixels_changes_and_known_pixels_never_do(cls):
    algorithm, batch = algorithm_of(cls, 0.01, num_incomplete=20), pictures(hidden=0)
    batch["index"] += 7
    known = flat(batch["mask"]) == 1
    seen = [flat(algorithm.missing.fill(batch))]
    for step in range(2):
        algorithm.update(batch, random.root(step))
        seen.append(flat(algorithm.missing.fill(batch)))
    for image in seen:
        assert np.array_equal(image[known], flat(batch["image"])[known])
    assert not seen[0][~known].any()
    assert (seen[1][~known] != 0).all()
    assert (seen[2][~known] != seen[1][~known]).all()
    assert not np.delete(algorithm.missing.rows.numpy(), batch["index"], axis=0).any()


@pytest.mark.parametrize("cls", [VAE, WakeSleep])
def test_missing_pixels_do_not_count_for_the_likelihood(cls):
    """θ follows the known pixels' squares.

    Latents are inferred from images with zeros at the missing pixels.
    """
    algorithm, batch = algorithm_of(cls, num_incomplete=20, sigma=0.4), pictures(hidden=1)
    eps = draws(8, 3, SEED if cls is VAE else random.split(SEED, 3)[0])
    w, x, mask = weights(algorithm), flat(batch["image"]), flat(batch["mask"])
    expected = slope(lambda v: lg.kl_q_p(v, x, eps, 0.4, mask), w, ["A"])["A"]
    found, _ = change(algorithm, batch, SEED)
    agree(found, {"A": -expected})


@pytest.mark.parametrize(
    ("cls", "option", "value"),
    [
        (VAE, "sigma", 0.0),
        (VAE, "sigma", float("nan")),
        (VAE, "completion_rounds", 0),
        (WakeSleep, "sigma", -1.0),
        (WakeSleep, "completion_rounds", 0),
        (ACD, "temperature", 0.0),
        (ACD, "step_size", 0.0),
        (ACD, "sample_steps", -1),
        (ACD, "completion_rounds", 0),
        (ABP, "sigma", 0.0),
        (ABP, "step_size", -0.1),
        (ABP, "langevin_steps", 0),
        (ABP, "inference_steps", 0),
        (ABP, "completion_rounds", 0),
    ],
)
def test_a_constant_out_of_its_range_is_named(cls, option, value):
    with pytest.raises(UserError, match=option):
        algorithm_of(cls, **{option: value})


@pytest.mark.parametrize("cls", [VAE, WakeSleep, ACD, DivergenceTriangle])
def test_nets_whose_latents_differ_are_refused(cls):
    roles = ROLES_OF.get(cls, ROLES)
    built = lg.nets(3) | {"inference": lg.nets(4)["inference"]}
    with pytest.raises(UserError, match=r"latent_dim.*\(3,\) and found \(4,\)"):
        cls(*(built[role] for role in roles), image_shape=lg.SHAPE)
