"""`trainers.landscape`: its three files, its numbers, its mistakes; a verdict in the report."""

import pathlib
import re
import shutil

import imageio.v3 as iio
import numpy as np
import pytest
from support import command_line
from support.command_line import mistake, rows

QUICK = (
    "--landscape.num_images=20",
    "--landscape.descent_steps=30",
    "--landscape.band_steps=4",
    "--landscape.points=5",
)


@pytest.fixture(scope="module")
def run(trained_digits, tmp_path_factory):
    """Trains a model briefly, for this file alone."""
    return pathlib.Path(shutil.copytree(trained_digits, tmp_path_factory.mktemp("runs") / "digits"))


@pytest.fixture(scope="module")
def mapped(run, tmp_path_factory):
    """Maps the run's landscape, and returns where that was written."""
    output = tmp_path_factory.mktemp("landscape")
    command_line.start(
        "trainers.landscape", f"--workdir={run}", f"--output={output}", *QUICK, "--leaves=6"
    )
    return output


def test_a_landscape_is_written_as_a_picture_a_page_and_arrays(mapped):
    assert sorted(path.name for path in mapped.iterdir()) == [
        "landscape.html",
        "landscape.npz",
        "landscape.png",
    ]
    assert iio.imread(mapped / "landscape.png").ndim == 3
    arrays = dict(np.load(mapped / "landscape.npz"))
    count = len(arrays["energy"])
    assert arrays["start"].shape == (20, 8, 8, 1)
    assert arrays["image"].shape == (count, 8, 8, 1)
    assert arrays["member"].shape == arrays["label"].shape == (20,)
    assert arrays["nodes"].shape == (count - 1, 3)
    assert np.all(arrays["barrier"] <= arrays["straight"] + 1e-4)


def test_the_page_shows_every_leaf_with_its_picture_and_needs_nothing_else(mapped):
    page = (mapped / "landscape.html").read_text()
    leaves = len(re.findall(r'class="leaf"', page))
    assert 1 <= leaves <= 6
    assert len(re.findall(r'<image href="data:image/png;base64,', page)) == leaves
    assert not re.findall(r'(?:src|href)="(?!data:)', page)


def test_its_numbers_are_the_measurements(run, mapped):
    found = {
        row["metric"]: row
        for row in rows(run, "evaluation")
        if row["metric"].startswith("landscape/")
    }
    assert {"landscape/minima", "landscape/basins", "landscape/purity"} <= set(found)
    assert found["landscape/minima"]["value"] == len(np.load(mapped / "landscape.npz")["energy"])
    assert found["landscape/minima"]["protocol"]["num_images"] == 20


def test_the_landscape_of_a_models_own_directory_is_in_its_report(digits, tmp_path):
    command_line.start("trainers.landscape", f"--workdir={digits}", *QUICK)
    command_line.start(
        "trainers.evaluate", f"--workdir={digits}", "--metrics=mixing", "--mixing.num_steps=1"
    )
    (verdict,) = rows(digits, "verdict")
    output = tmp_path / "report.html"
    command_line.start("trainers.report", f"--workdirs={digits}", f"--output={output}")
    page = output.read_text()
    assert 'alt="landscape"' in page
    assert verdict["verdict"].partition(":")[0] in page


def test_mistakes_are_said_in_a_sentence(digits, classes, tmp_path):
    assert "one energy" in mistake("trainers.landscape", f"--workdir={classes}")
    assert "landscape.points" in mistake(
        "trainers.landscape", f"--workdir={digits}", "--landscape.points=2"
    )
    sentence = mistake("trainers.landscape", f"--workdir={tmp_path}")
    assert "--workdir" in sentence and "run.json" in sentence


def test_values_of_measurements_reach_tensorboard(digits):
    before = set((digits / "tensorboard").iterdir())
    command_line.start("trainers.evaluate", f"--workdir={digits}", "--metrics=reconstruction")
    assert set((digits / "tensorboard").iterdir()) > before
