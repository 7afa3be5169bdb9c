"""ALI and ALICE on linear nets: gradients of both players, what ALICE adds, refusals."""

import numpy as np
import pytest
from support import linear_gaussian as lg
from support.linear_gaussian import agree, build, change, draws, flat, pictures, slope, weights

from tfgen import random
from tfgen.algorithms.ali import ALI
from tfgen.algorithms.alice import ALICE
from tfgen.errors import UserError

SEED = random.root(5)
ROLES = ("joint_discriminator", "generator", "inference")
SIGMA = 0.4
BOTH = [ALI, ALICE]


def algorithm_of(cls, **options):
    """Returns an algorithm on linear nets."""
    return build(cls, ROLES, **({"sigma": SIGMA} if cls is ALICE else {}) | options)


def log_odds(w, x, z, noise):
    """Computes the log-odds of images with what is inferred, and of latents with their samples."""
    inferred = x @ w["B"] + np.exp(w["c"] / 2) * noise
    return lg.log_odds(w, x, inferred), lg.log_odds(w, z @ w["A"], z)


def softplus(x):
    return np.logaddexp(0, x)


def cross_entropy(w, *drawn):
    """Computes the discriminator's loss."""
    q, p = log_odds(w, *drawn)
    return (softplus(-q).mean() + softplus(p).mean()) / 2


def deceiving(w, *drawn):
    """Computes the loss of both others: the discriminator's, with the labels exchanged."""
    q, p = log_odds(w, *drawn)
    return (softplus(q).mean() + softplus(-p).mean()) / 2


def conditional_nll(w, x, noise):
    """Computes -log p(x|z) under Q."""
    squares = ((x - lg.decoded(w, x, noise)) ** 2).sum(axis=1).mean()
    return squares / (2 * SIGMA**2) + lg.DIM * np.log(2 * np.pi * SIGMA**2) / 2


def drawn():
    """Returns the images, and the latents and noise that an update draws."""
    prior, posterior = random.split(SEED)
    batch = pictures()
    return batch, (flat(batch["image"]), draws(8, 3, prior), draws(8, 3, posterior))


@pytest.mark.parametrize("cls", BOTH)
def test_each_net_descends_its_own_loss_of_the_weights_before_the_update(cls):
    algorithm = algorithm_of(cls)
    w, (batch, given) = weights(algorithm), drawn()

    def objective(v):
        extra = conditional_nll(v, given[0], given[2]) if cls is ALICE else 0.0
        return deceiving(v, *given) + extra

    expected = slope(lambda v: cross_entropy(v, *given), w, ["M", "v"])
    expected |= slope(objective, w, ["A", "B", "c"])
    found, logs = change(algorithm, batch, SEED)
    agree(found, {name: -g for name, g in expected.items()})
    assert float(logs["cross_entropy"]) == pytest.approx(cross_entropy(w, *given), rel=1e-5)
    assert float(logs["generator_loss"]) == pytest.approx(deceiving(w, *given), rel=1e-5)
    if cls is ALICE:
        nll = conditional_nll(w, given[0], given[2])
        assert float(logs["conditional_nll"]) == pytest.approx(nll, rel=1e-5)


def test_at_the_best_discriminator_ali_descends_the_jensen_shannon_divergence():
    """Its value is then 2 ln 2 - 2 JS(Q‖P), of pairs of one image, by quadrature.

    The pairs are (x, z) with x of N(0, 1) and q(z|x) = N(b x, s²) against z of N(0, 1) and p(x|z) =
    N(a z, t²), whose densities are known.
    """
    grid = np.linspace(-8, 8, 321)
    x, z = np.meshgrid(grid, grid, indexing="ij")

    def normal(y, mean, deviation):
        return np.exp(-(((y - mean) / deviation) ** 2) / 2) / (deviation * np.sqrt(2 * np.pi))

    q = normal(x, 0, 1) * normal(z, 0.5 * x, 0.8)
    p = normal(z, 0, 1) * normal(x, 0.9 * z, 0.6)
    cell, odds = (grid[1] - grid[0]) ** 2, np.log(q) - np.log(p)
    loss = cell * (q * softplus(-odds) + p * softplus(odds)).sum() / 2
    mean = (q + p) / 2
    js = cell * (q * np.log(q / mean) + p * np.log(p / mean)).sum() / 2
    assert loss == pytest.approx(np.log(2) - js, rel=1e-6)
    for shift in (-0.1, 0.1):
        worse = cell * (q * softplus(-odds - shift) + p * softplus(odds + shift)).sum() / 2
        assert worse > loss


@pytest.mark.parametrize("cls", BOTH)
def test_a_discriminator_that_cannot_tell_has_a_loss_of_ln_2_and_teaches_nothing(cls):
    algorithm = algorithm_of(cls, **({"sigma": 1e4} if cls is ALICE else {}))
    net = algorithm.nets["joint_discriminator"]
    for weight in net.trainable_variables:
        weight.assign(np.zeros(weight.shape))
    found, logs = change(algorithm, pictures(), SEED)
    assert float(logs["cross_entropy"]) == pytest.approx(np.log(2), rel=1e-6)
    assert max(np.abs(found[name]).max() for name in ("A", "B", "c")) < 1e-6
    assert np.abs(found["M"]).max() > 0.01


def test_they_infer_reconstruct_and_complete():
    for cls in BOTH:
        capabilities = algorithm_of(cls).model.capabilities()
        assert {"generate", "encode", "reconstruct", "complete"} <= capabilities
        assert "energy" not in capabilities


@pytest.mark.parametrize("cls", BOTH)
def test_nets_whose_latents_differ_are_refused(cls):
    built = lg.nets(3) | {"joint_discriminator": lg.nets(4)["joint_discriminator"]}
    with pytest.raises(UserError, match=r"joint_discriminator\.latent_dim.*\(3,\).*\(4,\)"):
        cls(*(built[role] for role in ROLES), image_shape=lg.SHAPE)


@pytest.mark.parametrize(
    ("cls", "option"), [(ALI, "completion_rounds"), (ALICE, "completion_rounds"), (ALICE, "sigma")]
)
def test_a_constant_out_of_its_range_is_named(cls, option):
    with pytest.raises(UserError, match=option):
        algorithm_of(cls, **{option: 0})
