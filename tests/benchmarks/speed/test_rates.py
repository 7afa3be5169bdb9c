"""Tests of what speed is measured against: operations, runs in turn, ratios within a round."""

import types

import pytest

from benchmarks.speed import introspective, net_parts, rates, triangle_step
from tfgen.nets.architectures.latent import Generator, Inference
from tfgen.nets.architectures.scoring import ScoringFunction
from tfgen.nets.architectures.tables import Row


def test_operations_are_those_of_the_convolutions_counted_by_hand():
    """Counts a multiplication and an addition for each weight at each place of the maps."""
    shape, rows, latents = (8, 8, 1), [Row(2, 3, 1, 1), Row(3, 4, 2, 1)], 5
    trunk = 64 * 9 * 1 * 2 + 16 * 16 * 2 * 3
    energy = ScoringFunction.from_table(rows, shape, width=1.0, activation="relu", outputs=1)
    assert net_parts.operations("energy", energy, shape) == 2 * (trunk + 16 * 3 * 1)
    energy.depth = 1
    assert net_parts.operations("energy", energy, shape) == 2 * 64 * 9 * 1 * 2
    inference = Inference.from_table(rows, None, latents, shape, width=1.0, batch_norm=False)
    heads = 2 * 16 * 3 * latents
    assert net_parts.operations("inference", inference, shape) == 2 * (trunk + heads)
    up = [Row(3, 4), Row(2, 4, 2, 1), Row(1, 3, 1, 1)]
    generator = Generator.from_table(up, (latents,), shape, width=1.0, normalization="batch")
    expected = 2 * (16 * latents * 3 + 16 * 16 * 3 * 2 + 64 * 9 * 2 * 1)
    assert net_parts.operations("generator", generator, (latents,)) == expected


def test_runs_are_timed_in_turn_after_a_round_to_warm_up():
    order = []
    runs = {name: lambda name=name: order.append(name) for name in "abc"}
    seconds, _ = rates.interleaved(runs, rounds=2)
    assert "".join(order) == "abcabcabc"
    assert [len(times) for times in seconds.values()] == [2, 2, 2]
    assert all(time >= 0 for times in seconds.values() for time in times)


def test_shares_are_medians_of_ratios_within_a_round(monkeypatch):
    """The product reaches 100 GFLOP/s and a step 50; then comes a slow round for both."""
    seconds = {rates.PRODUCT: [1.0, 2.0, 1.0], "step": [2.0, 4.0, 2.0]}
    monkeypatch.setattr(rates, "matrix_product", lambda dtype: rates.Work(None, 100e9))
    monkeypatch.setattr(rates, "interleaved", lambda runs, rounds, clock: (seconds, 0.0))
    found = rates.beside_product({"step": rates.Work(None, 100e9)}, 3)
    assert found == {"step": rates.Timing([2.0, 4.0, 2.0], 50.0, 0.5)}


def test_the_triangles_table_compares_presets_within_a_round():
    timings = {
        "official": rates.Timing([2.0, 4.0, 2.0], 50.0, 0.5),
        "paper": rates.Timing([1.0, 2.0, 1.0], 50.0, 0.5),
    }
    lines = triangle_step.report(timings, types.SimpleNamespace(rounds=3, width=1.0)).splitlines()
    assert lines[-2:] == [
        "| official | 2.00 | 50 | 0.50 | 1.00 |",
        "| paper | 1.00 | 50 | 0.50 | 0.50 |",
    ]


def test_a_whole_synthesis_is_its_steps_times_their_number():
    """5 steps are timed at once; the faces take 12 classifiers of 20 steps, the texture 60."""
    names = list(introspective.CASES)
    timings = dict.fromkeys(names, rates.Timing([0.5, 5.0, 0.5], 40.0, 0.25))
    values = types.SimpleNamespace(rounds=3, steps=20, width=1.0)
    assert introspective.report(timings, values).splitlines()[-2:] == [
        f"| {names[0]} | 0.100 | 40 | 0.25 | 24 | about 10 |",
        f"| {names[1]} | 0.100 | 40 | 0.25 | 120 | about 30 |",
    ]


def test_a_table_is_printed_and_written(tmp_path, capsys):
    rates.show("| a |", str(tmp_path / "docs" / "t.md"))
    assert capsys.readouterr().out == "| a |\n"
    assert (tmp_path / "docs" / "t.md").read_text() == "| a |\n"


@pytest.mark.parametrize("preset", triangle_step.PASSES)
def test_every_preset_has_its_count_of_passes(preset):
    assert triangle_step.PASSES[preset].keys() == set(triangle_step.ROLES)
