"""Trainings that several processes share."""

import json
import math
import os
import random as python_random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from support import cascade_runs, two_workers
from support.command_line import (
    DIGITS,
    content,
    final_weights,
    mistake,
    numbers,
    rows,
    train,
)

from tfgen import random
from tfgen.data.examples import from_arrays
from tfgen.data.shares import Share
from tfgen.errors import UserError
from trainers.run import launcher, strategy
from trainers.run.workers import Workers

LONGER = (*DIGITS, "--steps=12", "--keep=9")


class Replicas:
    """Stands for a strategy of so many replicas."""

    def __init__(self, count):
        self.num_replicas_in_sync = count


def trained(workdir, *args, **options):
    """Trains on two workers, and checks that both end well."""
    codes = two_workers.train(workdir, *args, **options)
    assert codes == [0, 0], two_workers.logs(workdir)


def without_seconds(workdir):
    """Returns the rows of training without the times that they took."""
    return [{**row, "seconds": 0} for row in rows(workdir, "train")]


def test_two_workers_train_and_the_chief_alone_writes(tmp_path):
    """Files are those of a run of one process, and numbers are finite."""
    trained(tmp_path / "two", *DIGITS)
    assert [row["step"] for row in rows(tmp_path / "two", "train")] == [2, 4]
    for row in rows(tmp_path / "two", "train"):
        assert all(math.isfinite(v) for v in row.values() if isinstance(v, float))
    train(tmp_path / "one", *DIGITS)
    written, expected = (
        {path.partition(".out.")[0] for path in content(tmp_path / name)} for name in ("two", "one")
    )
    assert written == expected
    chief, other = ((tmp_path / f"two.log-{number}").read_text() for number in (0, 1))
    assert "trains on CPU, 2 replicas of 2 workers" in chief
    assert "trains on" not in other


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Trains two workers that nobody disturbs."""
    workdir = tmp_path_factory.mktemp("two_workers") / "run"
    trained(workdir, *LONGER)
    return workdir


@pytest.mark.slow
@pytest.mark.parametrize("worker", [0, 1])
def test_a_worker_killed_at_a_random_step_resumes_with_equal_bits(worker, whole, tmp_path):
    step = python_random.Random(worker).randint(5, 11)
    traps = {worker: ("batch", "", step)}
    assert two_workers.train(tmp_path / "run", *LONGER, traps=traps)[worker] == -signal.SIGKILL
    trained(tmp_path / "run", *LONGER)
    assert final_weights(tmp_path / "run") == final_weights(whole)
    assert without_seconds(tmp_path / "run") == without_seconds(whole)


@pytest.mark.slow
@pytest.mark.parametrize("event", [("open", "record.json", 2), ("os.rename", "step-", 2)])
def test_the_chief_killed_within_a_checkpoint_loses_nothing(event, whole, tmp_path):
    """The first checkpoint is of step 0, the second of step 4."""
    codes = two_workers.train(tmp_path / "run", *LONGER, traps={0: event})
    assert codes[0] == -signal.SIGKILL
    steps = [path.name for path in (tmp_path / "run" / "checkpoints").glob("step-*")]
    assert set(steps) <= {"step-0000000000"}  # which it may die within, too
    trained(tmp_path / "run", *LONGER)
    assert final_weights(tmp_path / "run") == final_weights(whole)


@pytest.mark.slow
def test_a_run_of_one_goes_on_with_two_workers_and_back(tmp_path):
    """The state is taken over as it is; only the noise of later updates is another."""
    train(tmp_path / "run", *DIGITS, "--keep=9")
    alone = numbers(tmp_path / "run")
    trained(tmp_path / "run", *DIGITS, "--keep=9", "--steps=8")
    train(tmp_path / "run", *DIGITS, "--keep=9", "--steps=10")
    assert [row["step"] for row in rows(tmp_path / "run", "train")] == [2, 4, 6, 8, 10]
    later = numbers(tmp_path / "run")
    assert {n: v.shape for n, v in alone.items()} == {n: v.shape for n, v in later.items()}
    (chains,) = [name for name in alone if "chains" in name]
    moved = np.abs(later[chains] - alone[chains]).reshape(len(alone[chains]), -1).max(axis=1)
    assert (moved > 0).all()
    apart = np.abs(later[chains][:, None] - later[chains][None]).reshape(8, 8, -1).max(axis=-1)
    assert apart[~np.eye(8, dtype=bool)].min() > 0.01


@pytest.mark.slow
def test_two_workers_roll_back_a_run_that_diverges_together(tmp_path):
    flags = (*DIGITS, "--steps=8", "--energy.optimizer=sgd", "--energy.learning_rate=1e30")
    codes = two_workers.train(tmp_path / "run", *flags, "--guard_rollbacks=2")
    assert codes == [1, 1], two_workers.logs(tmp_path / "run")
    assert len(rows(tmp_path / "run", "guard")) == 2
    assert "the run diverged 2 times" in (tmp_path / "run.log-0").read_text()


@pytest.mark.slow
def test_two_workers_end_the_stages_of_a_cascade_together(tmp_path):
    trained(tmp_path / "run", *cascade_runs.DIGITS)
    assert rows(tmp_path / "run", "train")[-1]["stage"] >= 1


def started(workdir, *flags):
    """Starts the command that starts two workers."""
    return subprocess.Popen(
        [sys.executable, "-m", "trainers.main", *flags, "--workers=2", f"--workdir={workdir}"],
        stderr=subprocess.PIPE,
        text=True,
        env={n: v for n, v in os.environ.items() if n != "TF_CONFIG"},
    )


@pytest.mark.slow
def test_a_signal_to_the_launcher_saves_and_stops_all(tmp_path):
    """Run again, it ends as the run that nobody stopped."""
    flags = (*DIGITS, "--steps=3000", "--log_every=1000", "--save_every=1000")
    flags = (*flags, "--sample_every=1000")
    process = started(tmp_path / "run", *flags)
    place, deadline = tmp_path / "run" / "checkpoints" / "step-0000000000", time.monotonic() + 200
    while not place.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(5)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGTERM, said
    assert "asked to end; saved at step" in said
    assert max((tmp_path / "run" / "checkpoints").glob("step-*")).name > "step-0000000000"


@pytest.mark.slow
def test_a_batch_that_two_workers_cannot_share_is_refused(tmp_path):
    process = started(tmp_path / "run", *DIGITS, "--batch_size=9")
    _, said = process.communicate(timeout=200)
    assert process.returncode == 1
    assert "error: --batch_size: expected a multiple of the 2 replicas" in said
    assert "and found 9; give 8 or 10" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("size", "replicas", "words"), [(9, 2, "give 8 or 10,"), (3, 4, "give 4,"), (130, 64, "128 or")]
)
def test_a_batch_that_replicas_cannot_share_names_the_nearest_that_they_can(size, replicas, words):
    strategy.check_batch(Replicas(replicas), replicas)
    with pytest.raises(UserError, match=words):
        strategy.check_batch(Replicas(replicas), size)


@pytest.mark.parametrize(
    ("config", "flags", "words"),
    [
        ("{}", (), "TF_CONFIG: expected"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}', (), "TF_CONF"),
        (
            '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}',
            ("--strategy=mirrored",),
            "expected multi_worker, since TF_CONFIG names 2 workers",
        ),
        (None, ("--strategy=multi_worker",), "expected TF_CONFIG, or a process started by srun"),
        (None, ("--strategy=one_device", "--workers=2"), "expected auto or multi_worker"),
        (None, ("--tpu=here",), "expected a TPU for auto"),
        (None, ("--tpu=here", "--strategy=mirrored"), "expected --strategy=tpu with it"),
    ],
)
def test_workers_that_cannot_be_are_a_users_mistake(config, flags, words, tmp_path, monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if config is not None:
        monkeypatch.setenv("TF_CONFIG", config)
    said = mistake("trainers.main", *DIGITS, *flags, f"--workdir={tmp_path / 'run'}")
    assert words in said
    assert not (tmp_path / "run").exists()


def test_a_machine_with_a_tpu_that_cannot_be_used_does_not_train_on_its_cpu(tmp_path, monkeypatch):
    monkeypatch.setenv("TPU_ACCELERATOR_TYPE", "v5litepod-8")
    said = mistake("trainers.main", *DIGITS, f"--workdir={tmp_path / 'run'}")
    assert "TPU_ACCELERATOR_TYPE say that there is one" in said
    train(tmp_path / "run", *DIGITS, "--strategy=one_device")


def test_one_process_agrees_with_itself_at_once():
    alone = Workers(strategy.build("one_device"))
    assert alone.is_chief
    assert not alone.several
    assert alone.largest(3) == 3
    assert alone.told({"a": [1, None]}) == {"a": [1, None]}
    assert alone.led(lambda: 5) == 5
    assert alone.alike("text")


@pytest.mark.parametrize("patch", [None, 3])
def test_shares_of_a_batch_are_the_whole_batch(patch):
    """Two workers of two replicas each, which take the parts of a batch of 8."""
    image = np.random.default_rng(0).integers(0, 256, (10, 6, 6, 1)).astype(np.uint8)
    examples = from_arrays(image, np.arange(10) % 3)
    object.__setattr__(examples, "patch_size", patch)
    whole = list(examples.batches(8, random.root(0), start=3).take(2))
    for first in (0, 2):
        share = Share(parts=4, first=first, count=2)
        parts = list(examples.batches(8, random.root(0), start=3, share=share).take(4))
        for number, part in enumerate(parts):
            place = slice(2 * (first + number % 2), 2 * (first + number % 2) + 2)
            for name, value in part.items():
                np.testing.assert_array_equal(value, whole[number // 2][name][place])


def processes(*programs):
    """Starts Python programs, and returns what the launcher makes of them."""
    return [subprocess.Popen([sys.executable, "-c", program]) for program in programs]


def test_the_launcher_ends_all_when_one_fails(monkeypatch):
    monkeypatch.setattr(launcher, "GRACE", 0.1)
    started = processes("import time; time.sleep(60)", "raise SystemExit(3)")
    assert launcher.first_failure(started) == 1
    with pytest.raises(SystemExit) as ended:
        launcher.end(started, 1, None)
    assert ended.value.code == 3
    assert started[0].returncode == -signal.SIGKILL


def test_the_launcher_waits_for_all_that_end_well():
    assert launcher.first_failure(processes("pass", "import time; time.sleep(0.2)")) is None


def test_each_process_of_the_launcher_is_told_its_place():
    found = [json.loads(e["TF_CONFIG"]) for e in launcher.environments(3)]
    assert [config["task"]["index"] for config in found] == [0, 1, 2]
    (cluster,) = {json.dumps(config["cluster"]) for config in found}
    assert len(set(json.loads(cluster)["worker"])) == 3
