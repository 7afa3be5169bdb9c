"""The table of runs at rates that are too high: what counts as surviving, and how it resumes."""

import json
import pathlib

import numpy as np
import pytest

from experiments import robustness
from experiments.robustness import Cell
from tfgen.errors import UserError


def outcome(number: float | None, rollbacks: int = 0, reason: str = "") -> dict:
    """Returns how a run ended."""
    return {"number": number, "rollbacks": rollbacks, "reason": reason, "ended": number is not None}


def cells(guard: bool, factor: int, numbers: list) -> dict:
    """Returns runs of one cell of the table, a seed each."""
    return {
        Cell("vae", factor, seed, guard, 300): outcome(number)
        for seed, number in enumerate(numbers)
    }


def test_a_run_survives_within_a_fifth_of_the_median_healthy_run():
    found = cells(False, 1, [0.9, 1.0, 1.1]) | cells(True, 30, [0.2, 1.19, 1.21, None, 1e9])
    good = robustness.survived(found)
    assert [good[c] for c in found if c.guard] == [True, True, False, False, False]
    assert all(good[c] for c in found if not c.guard)


def test_the_page_says_shares_and_whether_the_goal_is_reached():
    found = cells(False, 1, [1.0] * 5) | cells(False, 30, [None] * 5)
    reached = robustness.render(found | cells(True, 30, [1.0] * 5), 300)
    assert "| vae | no | 5 of 5 | 0 of 5 | 0.0 |" in reached
    assert (
        "with the guard 1.00, without 0.50. The goal of 0.95 with the guard is reached" in reached
    )
    missed = robustness.render(found | cells(True, 30, [1.0, 1.0, 1.0, 1.0, 1.3]), 300)
    assert "with the guard 0.80" in missed
    assert "is missed" in missed
    assert "- vae, rates x30, seed 4: reached its end with 1.3; 0 roll-backs" in missed


def test_rates_are_raised_and_the_guard_is_turned_off_where_asked():
    values = robustness.flags_of(Cell("vae", 10, 3, False, 40), pathlib.Path("runs/x"))
    assert values["generator.learning_rate"].value == pytest.approx(3e-3)
    assert values["inference.learning_rate"].value == pytest.approx(3e-3)
    assert (values.guard, values.seed, values.steps) == (False, 3, 40)


def test_the_distance_of_shifted_images_is_the_mean_length_of_the_shift_along_directions():
    images = np.random.default_rng(1).standard_normal((500, 2, 2, 1))
    assert robustness.sliced_distance(images, images) == 0
    directions = np.random.default_rng(0).standard_normal((4, robustness.DIRECTIONS))
    along = np.abs((directions / np.linalg.norm(directions, axis=0)).sum(axis=0)).mean()
    assert robustness.sliced_distance(images + 1.0, images) == pytest.approx(along)


def test_runs_that_are_written_down_are_not_made_again(tmp_path, monkeypatch):
    made = []

    def train(values):
        made.append(values.seed)
        raise UserError("it diverged 8 times")

    monkeypatch.setattr(robustness.training, "main", train)
    cell = Cell("vae", 30, 7, True, 40)
    (tmp_path / cell.name).mkdir()
    robustness.carry_out(tmp_path, cell)
    with (tmp_path / "outcomes.jsonl").open("a") as file:
        file.write(json.dumps({"recipe": "va"})[:-3])  # what a kill may leave
    robustness.carry_out(tmp_path, cell)
    assert made == [7]
    row = robustness.outcomes(tmp_path)[cell]
    assert (row["ended"], row["number"], row["reason"]) == (False, None, "it diverged 8 times")
