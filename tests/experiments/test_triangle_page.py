"""Tests of the triangle's tables from made-up rows: values, order, verdicts, refusals."""

import contextlib
import pathlib

import pytest
from support import command_line

from experiments import frontier, table_plan, triangle_page
from tfgen.errors import UserError
from trainers.run.metrics import Metrics

ROOT = pathlib.Path(__file__).parents[2]
PROTOCOL = {"num_images": 2000, "seed": 0}
LENGTH = ("--steps=3000", "--batch_size=100")
MODELS = ["divergence_triangle", "vae", "wake_sleep", "abp"]
SEEDS, PATTERNS = ["0", "1", "2"], ["P.5", "B20"]
VALUES = {
    "fid/distance": {"divergence_triangle": 4.0, "vae": 10.0, "wake_sleep": 12.0, "abp": 8.0},
    "kid/distance": {"divergence_triangle": 0.1, "vae": 0.3, "wake_sleep": 0.4, "abp": 0.2},
    "precision_recall/precision": {
        "divergence_triangle": 0.9,
        "vae": 0.8,
        "wake_sleep": 0.7,
        "abp": 0.6,
    },
    "precision_recall/recall": {
        "divergence_triangle": 0.5,
        "vae": 0.8,
        "wake_sleep": 0.7,
        "abp": 0.6,
    },
    "reconstruction/test_mse": {
        "divergence_triangle": 0.03,
        "vae": 0.02,
        "wake_sleep": 0.05,
        "abp": 0.04,
    },
    "reconstruction/test_mse_unit": {
        "divergence_triangle": 0.0075,
        "vae": 0.005,
        "wake_sleep": 0.0125,
        "abp": 0.01,
    },
}
RECOVERY = {"divergence_triangle": 0.05, "vae": 0.1, "abp": 0.04}


@pytest.fixture(autouse=True, scope="module")
def _from_the_root():
    """Flagfiles are named from there."""
    with contextlib.chdir(ROOT):
        yield


def write(run, metric, value):
    """Writes a measurement's row."""
    row = {"metric": metric, "value": value, "protocol": PROTOCOL}
    Metrics(run.workdir / "metrics.jsonl").append("evaluation", 3000, row)


def trained(run):
    """Writes rows of training: 2 ms an update."""
    for step in (50, 100):
        Metrics(run.workdir / "metrics.jsonl").append("train", step, {"seconds": 0.1})


def measured(leave_run, directory, seeds, patterns):
    """Returns all runs of a plan, measured; values rise by 10 % a seed."""
    plan = list(table_plan.plan_of(directory / "runs", "digits", seeds, patterns, models=MODELS))
    for run in plan:
        leave_run(run.workdir, [*run.training, *LENGTH])
        trained(run)
        model, _, which = run.workdir.name.partition("-")
        if which in SEEDS:
            for metric, values in VALUES.items():
                write(run, metric, values[model] * (1 + 0.1 * (int(which) - 1)))
        else:
            write(run, "recovery/error", RECOVERY[model] * (2 if which == "B20" else 1))
    return plan


def section(runs):
    """Returns what the page says of runs."""
    return triangle_page.section(table_plan.DATA["digits"], runs)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, leave_run):
    """What the page says of all runs."""
    return section(measured(leave_run, tmp_path_factory.mktemp("tables"), SEEDS, PATTERNS))


@pytest.fixture
def runs(tmp_path, leave_run):
    """A few runs that a test may change."""
    return measured(leave_run, tmp_path, SEEDS[:2], [])


def rows_of(table):
    """Returns the cells of a table's rows, its head included."""
    head, _, *body = table["cells"].splitlines()
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in (head, *body)]


def test_each_model_is_a_row_of_means_and_deviations_the_best_first(whole):
    """Three seeds 10 % apart have a standard deviation of 10 %."""
    generation = whole["tables"][0]
    head, *rows = rows_of(generation)
    assert head == ["model", *triangle_page.GENERATION]
    assert [row[0] for row in rows] == ["divergence_triangle", "abp", "vae", "wake_sleep"]
    assert rows[2] == ["vae", "10 ± 1", "0.3 ± 0.03", "0.8 ± 0.08", "0.8 ± 0.08"]
    assert "num_images 2000" in generation["protocol"]
    assert "3 runs of each model" in generation["protocol"]


def test_recovery_has_a_column_for_each_pattern(whole):
    head, *rows = rows_of(whole["tables"][2])
    assert head == ["model", *PATTERNS]
    assert rows == [
        ["abp", "0.04", "0.08"],
        ["divergence_triangle", "0.05", "0.1"],
        ["vae", "0.1", "0.2"],
    ]


def test_verdicts_say_what_was_met_and_what_was_missed(whole):
    assert whole["verdicts"] == [
        "FID at most 0.5 of the VAE's: 0.40, met.",
        "Reconstruction MSE below the VAE's, on held-out images: 1.50 of it, missed.",
        "Recovery error below the VAE's, P.5: 0.50 of it, met.",
        "Recovery error below the VAE's, B20: 0.50 of it, met.",
        "Recovery error below ABP's, B20: 1.25 of it, missed.",
    ]


def test_the_page_is_markdown_with_a_table_for_each(whole):
    lines = triangle_page.render([whole], "make tables").splitlines()
    assert lines[0] == "## The divergence triangle"
    titles = [line for line in lines if line.startswith("#")]
    assert "### Embedded digits, 8x8" in titles
    for title in (
        "#### Generation",
        "#### Reconstruction",
        "#### Recovery of missing pixels",
        "#### Against the targets",
    ):
        assert title in titles
    for number, line in enumerate(lines):
        if line.startswith("|---"):
            head, rule, *body = lines[number - 1 :]
            rows = body[: next(i for i, row in enumerate(body) if not row.startswith("|"))]
            assert len(rows) in (2, 3, 4, 9)
            assert {row.count("|") for row in (head, rule, *rows)} == {head.count("|")}
    text = "\n".join(lines)
    assert "divergence_triangle_digits_cpu.flags" in text
    assert "triangle_digits" in text
    assert "3000 updates of 100 images" in text
    assert "{{" not in text
    assert "{%" not in text


def test_a_run_that_was_not_measured_is_named(runs):
    (runs[3].workdir / "metrics.jsonl").unlink()
    with pytest.raises(UserError, match=runs[3].workdir.name):
        section(runs)


def test_runs_of_one_model_by_other_flags_are_refused_not_left_out(runs):
    (runs[4].workdir / "flags.cfg").write_text(
        "\n".join([*runs[4].training, *LENGTH, "--generator.learning_rate=0.1"])
    )
    with pytest.raises(UserError, match="differ in nothing but their seed"):
        section(runs)


def test_the_command_writes_the_page_without_training(runs, tmp_path, capsys):
    output = tmp_path / "docs" / "results.md"
    asked = [f"--runs={tmp_path / 'runs'}", f"--output={output}", "--seeds=0,1", "--patterns="]
    asked += [f"--models={','.join(MODELS)}", "--sigmas="]
    command_line.start("experiments.tables", "--notrain", *asked)
    assert capsys.readouterr().out.strip() == str(output)
    text = output.read_text()
    assert "experiments.tables --data=digits" in text
    assert "--seeds=0,1" in text
    assert "| vae | 9.5 ± 0.71 |" in text
    assert "Recovery" not in text  # no patterns, no table
    assert "abp 2" in text  # ms an update
    assert "![FID against reconstruction error" in text
    assert (output.parent / "images" / "frontier_digits.png").read_bytes()[1:4] == b"PNG"


def test_a_curve_has_a_point_for_each_sigma_and_models_without_one_have_a_level(
    tmp_path, leave_run
):
    plan = list(
        table_plan.plan_of(
            tmp_path, "digits", ["0", "1"], [], models=["vae", "dcgan"], sigmas=["0.5", "0.2"]
        )
    )
    for run in plan:
        leave_run(run.workdir, run.training)
        write(run, "fid/distance", 4.0 + int(run.workdir.name[-1]))
        if "vae" in run.workdir.name:
            write(run, "reconstruction/test_mse", 0.1)
    points = frontier.points(plan)
    assert [point.sigma for point in points["vae"]] == [0.0707, 0.2, 0.5]
    assert points["vae"][0].fid == [4.0, 5.0]
    assert points["dcgan"] == [(None, [4.0, 5.0], [])]
    axes = frontier.figure(points).axes[0]
    labels = axes.get_legend_handles_labels()[1]
    assert labels == ["vae", "dcgan (samples alone)"]


def test_models_that_only_generate_have_no_table_of_reconstructions(tmp_path, leave_run):
    plan = list(table_plan.plan_of(tmp_path, "digits", ["0"], [], models=["dcgan", "wgan"]))
    for run in plan:
        leave_run(run.workdir, run.training)
        for metric in triangle_page.GENERATION:
            write(run, metric, 0.5)
    found = section(plan)
    assert [table["title"] for table in found["tables"]] == ["Generation"]
    assert found["verdicts"] == []
    assert "--wgan.critic_steps=2" in found["own"]
    assert "Against the targets" not in triangle_page.render([found], "a command")


def test_at_equal_time_the_best_model_comes_first(tmp_path, leave_run):
    models = ["divergence_triangle", "wgan"]
    plan = list(table_plan.plan_of(tmp_path, "digits", ["0"], [], models=models))
    for run, seconds in zip(plan, (10.0, 20.0), strict=True):
        leave_run(run.workdir, run.training)
        Metrics(run.workdir / "metrics.jsonl").append("train", 50, {"seconds": seconds})
        write(run, "fid/distance", 5.0)
        write(run, "reconstruction/test_mse", 0.1)
    timed = list(table_plan.timed_plan_of(plan))
    for run in timed:
        leave_run(run.workdir, run.training)
        write(run, "fid/distance", 4.0)
    rows = rows_of({"cells": frontier.timed_table(plan, timed)})
    assert rows[1:] == [["wgan", "1000", "4", ""], ["divergence_triangle", "2000", "5", "0.1"]]
    assert frontier.timed_table(plan, []) is None
