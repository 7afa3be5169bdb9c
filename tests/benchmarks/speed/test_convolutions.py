"""The table of convolutions: which layers, their operations, their share of the matrix product."""

import pytest

from benchmarks.speed import convolutions, rates


def test_every_layer_below_the_tops_is_a_case():
    found = convolutions.cases()
    assert len(found) == 3 + 3 + 2 + 4
    assert found["texture/2"][1] == (2, 72, 72, 100)
    assert found["triangle_mnist/2"][1] == (100, 14, 14, 64)


def test_a_row_counts_value_and_gradient_and_takes_shares_within_a_round(monkeypatch):
    """A product of 100 GFLOP/s, a direct convolution of 50, then a slow round for both."""
    conv, shape = convolutions.cases()["texture/2"]
    operations = 2 * 2 * 2 * 72 * 72 * 25 * 100 * 64
    product, direct = rates.PRODUCT_OPERATIONS / 100e9, convolutions.STEPS * operations / 50e9
    seconds = {
        "product": [product, 2 * product],
        "direct": [direct, 2 * direct],
        "toom_cook": [direct, 2 * direct],
    }
    monkeypatch.setattr(
        convolutions.rates, "interleaved", lambda runs, rounds, clock: (seconds, 0.0)
    )
    monkeypatch.setattr(convolutions, "descent", lambda conv, shape, way: None)
    cells = [
        cell.strip() for cell in convolutions.row("texture/2", conv, shape, 2).split("|")[1:-1]
    ]
    assert cells[:4] == ["texture/2", "64, 5, s1 p2", "2x72x72x100", f"{operations / 1e9:.2f}"]
    milliseconds = 1.5 * 1e3 * operations / 50e9
    assert cells[4:] == [
        f"{milliseconds:.1f} (0.50)",
        "-",
        f"{milliseconds:.1f} (0.50)",
        "toom_cook",
    ]


@pytest.mark.slow
def test_every_way_of_a_layer_runs():
    conv, shape = convolutions.cases()["triangle_mnist/2"]
    for way in convolutions.WAYS:
        convolutions.descent(conv, (16, *shape[1:]), way)()
