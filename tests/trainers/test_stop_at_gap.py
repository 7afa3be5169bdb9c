"""`--stop_at_gap` ends a run where data are no less likely than its chains."""

import itertools

import pytest
from support import command_line
from support.command_line import TOY, mistake, rows

from tfgen.models import saved
from trainers.run import stopping

LONG = ("--steps=400", "--save_every=400", "--sample_every=400")


def gaps(*values, first=2):
    """Returns rows of training with these gaps, two updates apart."""
    return [{"step": first + 2 * i, "energy_gap": gap} for i, gap in enumerate(values)]


def test_the_mean_of_the_last_window_decides():
    assert not stopping.is_reached(gaps(5.0, 1.0, -0.5), 2, 0)
    assert stopping.is_reached(gaps(5.0, 1.0, -0.5, -0.5), 2, 0)
    assert stopping.is_reached(gaps(5.0, 1.0, -1.0), 2, 0), "zero counts"


def test_a_window_that_is_not_full_decides_nothing():
    assert not stopping.is_reached(gaps(-1.0), 2, 0)


def test_rows_before_the_last_layer_do_not_count():
    assert not stopping.is_reached(gaps(-1.0, -1.0, -1.0), 2, last_growth=4)
    assert stopping.is_reached(gaps(-1.0, -1.0, -1.0), 2, last_growth=2)


def test_a_run_ends_at_the_first_window_whose_mean_gap_is_not_positive(tmp_path):
    command_line.train(tmp_path / "run", *TOY, *LONG, "--stop_at_gap=4")
    logged = rows(tmp_path / "run", "train")
    means = [
        (before["energy_gap"] + now["energy_gap"]) / 2 for before, now in itertools.pairwise(logged)
    ]
    assert means[-1] <= 0
    assert all(mean > 0 for mean in means[:-1])
    step = logged[-1]["step"]
    assert step < 400
    assert step in saved.checkpoint_steps(tmp_path / "run" / "checkpoints")
    # called again, it has come to its end
    command_line.train(tmp_path / "run", *TOY, *LONG, "--stop_at_gap=4")
    assert rows(tmp_path / "run", "train") == logged


def test_a_growing_run_that_has_come_to_its_end_is_left_as_it_is(tmp_path):
    """It stops before its last layer, and the step says so before the nets have their depth."""
    given = (*TOY, *LONG, "--stop_at_gap=4", "--generative_convnet.layer_iterations=300")
    command_line.train(tmp_path / "run", *given)
    logged = rows(tmp_path / "run", "train")
    assert logged[-1]["step"] < 300
    command_line.train(tmp_path / "run", *given)
    assert rows(tmp_path / "run", "train") == logged


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--stop_at_gap=3"], "expected a multiple of --log_every=2 and found 3"),
        (
            ["--stop_at_gap=4", "--flagfile=vae_digits_cpu", "--log_every=2"],
            "expected an algorithm that logs energy_gap",
        ),
    ],
)
def test_a_window_that_cannot_be_watched_is_refused(tmp_path, flags, words):
    given = TOY if len(flags) == 1 else ()
    said = mistake("trainers.main", *given, *flags, f"--workdir={tmp_path / 'run'}")
    assert words in said
    assert not (tmp_path / "run").exists()
