"""Tests of races to a quality: what contenders are given, tfgen's start, goals, the page."""

import dataclasses
import importlib.util
import pathlib
import sys

import numpy as np
import pytest
from absl import flags as absl_flags

from benchmarks import races
from benchmarks.peers import workload
from benchmarks.peers.contenders import tf_nets, tfgen_training
from benchmarks.races import quality_page, race_files, time_to_quality
from benchmarks.races.quality_page import PAPER, SAME
from benchmarks.speed import processes
from benchmarks.speed.options import OURS
from tfgen.errors import UserError

BRICK = (
    "--dataset=textures/brick",
    "--image_size=64",
    "--patch_size=32",
    "--batch_size=2",
    "--log_every=2",
    "--steps=4",
)
TINY = {
    "brick": races.ConvNetBrick(
        goal=200.0,
        milestones=(1, 3),
        changes=(*BRICK, "--energy.width=0.05", "--generative_convnet.langevin_steps=2"),
    ),
    "digits": races.TriangleDigits(
        goal=50.0,
        milestones=(1, 3),
        count=4,
        changes=("--batch_size=8", "--max_images=20", "--jit_compile=false"),
    ),
    "pebbles": races.IntrospectivePebbles(
        goal=200.0,
        milestones=(1, 3),
        count=1,
        changes=(
            *BRICK,
            "--discriminator.width=0.05",
            "--introspective.canvas=32",
            "--introspective.padding=8",
            "--introspective.stage_updates=2",
            "--introspective.synthesis_steps=2",
            "--introspective.samples=2",
        ),
    ),
}
PEERS = processes.ROOT / ".venv-peers" / "bin" / "python"
ECHO = """
import itertools
import numpy as np
from benchmarks.peers import contender
calls = itertools.count()
answer = {"log/u": 1.0, "image": np.ones(1)}
contender.serve(contender.Entry("1.2", lambda: answer, calls.__next__), contender.answers())
"""


@pytest.fixture(autouse=True)
def _from_the_root(monkeypatch):
    """Flagfiles are named from there."""
    monkeypatch.chdir(processes.ROOT)


def written(name: str, file: pathlib.Path) -> workload.Workload:
    """Writes a tiny race's file, and returns what is read of it."""
    given = TINY[name].flags(seed=1)
    workload.write(file, TINY[name].work(given, time_to_quality.experiment_of(given)))
    return workload.read(file)


def test_every_race_is_tried_and_has_modules_to_run():
    assert {name: type(race) for name, race in races.ALL.items()} == {
        name: type(race) for name, race in TINY.items()
    }
    for race in races.ALL.values():
        assert importlib.util.find_spec(f"benchmarks.peers.contenders.{race.peer}")
        assert race.milestones[0] == 1
        for further in ((), race.paper):
            values = tfgen_training.values_of(race.flags(0, further), "")
            assert values.steps >= race.milestones[-1]


@pytest.mark.slow
@pytest.mark.parametrize("name", TINY)
def test_tfgens_first_update_is_that_of_the_file(name, tmp_path):
    """It logs what the file's nets make of the file's images and draws; then it trains on."""
    work = written(name, tmp_path / "w.npz")
    entry = tfgen_training.entry([str(tmp_path / "w.npz")])
    entry.run()
    found = entry.answer()
    arrays, known = work.arrays, work.constants
    if name == "brick":
        x = arrays["batch"][0] + known["data_noise"] * arrays["data_noise"][0]
        y = (x - known["image_mean"]) / known["sigma"]
        right = (y**2).sum((1, 2, 3)) / 2 - tf_nets.score(work.nets["energy"], y).numpy()
        np.testing.assert_allclose(found["log/energy_data"], right.mean(), rtol=1e-5)
    if name == "digits":
        score = tf_nets.score(work.nets["energy"], arrays["batch"][0]).numpy().mean()
        right = -score / known["temperature"]
        np.testing.assert_allclose(found["log/energy_data"], right, rtol=1e-4)
    if name == "pebbles":
        assert arrays["negatives"].shape == (1, 2, 32, 32, 1)
        assert np.abs(arrays["start"][0]).max() <= 1
    before = found["image"]
    entry.run()
    found = entry.answer()
    assert np.abs(found["image"]).max() <= 1
    assert found["image"].shape == before.shape
    assert (found["image"] != before).any()


@pytest.mark.slow
def test_samples_are_of_averaged_weights_and_training_goes_on_with_its_own(tmp_path):
    work = written("digits", tmp_path / "w.npz")
    training = tfgen_training.Training(work.constants)
    training.train(3)
    algorithm = training.experiment.algorithm
    variables = algorithm.model.generator.trainable_variables
    weights = [weight.numpy() for weight in variables]
    training.samples()
    for weight, kept in zip(variables, weights, strict=True):
        np.testing.assert_array_equal(weight, kept)
    with algorithm.averaged_weights():
        inside = [weight.numpy() for weight in variables]
    assert any((a != b).any() for a, b in zip(weights, inside, strict=True))


def curves(*values: float) -> quality_page.Curves:
    """Returns a race that all start in one second.

    tfgen takes a second an update and PyTorch two; with other constants PyTorch's values are ten
    times as high.
    """
    rows = []
    for name, pace, factor in ((OURS, 1, 1), (SAME, 2, 1), (PAPER, 2, 10)):
        for update, value in zip((1, 10, 20), values, strict=True):
            row = {"contender": name, "update": update}
            rows.append(row | {"seconds": 1 + pace * update, "value": value * factor})
    versions = dict.fromkeys((OURS, SAME, PAPER), "1")
    return quality_page.Curves(versions, dict.fromkeys(versions, 1.0), rows)


def test_the_goal_is_reached_by_the_mean_over_seeds():
    """The first seed is there at 10 updates, the second never; their mean is there at 20."""
    race = races.TriangleDigits(goal=10.0, milestones=(1, 10, 20))
    first, second = curves(100.0, 9.0, 5.0), curves(100.0, 13.0, 13.0)
    assert quality_page.mean_curve([first], OURS).arrival(race) == (10, 11.0)
    assert quality_page.mean_curve([first, second], OURS).arrival(race) == (20, 21.0)
    assert quality_page.mean_curve([second], OURS).arrival(race) is None


def test_the_goal_is_reached_by_the_mean_over_the_last_milestones():
    race = races.TriangleDigits(goal=10.0, milestones=(1, 10, 20), window=2)
    first, second = curves(100.0, 9.0, 5.0), curves(100.0, 13.0, 13.0)
    curve = quality_page.mean_curve([first], OURS)
    np.testing.assert_array_equal(curve.smooth(2), [np.nan, 54.5, 7.0])
    assert curve.arrival(race) == (20, 21.0)
    longer = dataclasses.replace(race, window=3)
    assert quality_page.mean_curve([first, second], OURS).arrival(longer) is None


def test_the_page_says_how_much_later_the_others_come(tmp_path):
    race = races.TriangleDigits(goal=10.0, milestones=(1, 10, 20))
    found = quality_page.render(
        race, [curves(100.0, 9.0, 5.0)], command="me", picture="p.png"
    ).splitlines()
    assert "| tfgen 1 | 1.0 | 1.0 | 1000.0 | 10 | 11.0 | 1.00 | 5.0 |" in found
    assert "| PyTorch 1 | 1.0 | 2.0 | 2000.0 | 10 | 21.0 | 1.91 | 5.0 |" in found
    late = "1.0 | 2.0 | 2000.0 | not reached | over 41 | over 3.73 | 50.0 |"
    assert f"| PyTorch, the paper's constants 1 | {late}" in found
    assert "| 20 | 5.0 (21 s) | 5.0 (41 s) | 50.0 (41 s) |" in found
    quality_page.draw(race, [curves(100.0, 9.0, 5.0)], tmp_path / "p.png")
    assert (tmp_path / "p.png").stat().st_size > 1000


def test_a_race_goes_from_its_command_to_a_page_and_is_not_run_again(tmp_path, monkeypatch):
    """The contenders know one answer; past the budget nothing is asked."""

    def ruler(*_):
        return lambda samples: 100.0 * float(samples.mean())

    monkeypatch.setattr(races, "ALL", {"brick": TINY["brick"]})
    monkeypatch.setattr(races.ConvNetBrick, "compared", ("u",))
    monkeypatch.setattr(races.ConvNetBrick, "ruler", ruler)
    monkeypatch.setattr(processes, "command_of", lambda *_, **__: [sys.executable, "-c", ECHO])
    values = absl_flags.FlagValues()
    time_to_quality.define(values)
    page, runs = tmp_path / "results.md", tmp_path / "runs" / "quality"
    values(["", f"--python={sys.executable}", f"--runs={runs}", f"--page={page}", "--budget=0"])
    time_to_quality.main(values)
    found = page.read_text()
    assert "quality_brick -->\n## Time to quality: " in found
    command = "python -m benchmarks.races.time_to_quality --workloads=brick --seeds=0 --budget=0"
    assert f"`{command}`" in found
    assert "| 1 | 100.0 (" in found
    assert "| 3 |  |  |  |" in found
    assert "![](quality_brick.png)" in found
    assert (tmp_path / "quality_brick.png").exists()
    monkeypatch.setattr(processes, "command_of", None)
    time_to_quality.main(values)
    assert page.read_text() == found


def test_another_first_update_is_refused():
    def outputs(ours, theirs):
        by_contender = {OURS: ours, SAME: theirs}
        return {
            name: {f"log/{what}": value for what in TINY["brick"].compared}
            for name, value in by_contender.items()
        }

    time_to_quality.check(TINY["brick"], outputs(1.0, 1.0))
    sentence = r"PyTorch: expected a first update of energy_data 1, .* and found 1\.01"
    with pytest.raises(UserError, match=sentence):
        time_to_quality.check(TINY["brick"], outputs(1.0, 1.01))


@pytest.mark.slow
@pytest.mark.skipif(not PEERS.exists(), reason="needs make bench-peers' environment")
@pytest.mark.parametrize("name", TINY)
def test_pytorch_trains_alike(name, tmp_path, monkeypatch):
    """The race checks the first update; both go on to the end, to samples alike in kind."""
    monkeypatch.setattr(races, "ALL", TINY)
    values = absl_flags.FlagValues()
    time_to_quality.define(values)
    values(["", f"--python={PEERS}", "--nopaper"])
    kept = tmp_path / name / "0"
    time_to_quality.run(TINY[name], 0, values, kept=kept)
    for update in TINY[name].milestones:
        ours, theirs = (
            race_files.samples(race_files.place(kept, contender, update))["image"]
            for contender in (OURS, SAME)
        )
        assert ours.shape == theirs.shape
        assert np.abs(theirs).max() <= 1
