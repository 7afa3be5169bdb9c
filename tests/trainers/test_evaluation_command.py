"""`trainers.evaluate`: values with their protocol, appended to metrics.jsonl and printed."""

import math

import pytest
from support import command_line
from support.command_line import content, mistake, rows

from tfgen.version import __version__
from trainers import evaluate
from trainers.run.metrics import Metrics

pytestmark = pytest.mark.eager


def test_values_are_written_with_their_protocol_and_printed(digits, capsys):
    before = (digits / "metrics.jsonl").read_text()
    command_line.start(
        "trainers.evaluate",
        f"--workdir={digits}",
        "--metrics=reconstruction,completion",
        "--reconstruction.num_images=20",
        "--completion.num_images=4",
        "--completion.num_completions=2",
        "--completion.num_steps=3",
        "--seed=7",
    )
    assert (digits / "metrics.jsonl").read_text().startswith(before)
    found = rows(digits, "evaluation")
    names = [row["metric"] for row in found]
    assert "reconstruction/test_mse" in names
    assert "completion/error" in names
    for row in found:
        assert row["step"] == 4
        assert math.isfinite(row["value"])
        assert row["protocol"]["seed"] == 7
        assert row["protocol"]["version"] == __version__
    protocols = {row["metric"]: row["protocol"] for row in found}
    assert protocols["reconstruction/test_mse"]["num_images"] == 20
    assert (
        protocols["completion/error"] | {"mask": "half:bottom", "num_steps": 3}
        == protocols["completion/error"]
    )
    printed = dict(line.split(": ") for line in capsys.readouterr().out.splitlines())
    assert printed == {row["metric"]: f"{row['value']:.6g}" for row in found}


def test_the_same_protocol_gives_the_same_values(digits):
    ask = (
        f"--workdir={digits}",
        "--metrics=completion",
        "--completion.num_images=3",
        "--completion.num_steps=3",
    )
    for _ in range(2):
        command_line.start("trainers.evaluate", *ask)
    values = [row["value"] for row in rows(digits, "evaluation")]
    assert values[: len(values) // 2] == values[len(values) // 2 :]


def test_a_finished_run_keeps_its_measurements_when_it_goes_on(digits):
    command_line.start("trainers.evaluate", f"--workdir={digits}", "--metrics=reconstruction")
    measured = rows(digits, "evaluation")
    command_line.train(digits, *command_line.DIGITS, "--steps=6")
    assert rows(digits, "evaluation") == measured
    assert [row["step"] for row in rows(digits, "train")] == [2, 4, 6]


def test_a_measurement_after_a_cut_line_is_not_lost(digits):
    path = digits / "metrics.jsonl"
    path.write_text(path.read_text() + '{"kind": "train", "st')
    command_line.start("trainers.evaluate", f"--workdir={digits}", "--metrics=reconstruction")
    names = [row["metric"] for row in Metrics(path).rows("evaluation")]
    assert "reconstruction/train_mse" in names
    assert "reconstruction/test_mse" in names


def test_a_texture_is_judged_beside_its_yardsticks(texture):
    command_line.start(
        "trainers.evaluate",
        f"--workdir={texture}",
        "--metrics=sliced_wasserstein",
        "--sliced_wasserstein.num_samples=2",
        "--sliced_wasserstein.patches=200",
        "--sliced_wasserstein.projections=8",
        "--sliced_wasserstein.levels=1",
    )
    names = {row["metric"] for row in rows(texture, "evaluation")}
    yardsticks = ("training_crops", "second_crop", "phase_noise")
    assert names >= {f"sliced_wasserstein/{name}" for name in ("samples", *yardsticks)}


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (["--metrics=beauty"], ["--metrics", "beauty", "reconstruction"]),
        (["--metrics=reconstruction,fidd"], ["--metrics", "fidd"]),
        ([], ["--metrics", "found none"]),
        (["--metrics="], ["--metrics"]),
        (["--metrics=accuracy"], ["accuracy", "an energy for each class"]),
        (["--metrics=pieces"], ["pieces", "1x1"]),
        (["--metrics=reconstruction,importance_bound"], ["importance_bound", "decode, encode"]),
        (["--metrics=reconstruction", "--step=3"], ["step", "expected one of", "found 3"]),
        (["--metrics=completion", "--completion.mask=nonsense"], ["mask", "nonsense"]),
        (["--metrics=completion", "--completion.num_images=0"], ["num_images", "at least 1"]),
        (
            ["--metrics=sliced_wasserstein", "--sliced_wasserstein.source=thin_air"],
            ["sliced_wasserstein.source"],
        ),
        (["--metrics=reconstruction", "--reconstruction.images=3"], ["--reconstruction.images"]),
    ],
)
def test_what_cannot_be_measured_is_said(trained_digits, args, named):
    before = content(trained_digits)
    sentence = mistake("trainers.evaluate", f"--workdir={trained_digits}", *args)
    for words in named:
        assert words in sentence
    assert content(trained_digits) == before


def test_an_older_checkpoint_can_be_measured(digits):
    """Its rows say its step; the newest checkpoint is another model."""
    command_line.train(digits, *command_line.DIGITS, "--steps=6")
    for step in ((), ("--step=4",)):
        ask = (f"--workdir={digits}", "--metrics=reconstruction", *step)
        command_line.start("trainers.evaluate", *ask)
    found = [row for row in rows(digits, "evaluation") if row["metric"].endswith("/test_mse")]
    assert [row["step"] for row in found] == [6, 4]
    assert found[0]["value"] != found[1]["value"]


def test_the_number_of_steps_taken_is_in_the_protocol(digits):
    """The model's own, 5, unless another is given."""
    for steps in ((), ("--completion.num_steps=2",), ("--completion.num_steps=0",)):
        ask = (f"--workdir={digits}", "--metrics=completion", "--completion.num_images=2", *steps)
        command_line.start("trainers.evaluate", *ask)
    found = [row for row in rows(digits, "evaluation") if row["metric"] == "completion/error"]
    assert [row["protocol"]["num_steps"] for row in found] == [5, 2, 0]


def test_every_measurement_has_its_flags():
    values = command_line.values("trainers.evaluate")
    assert set(evaluate.measurements()) >= {
        "accuracy",
        "completion",
        "reconstruction",
        "sliced_wasserstein",
        "pieces",
    }
    assert values["completion.num_images"].value == 100
    assert not [name for name in values if name.endswith((".jit", ".seed"))]
