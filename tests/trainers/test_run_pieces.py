"""The parts of the training command: rows, optimizers, devices."""

import json
import pathlib
import threading

import pytest
import tensorflow as tf
from support import command_line
from support.command_line import TOY, values

from tfgen import files
from tfgen.errors import UserError
from trainers.run import metrics as metrics_module
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


def test_rewinding_that_drops_nothing_leaves_the_file_as_it_is(tmp_path):
    metrics = Metrics(tmp_path / "metrics.jsonl")
    metrics.append("train", 2, {"gap": 1.0})
    before = metrics.path.stat()
    metrics.rewind(2)
    assert metrics.path.stat().st_ino == before.st_ino
    assert metrics.path.stat().st_mtime_ns == before.st_mtime_ns


DAMAGED = [
    b'{"kind": "tra',
    b"\xff\xfe",
    b"17",
    b"{}",
    b'{"kind": 3, "step": 1}',
    b'{"kind": "train"}',
]


@pytest.mark.parametrize("line", DAMAGED)
def test_damaged_lines_are_passed_over_and_kept_beside(tmp_path, line):
    metrics = Metrics(tmp_path / "metrics.jsonl")
    metrics.append("train", 2, {"gap": 1.0})
    metrics.append("evaluation", 2, {"metric": "fid/distance", "value": 3.0})
    whole = metrics.path.read_bytes()
    first, second = whole.splitlines(keepends=True)
    metrics.path.write_bytes(first + line + b"\n" + second)
    assert [row["kind"] for row in metrics.rows()] == ["train", "evaluation"]
    metrics.rewind(2)
    assert metrics.path.read_bytes() == whole
    assert (tmp_path / "metrics.damaged").read_bytes() == line + b"\n"


def test_only_what_is_new_is_read_at_each_row(tmp_path, monkeypatch):
    metrics, other = Metrics(tmp_path / "metrics.jsonl"), Metrics(tmp_path / "metrics.jsonl")
    parsed, parse = [], metrics_module._parsed
    monkeypatch.setattr(metrics_module, "_parsed", lambda line: parsed.append(line) or parse(line))
    for step in range(50):
        metrics.append("train", step, {"gap": step})
        assert [row["step"] for row in metrics.newest("train", 2)] == [*range(step + 1)][-2:]
    assert len([line for line in parsed if line]) == 50
    other.append("evaluation", 9, {"metric": "fid/distance", "value": 3.0})  # another process's
    assert metrics.newest("evaluation", 1)[0]["value"] == 3.0
    other.rewind(10)
    assert [row["step"] for row in metrics.newest("train", 2)] == [9, 10]


def test_a_row_that_another_process_adds_while_rows_are_dropped_is_not_lost(tmp_path):
    """The file is replaced under the other's hands, which then must write to the new one."""
    metrics = Metrics(tmp_path / "metrics.jsonl")
    for step in range(2000):
        metrics.append("train", step, {})

    def measure():
        for step in range(100):
            Metrics(metrics.path).append("evaluation", step, {})

    other = threading.Thread(target=measure)
    other.start()
    for step in range(1990, 1900, -1):
        metrics.rewind(step)
    other.join()
    assert [row["step"] for row in metrics.rows("evaluation")] == [*range(100)]
    assert len(metrics.rows("train")) == 1902


def test_rows_are_on_the_disk_before_their_checkpoint(tmp_path, monkeypatch):
    order, flush, rename = [], files.flush, pathlib.Path.rename

    def flushed(path):
        order.append(path.name)
        flush(path)

    def renamed(self, target):
        order.append(f"rename {target.name}")
        return rename(self, target)

    monkeypatch.setattr(files, "flush", flushed)
    monkeypatch.setattr(pathlib.Path, "rename", renamed)
    command_line.train(tmp_path / "run", *command_line.TOY)
    saved = order.index("rename step-0000000004")
    since = order.index("rename step-0000000000")
    assert "metrics.jsonl" in order[since:saved]
    # all files and the directories that name them, before and after
    for name in ("state.index", "record.json", "weights.npz", "model"):
        assert name in order[since:saved]
    assert order[saved - 1].startswith("writing-")
    assert order[saved + 1] == "checkpoints"


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


# optimizers


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
