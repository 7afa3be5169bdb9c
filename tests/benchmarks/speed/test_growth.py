"""Tests of the lines through costs: known exponents are found; where memory ends."""

import imageio.v3 as iio
import pytest
from support import command_line

from benchmarks.speed import growth, machine


def made(asked, values) -> list[growth.Point]:
    """Returns the costs of a machine with known laws.

    Seconds are linear in steps, chains and pixels, and square in width. Memory is 300 MiB and 1 KiB
    a pixel.
    """
    points = []
    for size in asked:
        pixels = size["chains"] * size["replicas"] * size["side"] ** 2
        seconds = 1e-6 * size["steps"] * pixels * size["width"] ** 2
        # one round in three is slow, which a median does not see
        rounds = [seconds, 9 * seconds, seconds]
        points.append(growth.Point(dict(size), rounds, 300 + pixels / 1024))
    return points


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """Holds the page and the picture that the command writes of that machine."""
    found = tmp_path_factory.mktemp("growth")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(growth, "measured", made)
        patch.setattr(machine, "memory", lambda: 300 + 10 * 224**2 / 1024)
        command_line.start(
            "benchmarks.speed.growth",
            f"--picture={found / 'docs' / 'g.png'}",
            f"--page={found / 'benchmarks' / 'r.md'}",
        )
    return found


@pytest.fixture(scope="module")
def page(directory) -> str:
    """The page's text."""
    return (directory / "benchmarks" / "r.md").read_text()


def test_exponents_and_constants_are_those_put_in(page):
    constant = 1e-6 * 4 * 64**2 * 0.5**2
    assert f"| Langevin steps | 10, 20, 40, 80 | {10 * constant:.3g}, " in page
    assert f" | {constant:.2g} | 1.00 ± 0.00 |" in page
    rows = [line for line in page.splitlines() if line.startswith("|") and "±" in line]
    exponents = [row.split("|")[-2].strip() for row in rows]
    assert exponents == [f"{exponent}.00 ± 0.00" for exponent in (1, 1, 1, 2, 1)]


def test_pixels_are_the_squares_of_sides(page):
    assert "| pixels | 4096, 9216, 16384, 36864 |" in page


def test_memory_ends_where_the_machines_does(page):
    assert "Peak memory is 300 MiB and 977 ± 0 MiB for each million pixels" in page
    assert "Extrapolated, not measured: this machine's 1 GiB end at 10 chains of 224x224x3." in page


def test_the_lines_are_drawn_where_the_page_says(page, directory):
    assert "![](../docs/g.png)" in page
    height, width, _ = iio.imread(directory / "docs" / "g.png").shape
    assert width > 4 * height


def test_nothing_is_said_of_memory_that_was_not_measured():
    assert growth.memory_sentences({"width": []}) == ""


def test_an_unknown_sweep_is_refused():
    sentence = command_line.mistake("benchmarks.speed.growth", "--sweeps=depth")
    assert "--sweeps: expected some of" in sentence


@pytest.mark.slow
def test_sizes_run_alone_and_on_two_replicas():
    sizes = ["--rounds=1", "--steps=1", "--chains=1", "--side=24", "--width=0.04"]
    values = command_line.values("benchmarks.speed.growth", *sizes)
    found = growth.measured(growth.sizes("replicas", values)[:2], values)
    assert [point.size["replicas"] for point in found] == [1, 2]
    assert all(point.peak > 100 and point.seconds[0] > 0 for point in found)
