"""Checkpoints and files are whole or not there, whenever writing them stops."""

import errno
import os
import pathlib
import shutil
import subprocess

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import command_line
from support.command_line import Recorder, content

from tfgen import files
from tfgen.errors import UserError
from trainers.run import checkpoints, identity, records
from trainers.run.state import State, not_finite

pytestmark = pytest.mark.eager


def state(value: float) -> State:
    """Returns three variables by name, all of one value."""
    return {
        "net/conv_1/kernel": keras.Variable(np.full((3, 2), value, np.float32)),
        "net/conv_1/bias": keras.Variable(np.float32(value)),
        "optimizers/net/momentum": keras.Variable(np.full(5, value, np.float32)),
    }


def value_of(found: State) -> float:
    """Returns the one value of all variables."""
    values = {float(x) for v in found.values() for x in np.ravel(v.numpy())}
    assert len(values) == 1, "a mixture of checkpoints"
    return values.pop()


def newest(directory: pathlib.Path) -> tuple[int, float]:
    """Returns step and value of the newest checkpoint."""
    found = state(-1.0)
    step = checkpoints.restore(directory, found)
    return step, value_of(found)


def test_what_is_saved_is_restored(tmp_path):
    checkpoints.save(tmp_path, 7, state(0.1), keep=3)
    assert newest(tmp_path) == (7, pytest.approx(0.1))


def test_numbers_are_restored_bit_for_bit(tmp_path):
    numbers = np.random.default_rng(0).standard_normal(1000).astype(np.float32)
    checkpoints.save(tmp_path, 1, {"weights": keras.Variable(numbers)}, keep=1)
    found = {"weights": keras.Variable(np.zeros(1000, np.float32))}
    checkpoints.restore(tmp_path, found)
    assert found["weights"].numpy().tobytes() == numbers.tobytes()


@pytest.mark.parametrize("keep", [1, 2, 3])
def test_so_many_checkpoints_are_kept_and_the_newest_is_restored(tmp_path, keep):
    for step in (5, 10, 20, 100):
        checkpoints.save(tmp_path, step, state(step), keep)
    assert checkpoints.steps(tmp_path) == [5, 10, 20, 100][-keep:]
    assert newest(tmp_path) == (100, 100.0)


def test_a_step_can_be_chosen(tmp_path):
    for step in (1, 2, 3):
        checkpoints.save(tmp_path, step, state(step), keep=3)
    found = state(-1.0)
    assert checkpoints.restore(tmp_path, found, step=2) == 2
    assert value_of(found) == 2.0


def test_a_step_that_stands_is_not_written_again(tmp_path):
    """What a step holds follows from the seed, so that it need not be missing at any moment."""
    checkpoints.save(tmp_path, 4, state(1.0), keep=2)
    checkpoints.save(tmp_path, 4, state(2.0), keep=2)
    assert checkpoints.steps(tmp_path) == [4]
    assert newest(tmp_path) == (4, 1.0)


def test_a_directory_that_is_not_there_has_no_steps(tmp_path):
    assert checkpoints.steps(tmp_path / "nowhere") == []
    with pytest.raises(UserError, match="nowhere"):
        checkpoints.restore(tmp_path / "nowhere", state(0.0))


def test_foreign_and_half_written_directories_are_no_checkpoints(tmp_path):
    for name in ("step-12", "writing-0000000003", "step-0000000004.bak", "notes"):
        (tmp_path / name).mkdir()
    assert checkpoints.steps(tmp_path) == []


@pytest.mark.parametrize("step", [2, 3], ids=["written again", "new"])
def test_a_kill_at_any_moment_of_a_save_leaves_a_whole_checkpoint(tmp_path, step):
    directory = tmp_path / "checkpoints"
    checkpoints.save(directory, 1, state(1.0), keep=1)
    checkpoints.save(directory, 2, state(2.0), keep=1)
    with Recorder(directory, tmp_path / "copies") as moments:
        checkpoints.save(directory, step, state(3.0), keep=1)
    assert moments.count >= 4
    seen = [newest(tmp_path / "copies" / str(moment)) for moment in range(moments.count)]
    assert seen[0] == (2, 2.0)
    assert set(seen) <= {(2, 2.0), (3, 3.0)}
    assert newest(directory) == {2: (2, 2.0), 3: (3, 3.0)}[step]


def test_a_kill_in_the_middle_of_a_removal_leaves_only_whole_checkpoints(tmp_path):
    directory = tmp_path / "checkpoints"
    for step in (1, 2):
        checkpoints.save(directory, step, state(step), keep=2)
    with Recorder(directory, tmp_path / "copies") as moments:
        checkpoints.save(directory, 3, state(3.0), keep=1)
    for moment in range(moments.count):
        assert newest(tmp_path / "copies" / str(moment)) in ((2, 2.0), (3, 3.0))


OPERATIONS = [
    (os, "open"),
    (os, "fsync"),
    (pathlib.Path, "rename"),
    (pathlib.Path, "mkdir"),
    (tf.train.Checkpoint, "write"),
]


@pytest.mark.parametrize(("owner", "name"), OPERATIONS, ids=[name for _, name in OPERATIONS])
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_failure_of_any_operation_leaves_the_older_checkpoint_and_nothing_half(
    tmp_path, monkeypatch, owner, name, number
):
    checkpoints.save(tmp_path, 1, state(1.0), keep=1)
    real, calls = getattr(owner, name), []

    def failing(*args, **kwargs):
        calls.append(args)
        if len(calls) == number:
            raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path))
        return real(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, failing)
        try:
            checkpoints.save(tmp_path, 2, state(2.0), keep=1)
        except OSError:
            assert len(calls) >= number  # cleaning up calls too
    assert newest(tmp_path) in ((1, 1.0), (2, 2.0))
    assert not list(tmp_path.glob("writing-*"))
    checkpoints.save(tmp_path, 3, state(3.0), keep=1)
    assert checkpoints.steps(tmp_path) == [3]


def test_a_failure_before_the_checkpoint_stands_is_not_swallowed(tmp_path, monkeypatch):
    def failing(path):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(files, "flush", failing)
    with pytest.raises(OSError, match="No space"):
        checkpoints.save(tmp_path, 2, state(2.0), keep=1)
    assert content(tmp_path) == {}


def cut(path: pathlib.Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: pathlib.Path) -> None:
    whole = bytearray(path.read_bytes())
    whole[4] ^= 255
    path.write_bytes(whole)


@pytest.mark.parametrize("file", ["state.index", "state.data-00000-of-00001"])
@pytest.mark.parametrize(
    "damage", [cut, flip, pathlib.Path.unlink, lambda path: path.write_bytes(b"")]
)
def test_a_damaged_checkpoint_is_said_to_be_one(tmp_path, file, damage):
    checkpoints.save(tmp_path, 9, state(9.0), keep=1)
    damage(tmp_path / "step-0000000009" / file)
    with pytest.raises(UserError, match="step-0000000009"):
        checkpoints.restore(tmp_path, state(0.0))


KERNEL = "net/conv_1/kernel"


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (state(0.0) | {KERNEL: keras.Variable(np.zeros((2, 2), np.float32))}, "[3, 2] where"),
        ({name: v for name, v in state(0.0).items() if name != KERNEL}, "where missing is needed"),
        ({**state(0.0), "more": keras.Variable(0.0)}, "more is missing where float32 [] is needed"),
        (state(0.0) | {KERNEL: keras.Variable(np.zeros((3, 2), np.int32), dtype="int32")}, "int32"),
    ],
    ids=["another shape", "less", "more", "another type"],
)
def test_the_first_variable_that_does_not_fit_is_named(tmp_path, other, words):
    checkpoints.save(tmp_path, 9, state(9.0), keep=1)
    with pytest.raises(UserError, match="step-0000000009") as caught:
        checkpoints.restore(tmp_path, other)
    assert ("more" if "more" in other else KERNEL) in str(caught.value)
    assert words in str(caught.value)
    assert checkpoints.steps(tmp_path) == [9]  # not damaged, and not set aside


@pytest.mark.parametrize("rows", [1, 3, 5])
def test_a_growable_variable_takes_the_rows_that_both_have(tmp_path, rows):
    checkpoints.save(tmp_path, 1, state(9.0), keep=1)
    other = state(0.0) | {KERNEL: keras.Variable(np.full((rows, 2), -1, np.float32))}
    checkpoints.restore(tmp_path, other, growable={KERNEL})
    expected = [[9.0, 9.0]] * min(rows, 3) + [[-1.0, -1.0]] * max(rows - 3, 0)
    assert other[KERNEL].numpy().tolist() == expected
    assert other["net/conv_1/bias"].numpy() == 9.0


@pytest.mark.parametrize(
    ("shape", "dtype", "words"),
    [((5, 3), "float32", "[5, 3]"), ((5,), "float32", "[5]"), ((5, 2), "float16", "float16")],
)
def test_a_growable_variable_of_other_rows_is_refused(tmp_path, shape, dtype, words):
    checkpoints.save(tmp_path, 1, state(9.0), keep=1)
    other = state(0.0) | {KERNEL: keras.Variable(np.zeros(shape), dtype=dtype)}
    with pytest.raises(UserError, match=KERNEL) as caught:
        checkpoints.restore(tmp_path, other, growable={KERNEL})
    assert words in str(caught.value)


def test_variables_are_found_by_name_whatever_their_order(tmp_path):
    """Two variables of one shape that change places must not change their values."""
    ours = {"a": keras.Variable([1.0, 2.0]), "b": keras.Variable([3.0, 4.0])}
    checkpoints.save(tmp_path, 1, ours, keep=1)
    found = {"b": keras.Variable([0.0, 0.0]), "a": keras.Variable([0.0, 0.0])}
    checkpoints.restore(tmp_path, found)
    assert found["a"].numpy().tolist() == [1.0, 2.0]
    assert found["b"].numpy().tolist() == [3.0, 4.0]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_state_that_is_not_finite_is_never_saved(tmp_path, value):
    checkpoints.save(tmp_path, 1, state(1.0), keep=1)
    bad = state(2.0)
    bad["optimizers/net/momentum"].assign([1.0, 2.0, value, 4.0, 5.0])
    with pytest.raises(checkpoints.NotFiniteError, match="optimizers/net/momentum"):
        checkpoints.save(tmp_path, 2, bad, keep=1)
    assert newest(tmp_path) == (1, 1.0)
    assert not_finite(bad) == "optimizers/net/momentum"
    assert not_finite(state(1.0)) is None


def test_a_damaged_checkpoint_is_set_aside_and_the_one_before_is_used(tmp_path, capsys):
    for step in (1, 2, 3):
        checkpoints.save(tmp_path, step, state(step), keep=3)
    flip(tmp_path / "step-0000000003" / "state.data-00000-of-00001")
    (tmp_path / "step-0000000002" / "state.index").unlink()
    assert newest(tmp_path) == (1, 1.0)
    said = capsys.readouterr().err
    assert "step-0000000003: state.data-00000-of-00001 is damaged" in said
    assert "step-0000000002: state.index is missing" in said
    assert said.count("step-0000000001 is used in its place") == 2
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["damaged-step-0000000002", "damaged-step-0000000003", "step-0000000001"]


def test_a_checkpoint_that_was_asked_for_is_not_replaced_by_another(tmp_path):
    for step in (1, 2):
        checkpoints.save(tmp_path, step, state(step), keep=3)
    cut(tmp_path / "step-0000000002" / "record.json")
    with pytest.raises(records.DamagedError, match=r"step-0000000002: record.json is damaged"):
        checkpoints.restore(tmp_path, state(0.0), step=2)
    assert checkpoints.steps(tmp_path) == [1, 2]


def test_what_is_pinned_stays_beside_the_newest(tmp_path):
    for step in (1, 2, 3, 4):
        checkpoints.save(tmp_path, step, state(step), keep=1, pinned={1})
    assert checkpoints.steps(tmp_path) == [1, 4]


def test_a_checkpoint_within_an_interval_goes_with_the_next_one(tmp_path):
    checkpoints.save(tmp_path, 2, state(2.0), keep=3)
    checkpoints.save(tmp_path, 3, state(3.0), keep=3, stamp=records.Stamp(passing=True))
    assert newest(tmp_path) == (3, 3.0)
    checkpoints.save(tmp_path, 4, state(4.0), keep=3)
    assert checkpoints.steps(tmp_path) == [2, 4]


@pytest.mark.parametrize(
    ("made", "words"), [({"flags": "b"}, "flags.cfg"), ({"data": "c"}, "data.json")]
)
def test_a_checkpoint_of_other_flags_or_data_is_refused(tmp_path, made, words):
    checkpoints.save(tmp_path, 1, state(1.0), keep=1, stamp=records.Stamp(flags="a", data="a"))
    assert checkpoints.restore(tmp_path, state(0.0), stamp=records.Stamp(flags="a", data="a")) == 1
    with pytest.raises(UserError, match=f"another {words}"):
        checkpoints.restore(tmp_path, state(0.0), stamp=records.Stamp(**{"flags": "a"} | made))


def test_checkpoints_of_an_earlier_version_are_said_to_be_such(tmp_path):
    checkpoints.save(tmp_path, 1, state(1.0), keep=1)
    (tmp_path / "step-0000000001" / "record.json").unlink()
    with pytest.raises(UserError, match="earlier version of tfgen"):
        checkpoints.restore(tmp_path, state(0.0))
    assert checkpoints.steps(tmp_path) == [1]


def test_leftovers_of_dead_processes_alone_are_removed(tmp_path):
    dead = subprocess.Popen(["true"])
    dead.wait()
    for pid in (dead.pid, os.getppid()):
        (tmp_path / f"writing-{pid}").mkdir()
    checkpoints.save(tmp_path, 1, state(1.0), keep=1)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["step-0000000001", f"writing-{os.getppid()}"]


# files that appear whole or not at all


def test_a_file_appears_when_its_block_ends(tmp_path):
    path = tmp_path / "new" / "file.txt"
    with files.written_aside(path) as aside:
        aside.write_text("new")
        assert not path.exists()
    assert content(tmp_path) == {"new/file.txt": b"new"}


def test_a_file_is_replaced_at_once(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with files.written_aside(path) as aside:
        aside.write_text("new")
        assert path.read_text() == "old"
    assert content(tmp_path) == {"file.txt": b"new"}


@pytest.mark.parametrize(
    "failure", [OSError(errno.ENOSPC, "full"), ValueError("a bug"), KeyboardInterrupt()]
)
def test_a_failure_keeps_the_old_file_and_leaves_no_other(tmp_path, failure):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(type(failure)), files.written_aside(path) as aside:
        aside.write_text("half")
        raise failure
    assert content(tmp_path) == {"file.txt": b"old"}


def test_a_failure_leaves_no_half_written_directory(tmp_path):
    with pytest.raises(ValueError, match="a bug"), files.written_aside(tmp_path / "model") as aside:
        aside.mkdir()
        (aside / "half").write_text("half")
        raise ValueError("a bug")
    assert list(tmp_path.iterdir()) == []


def test_a_block_that_writes_nothing_keeps_the_old_file(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(FileNotFoundError), files.written_aside(path):
        pass
    assert content(tmp_path) == {"file.txt": b"old"}


def test_a_file_keeps_its_suffix_while_it_is_written(tmp_path):
    with files.written_aside(tmp_path / "picture.png") as aside:
        assert aside.suffix == ".png"
        assert aside.parent == tmp_path
        shutil.copy(__file__, aside)


def test_leftovers_of_writing_aside_go_with_their_processes(tmp_path):
    dead = subprocess.Popen(["true"])
    dead.wait()
    kept = [f".metrics.jsonl.{os.getppid()}.jsonl", ".lock", ".hidden.txt", "data.1.json"]
    for name in (*kept, f".data.json.{dead.pid}.json", f".page.{dead.pid}.older"):
        (tmp_path / name).write_text("")
    (tmp_path / f".model.{dead.pid}").mkdir()
    files.clear_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)
    files.clear_leftovers(tmp_path / "nowhere")


def test_a_flag_that_an_earlier_version_lacked_changes_no_stamp_at_its_default(monkeypatch):
    given = command_line.values("trainers.main", *command_line.TOY)
    now = identity.stamp_of(given, {})
    earlier = tuple(name for name in identity.STRUCTURE if name != "clip_stride")
    monkeypatch.setattr(identity, "STRUCTURE", earlier)
    assert identity.stamp_of(given, {}) == now


@pytest.mark.parametrize("flag", ["--clip_stride=2", "--seed=1", "--energy.width=0.25"])
def test_another_structure_has_another_stamp(flag):
    stamps = [
        identity.stamp_of(command_line.values("trainers.main", *command_line.TOY, *more), {})
        for more in ((), (flag,))
    ]
    assert stamps[0] != stamps[1]
