"""Tests of the table of convolutions: its layers, their operations, their shares."""

import keras
import numpy as np
import pytest

from benchmarks.speed import convolutions, rates
from tfgen import random


@pytest.fixture(scope="module")
def cases():
    """Every layer and the shape of what it is called on."""
    keras.utils.set_random_seed(0)
    return convolutions.cases()


def test_every_layer_below_the_tops_is_a_case(cases):
    assert len(cases) == 3 + 3 + 2 + 4
    assert cases["texture/2"][1] == (2, 72, 72, 100)
    assert cases["triangle_mnist/2"][1] == (100, 14, 14, 64)


def test_a_row_counts_value_and_gradient_and_takes_shares_within_a_round(cases, monkeypatch):
    """A convolution reaches 50 GFLOP/s and the product 100; one round is slow for both."""
    conv, shape = cases["texture/2"]
    operations = 2 * 2 * 2 * 72 * 72 * 25 * 100 * 64
    product, direct = rates.PRODUCT_OPERATIONS / 100e9, convolutions.STEPS * operations / 50e9
    seconds = {
        rates.PRODUCT: [product, 2 * product],
        "direct": [direct, 2 * direct],
        "toom_cook": [direct, 2 * direct],
    }
    monkeypatch.setattr(
        convolutions.rates, "interleaved", lambda runs, rounds, clock: (seconds, 0.0)
    )
    monkeypatch.setattr(convolutions, "descent", lambda conv, shape, way: None)
    cells = convolutions.row("texture/2", conv, shape, 2)
    assert cells[:4] == ["texture/2", "64, 5, s1 p2", "2x72x72x100", f"{operations / 1e9:.2f}"]
    measured = f"{1.5 * 1e3 * operations / 50e9:.1f} (0.50)"
    assert cells[4:] == [measured, "-", measured, "toom_cook"]
    assert len(cells) == len(convolutions.COLUMNS)


@pytest.mark.slow
def test_every_implementation_of_a_layer_descends_alike(cases):
    """They move a batch by the same amounts, to a hundredth of these."""
    conv, (_, *shape) = cases["triangle_mnist/2"]
    start = random.normal([16, *shape], random.root(0)).numpy()
    moves = [convolutions.descent(conv, (16, *shape), way)() - start for way in convolutions.WAYS]
    for other in moves[1:]:
        assert np.linalg.norm(other - moves[0]) < 0.01 * np.linalg.norm(moves[0])
