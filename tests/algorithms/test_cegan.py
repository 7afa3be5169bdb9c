"""Calibrated energy-based GANs on linear nets: both steps, beside the triangle's sides."""

import numpy as np
import pytest
from support import linear_gaussian as lg
from support.linear_gaussian import agree, build, change, draws, flat, pictures, slope, weights

from tfgen import random
from tfgen.algorithms.acd import ACD
from tfgen.algorithms.cegan import CEGAN, ROLES
from tfgen.errors import UserError

SEED = random.root(5)
RATE, W = 0.1, 0.3


def cegan(rate=RATE, **options):
    """Returns a calibrated energy-based GAN of linear nets."""
    return build(CEGAN, ROLES, rate, **{"entropy_weight": W} | options)


@pytest.mark.parametrize("decay", [0.0, 0.2])
def test_the_energy_steps_first_and_the_others_meet_the_new_one(decay):
    algorithm, batch = cegan(energy_decay=decay), pictures()
    w, x, z = weights(algorithm), flat(batch["image"]), draws(8, 3, SEED)

    def scoring(v):
        data, samples = lg.energy(v, x), lg.energy(v, z @ v["A"])
        squares = (data**2).mean() + (samples**2).mean()
        return data.mean() - samples.mean() + decay * squares

    def generating(v):
        dreamt = z @ v["A"]
        return lg.energy(v, dreamt).mean() + W * lg.latent_nll(v, z, dreamt).mean()

    expected = slope(scoring, w, ["S"])
    stepped = w | {"S": w["S"] - RATE * expected["S"]}
    expected |= slope(generating, stepped, ["A", "B", "c"])
    found, logs = change(algorithm, batch, SEED)
    agree(found, {name: -RATE * g for name, g in expected.items()})
    gap = (lg.energy(w, x).mean() - lg.energy(w, z @ w["A"]).mean()) / W
    assert float(logs["energy_gap"]) == pytest.approx(gap, rel=1e-4)
    nll = lg.latent_nll(w, z, z @ w["A"]).mean() + 3 * np.log(2 * np.pi) / 2
    assert float(logs["latent_nll"]) == pytest.approx(nll, rel=1e-4)


def test_without_its_regularizer_it_is_the_triangles_adversarial_sides_in_turn():
    """Of ACD at temperature w, all gradients are 1/w as large; nets move one after the other."""
    sides = build(ACD, ROLES, 1e-3, temperature=W)
    found, _ = change(cegan(1e-3, energy_decay=0.0), pictures(), SEED)
    expected, _ = change(sides, pictures(), SEED)
    # the order matters to the second order of the rate
    agree(found, {name: W * value for name, value in expected.items()}, tolerance=2e-2)


def test_its_density_is_at_the_entropys_weight():
    """The solution is U = -w log p + constant, so that U / w is -log p."""
    model, x = cegan().model, pictures()["image"]
    np.testing.assert_allclose(model.energy(x) * W, model.energy_net(x), rtol=1e-5)


@pytest.mark.parametrize(
    ("option", "value"),
    [("entropy_weight", 0.0), ("energy_decay", -0.1), ("step_size", 0.0), ("sample_steps", -1)],
)
def test_a_constant_out_of_its_range_is_named(option, value):
    with pytest.raises(UserError, match=option):
        cegan(**{option: value})
