"""The parts of the training command: rows, learning rates, devices."""

import json

import pytest
import tensorflow as tf
from support.command_line import TOY, values

from tfgen.errors import UserError
from tfgen.training.schedules import Schedule
from trainers.run import optimizers, strategy
from trainers.run.metrics import Metrics

# rows


def test_rows_come_back_in_order_and_by_kind(tmp_path):
    metrics = Metrics(tmp_path / "run" / "metrics.jsonl")
    assert metrics.rows() == []
    metrics.append("train", 2, {"gap": 1.5})
    metrics.append("guard", 3, {"reason": "gap is nan"})
    metrics.append("train", 4, {"gap": float("1e-30")})
    assert [row["step"] for row in metrics.rows()] == [2, 3, 4]
    assert metrics.rows("train") == [
        {"kind": "train", "step": 2, "gap": 1.5},
        {"kind": "train", "step": 4, "gap": 1e-30},
    ]


def test_rewinding_drops_later_training_rows_alone(tmp_path):
    metrics = Metrics(tmp_path / "metrics.jsonl")
    metrics.rewind(0)
    assert not metrics.path.exists()
    for kind, step in [("train", 2), ("evaluation", 9), ("train", 4), ("guard", 8), ("train", 6)]:
        metrics.append(kind, step, {})
    metrics.rewind(4)
    assert [(row["kind"], row["step"]) for row in metrics.rows()] == [
        ("train", 2),
        ("evaluation", 9),
        ("train", 4),
        ("guard", 8),
    ]


@pytest.mark.parametrize("length", [1, 10, 30])
def test_a_cut_line_is_left_out_and_repaired_by_rewinding(tmp_path, length):
    metrics = Metrics(tmp_path / "metrics.jsonl")
    metrics.append("train", 2, {"gap": 1.0})
    line = metrics.path.read_text()
    metrics.path.write_text(line + line[:length])
    assert len(metrics.rows()) == 1
    metrics.rewind(2)
    assert metrics.path.read_text() == line


@pytest.mark.parametrize("length", [1, 10, 30])
def test_a_row_after_a_cut_line_is_whole(tmp_path, length):
    metrics = Metrics(tmp_path / "metrics.jsonl")
    metrics.append("train", 2, {"gap": 1.0})
    line = metrics.path.read_text()
    metrics.path.write_text(line + line[:length])
    metrics.append("evaluation", 2, {"value": 3.0})
    assert metrics.rows("evaluation") == [{"kind": "evaluation", "step": 2, "value": 3.0}]


def test_a_row_is_one_line_whatever_is_in_it(tmp_path):
    metrics = Metrics(tmp_path / "metrics.jsonl")
    metrics.append("evaluation", 1, {"value": float("nan"), "text": "two\nlines"})
    (line,) = metrics.path.read_text().splitlines()
    assert json.loads(line)["text"] == "two\nlines"


# learning rates


def rates(schedule: Schedule, steps) -> list[float]:
    return [float(schedule(tf.constant(step, tf.int64))) for step in steps]


def schedule(**given) -> Schedule:
    usual = {"rate": 0.1, "decay": 1.0, "decay_steps": 10, "warmup_steps": 0, "total_steps": 100}
    return Schedule(**(usual | {"constant_fraction": 1.0} | given))


def test_a_constant_rate_is_constant_to_the_end_and_beyond():
    assert rates(schedule(), [0, 1, 50, 99, 100, 150]) == pytest.approx([0.1] * 6)


def test_a_rate_rises_over_the_warm_up():
    assert rates(schedule(warmup_steps=4), range(6)) == pytest.approx(
        [0.025, 0.05, 0.075, 0.1, 0.1, 0.1]
    )


def test_a_rate_falls_in_stairs():
    assert rates(schedule(decay=0.5), [0, 9, 10, 19, 20]) == pytest.approx(
        [0.1, 0.1, 0.05, 0.05, 0.025]
    )


def test_a_rate_falls_linearly_to_zero_after_its_constant_part():
    found = rates(schedule(constant_fraction=0.5), [0, 50, 75, 90, 100, 120])
    assert found == pytest.approx([0.1, 0.1, 0.05, 0.02, 0.0, 0.0], abs=1e-8)


def test_the_factor_scales_the_rate_in_a_compiled_step_too():
    found = schedule()
    compiled = tf.function(found)
    step = tf.constant(3, tf.int64)
    assert float(compiled(step)) == pytest.approx(0.1)
    found.factor.assign(0.25)
    assert float(compiled(step)) == pytest.approx(0.025)


@pytest.mark.parametrize("kind", ["adam", "sgd"])
def test_flags_make_the_optimizer(kind):
    given = values(
        "trainers.main",
        *TOY,
        f"--energy.optimizer={kind}",
        "--energy.momentum=0.8",
        "--energy.beta_1=0.5",
        "--energy.beta_2=0.9",
        "--energy.ema=0.99",
    )
    schedule, found, *_ = optimizers.build(given, "energy")
    assert type(found).__name__.lower() == kind
    assert float(found.learning_rate) == pytest.approx(0.01)
    schedule.factor.assign(0.5)
    assert float(found.learning_rate) == pytest.approx(0.005)
    assert (found.use_ema, found.ema_momentum, found.ema_overwrite_frequency) == (True, 0.99, None)
    if kind == "adam":
        assert (found.beta_1, found.beta_2) == (0.5, 0.9)
    else:
        assert found.momentum == 0.8


# devices


def test_a_cpu_is_one_device_and_not_compiled_for_by_default():
    if tf.config.list_physical_devices("GPU"):
        pytest.skip("this machine has a GPU")
    assert strategy.build("auto").num_replicas_in_sync == 1
    assert isinstance(strategy.build("mirrored"), tf.distribute.MirroredStrategy)
    assert [strategy.jit_compile(name) for name in ("auto", "true", "false")] == [
        False,
        True,
        False,
    ]


def test_a_tpu_that_is_not_there_is_missed():
    with pytest.raises(UserError, match="--strategy"):
        strategy.build("tpu")
