"""Updates of the growing triangle are measured by resolution, and costs extrapolated."""

import pytest

from benchmarks.speed import resolutions


@pytest.mark.parametrize("exponent", [1.0, 2.0])
def test_a_power_of_the_side_is_extrapolated(exponent):
    sides = [32, 64, 128]
    found = resolutions.extrapolated(sides, [3 * side**exponent for side in sides])
    assert found == pytest.approx(3 * 1024**exponent)


def test_an_update_is_measured():
    weights, seconds, memory = resolutions.measured(8, 0.02, 2)
    assert weights > 0
    assert seconds > 0
    assert memory >= 0
