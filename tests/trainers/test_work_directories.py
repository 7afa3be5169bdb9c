"""Work directories: one training at a time, damage that is seen, signals, lost terminals."""

import contextlib
import fcntl
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from support import command_line
from support.command_line import TOY, content, mistake, rows, same_numbers

from tfgen.errors import UserError
from tfgen.models import saved
from trainers import evaluate, main
from trainers.run import best, callbacks, checkpoints, commands, experiment, lasting, locks, seal
from trainers.run.metrics import Metrics
from trainers.run.trained import restored

pytestmark = pytest.mark.eager

AGAIN = (*TOY, "--energy.ema=0.5")
"""The flags that the shared toy was trained with."""


# the lock


def test_a_second_training_in_a_work_directory_is_refused_by_one_sentence(toy):
    before = content(toy / "checkpoints")
    command = [sys.executable, "-c", HOLDER, str(toy / ".lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        sentence = mistake("trainers.main", *AGAIN, "--steps=6", f"--workdir={toy}")
        assert f"{toy} is in use by process {holder.pid} on somewhere" in sentence
        assert content(toy / "checkpoints") == before
        holder.kill()
    command_line.train(toy, *AGAIN, "--steps=6")  # a killed holder's lock is free
    assert [row["step"] for row in rows(toy, "train")] == [2, 4, 6]


HOLDER = """
import fcntl, os, sys, time
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
file.write(f"process {os.getpid()} on somewhere")
file.flush()
print("held", flush=True)
time.sleep(60)
"""


def test_a_lock_names_its_process_and_host_and_is_free_afterwards(tmp_path):
    with locks.held(tmp_path / "run"):
        (tmp_path / "run" / "file").touch()
        text = (tmp_path / "run" / ".lock").read_text()
        assert text == f"process {os.getpid()} on {socket.gethostname()}\n"
        with pytest.raises(UserError, match="in use by process"), locks.held(tmp_path / "run"):
            pass
        with locks.tried(tmp_path / "run") as free:
            assert not free
    with locks.tried(tmp_path / "run") as free:
        assert free
    assert (tmp_path / "run" / ".lock").read_text() == ""


def test_a_block_that_writes_nothing_leaves_nothing(tmp_path):
    with pytest.raises(UserError), locks.held(tmp_path / "new" / "run"):
        raise UserError("a mistake in a flag")
    assert content(tmp_path) == {}
    assert list(tmp_path.iterdir()) == []
    with locks.held(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_without_locks_is_used_and_said(tmp_path, monkeypatch, capsys):
    def unsupported(descriptor, operation):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    with locks.held(tmp_path):
        assert "knows no locks" in capsys.readouterr().err


def test_a_measurement_beside_a_training_sets_nothing_aside(toy, capsys):
    damage = toy / "checkpoints" / "step-0000000004" / "model" / "weights.npz"
    damage.write_bytes(b"")
    with locks.held(toy):
        assert restored(toy).step == 0
    assert "step-0000000000 is used in its place" in capsys.readouterr().err
    assert checkpoints.steps(toy / "checkpoints") == [0, 4]
    assert restored(toy).step == 0
    assert checkpoints.steps(toy / "checkpoints") == [0]


# damage that is seen


@pytest.mark.parametrize("lines", [3, 20, -2, -1])
def test_flags_that_were_cut_at_the_end_of_a_line_are_refused(toy, lines):
    """A flag that is missing would fall back to its default, and the model be another."""
    whole = (toy / "flags.cfg").read_text().splitlines(keepends=True)
    (toy / "flags.cfg").write_text("".join(whole[:lines]))
    with pytest.raises(UserError, match=r"flags\.cfg"):
        restored(toy)


def test_a_changed_flag_is_refused(toy):
    text = (toy / "flags.cfg").read_text()
    (toy / "flags.cfg").write_text(text.replace("--generative_convnet.sigma=0.3", "", 1))
    with pytest.raises(UserError, match=r"flags\.cfg"):
        restored(toy)


FACTS = {
    "another size": (lambda data: data | {"train_size": 7}, "was made with another data.json"),
    "another shape": (lambda data: data | {"image_shape": [2, 1, 2]}, "another data.json"),
    "NaN": (lambda data: data | {"image_mean": [float("nan")] * 2}, "data.json"),
    "three means": (lambda data: data | {"image_mean": [0.0] * 3}, "data.json"),
    "nothing": (lambda data: {}, "data.json"),
    "a list": (lambda data: [], "data.json"),
}


@pytest.mark.parametrize("name", FACTS)
def test_changed_facts_of_the_data_are_refused(toy, name):
    change, words = FACTS[name]
    data = json.loads((toy / "data.json").read_text())
    (toy / "data.json").write_text(json.dumps(change(data)))
    with pytest.raises(UserError, match=words):
        restored(toy)


def test_a_run_of_an_earlier_version_is_measured_and_not_gone_on_with(toy):
    for record in (toy / "checkpoints").glob("*/record.json"):
        record.unlink()
    flags = (toy / "flags.cfg").read_text().splitlines(keepends=True)
    old = [line for line in flags if not line.startswith(seal.MARK)]
    (toy / "flags.cfg").write_text("".join(old))
    run = json.loads((toy / "run.json").read_text())
    (toy / "run.json").write_text(json.dumps({k: v for k, v in run.items() if k != "sealed"}))
    assert restored(toy).step == 4
    sentence = mistake("trainers.main", *AGAIN, "--steps=6", f"--workdir={toy}")
    assert "earlier version of tfgen" in sentence


def test_bits_of_a_checkpoint_that_flip_are_all_seen(toy):
    """One byte in each of some hundred places of every file; the slow suite does more."""
    flip_bits(toy, every=400)


@pytest.mark.slow
def test_bits_of_a_checkpoint_that_flip_are_all_seen_at_many_places(toy):
    assert flip_bits(toy, every=17) > 2000


def flip_bits(workdir: pathlib.Path, every: int) -> int:
    """Flips a bit at many places of the newest checkpoint, and returns at how many."""
    directory = workdir / "checkpoints"
    place, count = directory / "step-0000000004", 0
    for path in sorted(p for p in place.rglob("*") if p.is_file()):
        whole = path.read_bytes()
        for at in range(0, len(whole), max(1, min(every, len(whole) // 10))):
            changed = bytearray(whole)
            changed[at] ^= 1 << at % 8
            path.write_bytes(changed)
            with contextlib.redirect_stderr(None):
                assert checkpoints.newest_whole(directory, set_aside=False) == 0, (path.name, at)
            count += 1
        path.write_bytes(whole)
    assert checkpoints.newest_whole(directory) == 4
    return count


# the best checkpoint


@pytest.fixture(scope="module")
def best_run(tmp_path_factory) -> pathlib.Path:
    """Returns a run whose best checkpoint is not among its newest."""
    workdir = tmp_path_factory.mktemp("best") / "run"
    append = Metrics.append

    def logged(self, kind, step, values):
        gap = {4: -3.0}.get(step, float(step))
        append(self, kind, step, values | ({"energy_gap": gap} if kind == "train" else {}))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Metrics, "append", logged)
        flags = ("--steps=12", "--save_every=2", "--keep=1", "--keep_best=energy_gap")
        command_line.train(workdir, *TOY, *flags, "--sample_every=12")
    return workdir


def test_the_best_checkpoint_is_kept_beside_the_newest_and_the_newest_good_one(best_run):
    assert checkpoints.steps(best_run / "checkpoints") == [4, 10, 12]


def test_commands_take_the_best_checkpoint(best_run, tmp_path):
    workdir = shutil.copytree(best_run, tmp_path / "run")
    assert restored(workdir, "best").step == 4
    flags = (f"--workdir={workdir}", "--metrics=reconstruction", "--step=best")
    command_line.start("trainers.evaluate", *flags)
    assert {row["step"] for row in rows(workdir, "evaluation")} == {4}


def test_a_measured_number_may_choose_the_best_checkpoint(tmp_path):
    metrics = Metrics(tmp_path / "metrics.jsonl")
    for step, value in ((2, 5.0), (4, 3.0), (6, 4.0)):
        metrics.append("train", step, {"energy_gap": -step})
        metrics.append("evaluation", step, {"metric": "fid/distance", "value": value})
    assert best.step_of(metrics, "fid/distance", [2, 4, 6]) == 4
    assert best.step_of(metrics, "fid/distance", [2, 6]) == 6
    assert best.step_of(metrics, "fid/distance:higher", [2, 4, 6]) == 2
    assert best.step_of(metrics, "energy_gap", [2, 4, 6]) == 6
    assert best.step_of(metrics, "energy_gap", [8]) is None


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("energy_gap", "lower"),
        ("accuracy", "higher"),
        ("accuracy:lower", "lower"),
        ("fid/distance", "lower"),
        ("precision_recall/precision", "higher"),
    ],
)
def test_numbers_have_their_directions(name, direction):
    assert best.direction_of(name) == direction


@pytest.mark.parametrize("name", ["nothing", "fid/nothing", "nothing/fid", "accuracy:up", ":lower"])
def test_a_number_that_is_never_known_is_refused(toy, name):
    before = content(toy)
    sentence = mistake("trainers.main", *AGAIN, f"--keep_best={name}", f"--workdir={toy}")
    assert "--keep_best" in sentence or "--metrics" in sentence
    assert content(toy) == before


def test_a_run_that_keeps_no_best_has_none(toy):
    with pytest.raises(UserError, match="trained without --keep_best"):
        restored(toy, "best")
    ask = ("--metrics=reconstruction", f"--workdir={toy}", "--step=newest")
    assert "a number of updates, or best" in mistake("trainers.evaluate", *ask)


# signals


def asked(number: int, step: int, monkeypatch) -> None:
    """Makes a training send itself a signal after an update."""
    batch_end = callbacks.Progress.on_train_batch_end

    def send(self, batch, logs=None):
        batch_end(self, batch, logs)
        if self.model.num_updates == step:
            os.kill(os.getpid(), number)

    monkeypatch.setattr(callbacks.Progress, "on_train_batch_end", send)


@pytest.mark.parametrize(
    ("number", "step", "code"),
    [(signal.SIGTERM, 5, 143), (signal.SIGINT, 5, 130), (signal.SIGTERM, 6, 143)],
    ids=["SIGTERM", "Ctrl-C", "at the end of an interval"],
)
def test_a_training_that_is_asked_to_stop_saves_and_goes_on_bit_for_bit(
    tmp_path, monkeypatch, capsys, number, step, code, longer_toy
):
    with monkeypatch.context() as patch:
        asked(number, step, patch)
        with pytest.raises(SystemExit) as ended:
            command_line.train(tmp_path / "run", *AGAIN, "--steps=8")
    assert ended.value.code == code
    assert f"saved at step {step}; the same command goes on" in capsys.readouterr().err
    assert checkpoints.steps(tmp_path / "run" / "checkpoints") == [0, 4, step]
    command_line.train(tmp_path / "run", *AGAIN, "--steps=8")
    assert same_numbers(tmp_path / "run", longer_toy)
    assert checkpoints.steps(tmp_path / "run" / "checkpoints") == [0, 4, 8]
    for ours, theirs in zip(
        rows(tmp_path / "run", "train"), rows(longer_toy, "train"), strict=True
    ):
        assert {n: v for n, v in ours.items() if n != "seconds"} == {
            n: v for n, v in theirs.items() if n != "seconds"
        }


@pytest.fixture(scope="module")
def longer_toy(tmp_path_factory) -> pathlib.Path:
    """Returns a run of 8 updates that nobody stopped."""
    workdir = tmp_path_factory.mktemp("longer") / "run"
    command_line.train(workdir, *AGAIN, "--steps=8")
    return workdir


def test_a_lost_terminal_does_not_end_a_training(tmp_path, monkeypatch):
    asked(signal.SIGHUP, 3, monkeypatch)
    command_line.train(tmp_path / "run", *AGAIN)
    assert [row["step"] for row in rows(tmp_path / "run", "train")] == [2, 4]


def test_another_command_that_is_interrupted_says_so_and_ends_with_130(toy, monkeypatch, capsys):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluate, "restored", interrupted)
    with pytest.raises(SystemExit) as ended:
        command_line.start("trainers.evaluate", f"--workdir={toy}", "--metrics=reconstruction")
    assert ended.value.code == 130
    assert "interrupted; " in capsys.readouterr().err


def test_a_second_ctrl_c_stops_at_once():
    with lasting.stop_requests() as request:
        os.kill(os.getpid(), signal.SIGINT)
        assert request.signal == signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


# terminals, pipes and disks that go away


@pytest.mark.parametrize("kind", ["pipe", "full disk", "closed"])
def test_output_that_nobody_takes_ends_nothing(tmp_path, kind):
    """What a closed pipe, a full disk and a missing stream do to a real process."""
    program = (
        "import sys\n"
        "from trainers.run import lasting\n"
        "with lasting.output():\n"
        "    for _ in range(20000):\n"
        "        print('x' * 100)\n"
        "        print('x' * 100, file=sys.stderr)\n"
        f"open({str(tmp_path / 'done')!r}, 'w').write('done')\n"
    )
    redirection = {"pipe": "2>&1 | head -c 1", "full disk": ">/dev/full 2>&1", "closed": ">&- 2>&-"}
    line = f'"{sys.executable}" -c "$PROGRAM" {redirection[kind]}; echo ${{PIPESTATUS[0]}}'
    environment = os.environ | {"PROGRAM": program}
    found = subprocess.run(
        ["bash", "-c", line], env=environment, capture_output=True, text=True, check=True
    )
    assert (tmp_path / "done").read_text() == "done"
    assert found.stdout.split()[-1].removeprefix("x") == "0"
    assert found.stderr == ""


class Broken:
    """A terminal that is gone."""

    encoding, errors = "utf-8", "strict"

    def write(self, text):
        raise OSError(5, "Input/output error")

    def flush(self):
        raise OSError(5, "Input/output error")

    def isatty(self):
        return False

    def fileno(self):
        raise ValueError("none")


def test_a_training_whose_terminal_is_gone_ends_well(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Broken())
    monkeypatch.setattr(sys, "stdout", Broken())
    command_line.train(tmp_path / "run", *AGAIN)
    assert [row["step"] for row in rows(tmp_path / "run", "train")] == [2, 4]


def test_what_is_measured_is_printed_where_it_may_not_be_written(toy, monkeypatch, capsys):
    def refused(self, kind, step, values):
        raise PermissionError(13, "Permission denied", str(self.path))

    monkeypatch.setattr(Metrics, "append", refused)
    command_line.start("trainers.evaluate", f"--workdir={toy}", "--metrics=reconstruction")
    found = capsys.readouterr()
    assert "reconstruction/test_mse: " in found.out
    assert "is printed and not written" in found.err
    assert "Permission denied" in found.err
    assert rows(toy, "evaluation") == []


# divergence


def test_the_second_divergence_without_progress_goes_to_the_second_newest(tmp_path, monkeypatch):
    """A newest checkpoint that is poisoned is left for the one before it, and for good."""
    workdir = tmp_path / "run"
    command_line.train(workdir, *AGAIN, "--steps=8", "--save_every=2", "--sample_every=8")
    assert checkpoints.steps(workdir / "checkpoints") == [4, 6, 8]
    log_end, seen = callbacks.Guard.on_epoch_end, []

    def poisoned(self, epoch, logs=None):
        step = self.experiment.algorithm.num_updates
        seen.append((step, self.experiment.algorithm.retries))
        if step == 10 and len(seen) <= 2:  # whatever goes on from step 8, twice
            logs = logs | {"energy_gap": float("nan")}
        log_end(self, epoch, logs)

    monkeypatch.setattr(callbacks.Guard, "on_epoch_end", poisoned)
    command_line.train(workdir, *AGAIN, "--steps=12", "--save_every=2", "--sample_every=12")
    told = rows(workdir, "guard")
    assert [(row["times"], row["rolled_back_to"]) for row in told] == [(1, 8), (2, 6)]
    assert seen == [(10, 0), (10, 1), (8, 2), (10, 2), (12, 2)]
    assert [row["step"] for row in rows(workdir, "train")] == [2, 4, 6, 8, 10, 12]
    assert rows(workdir, "train")[-2]["energy_learning_rate"] == pytest.approx(0.01 / 4)


def test_the_noise_after_a_roll_back_is_another_and_a_resumed_run_draws_it_again(toy):
    run = experiment.Experiment(command_line.values("trainers.main", *AGAIN, f"--workdir={toy}"))
    seeds = []
    for retries in (0, 1, 2, 1):
        run.algorithm.retry(retries, 1.0)
        seeds.append(np.array(run.algorithm.root).tolist())
    assert seeds[1] == seeds[3]
    assert len({tuple(seed) for seed in seeds}) == 3


def test_a_run_says_what_the_guard_does_when_it_begins(toy, capsys):
    values = command_line.values("trainers.main", *AGAIN)
    row = {"rate_factor": 0.25, "step_factor": 0.5, "times": 2, "furthest": 4}
    row |= {
        "rolled_back_to": 2,
        "reason": "energy_gap is nan",
        "rates": main.guard.rates_of(values),
    }
    Metrics(toy / "metrics.jsonl").append("guard", 4, row)
    command_line.train(toy, *AGAIN, "--steps=6")
    said = capsys.readouterr().err
    assert "learning rates by 0.25 and step sizes by 0.5 since the divergence at step 4" in said
    assert rows(toy, "train")[-1]["energy_learning_rate"] == pytest.approx(0.0025)
    command_line.train(toy, *AGAIN, "--steps=8", "--energy.learning_rate=0.02")
    assert "the guard multiplies" not in capsys.readouterr().err
    assert rows(toy, "train")[-1]["energy_learning_rate"] == pytest.approx(0.02)


def test_tensorboard_forgets_what_is_made_again(tmp_path):
    from tensorboard.backend.event_processing import plugin_event_accumulator

    main.Board(tmp_path, purged=1).scalars(10, {"gap": 1.0})
    board = main.Board(tmp_path, purged=11)
    for step in (20, 30):
        board.scalars(step, {"gap": 1.0})
    board = main.Board(tmp_path, purged=21)
    board.scalars(30, {"gap": 2.0})
    found = plugin_event_accumulator.EventAccumulator(str(tmp_path / "tensorboard"))
    found.Reload()
    assert [event.step for event in found.Tensors("gap")] == [10, 20, 30]


def test_tensorboard_on_a_full_disk_ends_nothing(tmp_path, capsys):
    (tmp_path / "tensorboard").write_text("a file where a directory should be")
    board = main.Board(tmp_path, purged=1)
    board.scalars(1, {"gap": 1.0})
    assert "nothing more is written there" in capsys.readouterr().err


def test_stopping_by_a_signal_has_the_exit_code_that_shells_know(capsys):
    with pytest.raises(SystemExit) as ended:
        commands.stop(signal.SIGTERM, "saved")
    assert ended.value.code == 143
    assert capsys.readouterr().err == "asked to end; saved\n"


def test_the_guard_shortens_the_steps_of_the_sampler(toy):
    run = experiment.Experiment(command_line.values("trainers.main", *AGAIN, f"--workdir={toy}"))
    image = tf.constant(run.images.train.as_float()[:8])
    moved = []
    for factor in (1.0, 1e-4):
        run.algorithm.model.persistent_chains.restart()
        run.algorithm.retry(0, factor)
        before = np.array(run.algorithm.model.persistent_chains.state)
        run.algorithm.update({"image": image, "index": tf.range(8)}, run.algorithm.root)
        moved.append(np.abs(run.algorithm.model.persistent_chains.state - before).mean())
    assert moved[1] == pytest.approx(1e-4 * moved[0], rel=0.05)
    run.algorithm.save_model(toy / "model")
    assert saved.load(toy / "model").sampling.kernel.step_size == pytest.approx(1e-5)
