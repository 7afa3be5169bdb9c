"""Lines through costs: the exponent that was put in comes out, with the sizes asked for; where memory ends."""

import imageio.v3 as iio
import pytest
from support import command_line

from benchmarks.speed import growth, machine


def made(asked, values) -> list[growth.Point]:
    """A machine of known costs: 0.01 seconds a step, chain and filter, square in width; 300 MiB and 1 KiB a pixel."""
    points = []
    for size in asked:
        pixels = size["chains"] * size["replicas"] * size["side"] ** 2
        seconds = 1e-6 * size["steps"] * pixels * size["width"] ** 2
        # one slow round in three, which a median does not see
        points.append(
            growth.Point(dict(size), [seconds, 9 * seconds, seconds], 300 + pixels / 1024)
        )
    return points


@pytest.fixture
def page(monkeypatch, tmp_path) -> str:
    """What the command writes of that machine."""
    monkeypatch.setattr(growth, "measured", made)
    monkeypatch.setattr(machine, "memory", lambda: 300 + 10 * 224**2 / 1024)
    command_line.start(
        "benchmarks.speed.growth",
        f"--picture={tmp_path / 'docs' / 'g.png'}",
        f"--page={tmp_path / 'benchmarks' / 'r.md'}",
    )
    return (tmp_path / "benchmarks" / "r.md").read_text()


def test_exponents_and_constants_are_those_put_in(page):
    constant = 1e-6 * 4 * 64**2 * 0.5**2
    assert f"| Langevin steps | 10, 20, 40, 80 | {10 * constant:.3g}, " in page
    assert f" | {constant:.2g} | 1.00 ± 0.00 |" in page
    rows = [
        line.split("|")[-2].strip()
        for line in page.splitlines()
        if "±" in line and line.startswith("|")
    ]
    assert rows == ["1.00 ± 0.00", "1.00 ± 0.00", "1.00 ± 0.00", "2.00 ± 0.00", "1.00 ± 0.00"]


def test_pixels_are_the_squares_of_sides(page):
    assert "| pixels | 4096, 9216, 16384, 36864 |" in page


def test_memory_ends_where_the_machines_does(page):
    assert "Peak memory is 300 MiB and 977 ± 0 MiB for each million pixels" in page
    assert "Extrapolated, not measured: this machine's 1 GiB end at 10 chains of 224x224x3." in page


def test_the_lines_are_drawn_where_the_page_says(page, tmp_path):
    assert "![](../docs/g.png)" in page
    height, width, _ = iio.imread(tmp_path / "docs" / "g.png").shape
    assert width > 4 * height


def test_memory_that_was_not_looked_at_is_not_said():
    assert growth.memory_lines({"width": []}) == []


def test_an_unknown_sweep_is_refused():
    assert "--sweeps: expected some of" in command_line.mistake(
        "benchmarks.speed.growth", "--sweeps=depth"
    )


@pytest.mark.slow
def test_sizes_run_alone_and_on_two_replicas():
    values = command_line.values(
        "benchmarks.speed.growth",
        "--rounds=1",
        "--steps=1",
        "--chains=1",
        "--side=24",
        "--width=0.04",
    )
    found = growth.measured(growth.sizes("replicas", values)[:2], values)
    assert [point.size["replicas"] for point in found] == [1, 2]
    assert all(point.peak > 100 and point.seconds[0] > 0 for point in found)
