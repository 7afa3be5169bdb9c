"""The queue of commands: order, resuming, failures, signals, the lock, logs and listings."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from experiments import command_record, queue
from experiments.command_record import State

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture
def file(tmp_path, monkeypatch) -> pathlib.Path:
    """A queue's file, whose commands write into its directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "queue.txt"


def entries(file: pathlib.Path) -> dict[str, dict]:
    """Returns the rows of the record, by command."""
    lines = file.with_name("queue.txt.record.jsonl").read_text().splitlines()
    return {row["command"]: row for row in map(json.loads, lines)}


def outcome(file: pathlib.Path, *options: str) -> str:
    """Runs the queue in this process, and returns its last sentence; empty if all went well."""
    try:
        queue.main([str(file), "--nice=0", *options])
    except SystemExit as ended:
        return str(ended.code)
    return ""


def started(file: pathlib.Path, *options: str) -> subprocess.Popen:
    """Starts the queue in a process of its own, which a SIGINT ends as in a terminal."""
    # a process whose parent ignores SIGINT, as what a shell runs in the background does, ignores it
    signal.signal(signal.SIGINT, signal.default_int_handler)
    command = [sys.executable, "-m", "experiments.queue", str(file), "--nice=0", *options]
    return subprocess.Popen(
        command, cwd=file.parent, env=os.environ | {"PYTHONPATH": str(ROOT)}, text=True
    )


def wait_for(path: pathlib.Path) -> None:
    """Waits until a file exists."""
    for _ in range(1000):
        if path.exists():
            return
        time.sleep(0.02)
    raise TimeoutError(path)


def test_commands_run_in_order_and_comments_do_not(file):
    file.write_text("# echo 0 >> out\n\necho 1 >> out  # the first\n  echo 2 >> out\n")
    assert outcome(file) == ""
    assert pathlib.Path("out").read_text() == "1\n2\n"


def test_a_record_tells_when_each_command_ran_and_how_it_ended(file):
    file.write_text("sleep 0.2\nexit 3\n")
    assert outcome(file).startswith("1 of the commands failed")
    found = entries(file)
    assert found["sleep 0.2"]["exit_code"] == 0
    assert 0.2 <= found["sleep 0.2"]["seconds"] < 5
    assert found["sleep 0.2"]["start"] <= found["sleep 0.2"]["end"] <= found["exit 3"]["start"]
    assert found["exit 3"]["exit_code"] == 3


def test_what_is_done_is_skipped_and_what_failed_runs_again(file):
    file.write_text("echo a >> out\necho b >> out; test -e ready\n")
    assert outcome(file) != ""
    pathlib.Path("ready").touch()
    assert outcome(file) == ""
    assert outcome(file) == ""
    assert pathlib.Path("out").read_text() == "a\nb\nb\n"


def test_a_line_that_stands_twice_runs_once(file):
    file.write_text("echo a >> out\necho a >> out\n")
    outcome(file)
    assert pathlib.Path("out").read_text() == "a\n"


@pytest.mark.parametrize(("options", "ran"), [((), "ab"), (("--stop_on_failure",), "a")])
def test_a_failure_ends_the_queue_only_if_asked(file, options, ran):
    file.write_text("printf a >> out; false\nprintf b >> out\n")
    assert "1 of the commands failed" in outcome(file, *options)
    assert pathlib.Path("out").read_text() == ran


def test_lines_added_while_the_queue_runs_are_run(file):
    file.write_text("echo 'echo late >> out' >> queue.txt\n")
    outcome(file)
    assert pathlib.Path("out").read_text() == "late\n"


def test_a_command_that_is_killed_runs_again(file):
    """The first two runs kill their shell; the third finds both marks and ends well."""
    file.write_text("test -e b || { test -e a && touch b || touch a; kill -9 $$; }\n")
    assert outcome(file) == ""
    assert [row["exit_code"] for row in entries(file).values()] == [0]


def test_a_command_that_is_always_killed_is_given_up_but_not_done(file):
    file.write_text("echo try >> out; kill -9 $$\necho next >> out\n")
    assert "1 of the commands failed" in outcome(file, "--attempts=2")
    assert pathlib.Path("out").read_text() == "try\ntry\nnext\n"
    record = command_record.Record(file.with_name("queue.txt.record.jsonl"))
    assert record.state("echo try >> out; kill -9 $$") is State.INTERRUPTED


def test_a_crash_is_a_failure_and_does_not_run_again(file):
    file.write_text("echo try >> out; kill -SEGV $$\n")
    assert "1 of the commands failed" in outcome(file)
    assert pathlib.Path("out").read_text() == "try\n"


def test_each_command_has_a_log_of_its_own_with_all_its_runs(file):
    file.write_text(
        "echo out; echo err >&2; test -e ready || { touch ready; false; }\necho other\n"
    )
    outcome(file)
    outcome(file)
    rows = entries(file)
    first, second = (file.with_name("queue.txt.logs") / row["log"] for row in rows.values())
    lines = first.read_text().splitlines()
    assert [line for line in lines if not line.startswith("==")] == ["out", "err"] * 2
    assert sum(line.startswith("==") for line in lines) == 2
    assert second.read_text().splitlines()[-1] == "other"


def test_threads_and_niceness_reach_the_commands(file):
    names = " ".join(f"${name}" for name in queue.THREADS)
    file.write_text(f"echo {names} $(nice) > out\n")
    outcome(file, "--threads=2", "--nice=3")
    *threads, niceness = pathlib.Path("out").read_text().split()
    assert threads == ["2"] * len(queue.THREADS)
    assert int(niceness) == min(os.nice(0) + 3, 19)


def test_without_threads_the_environment_is_left_alone():
    assert queue.environment({"OMP_NUM_THREADS": "7"}, None) == {"OMP_NUM_THREADS": "7"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_command_and_records_nothing_as_done(file, number):
    """The command's own child ends too; the next queue runs the same command again."""
    command = "echo x >> out; test -e ready || { sleep 60 & echo $! > child; wait; }"
    file.write_text(f"{command}\necho next >> out\n")
    process = started(file)
    wait_for(file.parent / "child")
    process.send_signal(number)
    assert process.wait(20) == 1
    assert entries(file)[command]["exit_code"] is None
    child = int((file.parent / "child").read_text())
    assert not is_running(child)
    pathlib.Path("ready").touch()
    assert outcome(file) == ""
    assert pathlib.Path("out").read_text() == "x\nx\nnext\n"


def is_running(process: int) -> bool:
    """Returns whether a process runs; one that ended and was not waited for does not."""
    try:
        status = pathlib.Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_a_command_that_ignores_sigterm_is_killed_after_the_grace(file):
    file.write_text("trap '' TERM; touch begun; while true; do sleep 0.1; done\n")
    process = started(file, "--grace=0.3")
    wait_for(file.parent / "begun")
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 1


def test_a_second_queue_of_the_file_is_refused(file):
    file.write_text("touch begun; while ! test -e ready; do sleep 0.05; done\n")
    process = started(file)
    wait_for(file.parent / "begun")
    sentence = outcome(file)
    assert "expected no other queue of this file" in sentence
    assert str(process.pid) in sentence
    (file.parent / "ready").touch()
    assert process.wait(20) == 0


def test_a_queue_that_was_killed_starts_again_only_after_its_command_has_ended(file):
    """Otherwise two processes would train in one work directory."""
    file.write_text("touch begun; while ! test -e ready; do sleep 0.05; done; echo x >> out\n")
    process = started(file)
    wait_for(file.parent / "begun")
    process.kill()
    process.wait(20)
    assert "or a command that it started, still running" in outcome(file)
    (file.parent / "ready").touch()
    wait_for(file.parent / "out")
    for _ in range(200):
        if "still running" not in outcome(file):
            break
        time.sleep(0.02)
    assert pathlib.Path("out").read_text() == "x\nx\n"


def test_a_dry_run_lists_what_is_left_and_runs_nothing(file, capsys):
    file.write_text("echo a >> out\n")
    outcome(file)
    file.write_text("echo a >> out\necho b >> out\n")
    capsys.readouterr()
    assert outcome(file, "--dry_run") == ""
    listed = capsys.readouterr().out
    assert "echo b >> out" in listed
    assert "echo a >> out" not in listed
    assert pathlib.Path("out").read_text() == "a\n"


def test_the_status_tells_what_is_done_failed_running_and_waiting(file, capsys):
    running = "touch begun; while ! test -e ready; do sleep 0.05; done"
    file.write_text(f"true\nexit 3\n{running}\necho last\n")
    process = started(file)
    wait_for(file.parent / "begun")
    assert outcome(file, "--status") == ""
    states = [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]]
    (file.parent / "ready").touch()
    process.wait(20)
    assert states == ["done", "failed", "running", "waiting"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [(("--threads=0",), "--threads: expected"), (("--attempts=0",), "--attempts: expected")],
)
def test_numbers_out_of_range_are_refused(file, options, sentence):
    file.write_text("true\n")
    assert sentence in outcome(file, *options)


def test_a_file_that_does_not_exist_is_named(file):
    assert f"no {file}" in outcome(file)


def test_a_broken_record_is_named(file):
    file.write_text("true\n")
    file.with_name("queue.txt.record.jsonl").write_text("{}\n")
    assert "queue.txt.record.jsonl: expected a row of a queue's record" in outcome(file)


def test_the_queue_does_not_load_tensorflow(file):
    """It waits for hours beside the commands, which need the memory."""
    file.write_text("true\n")
    command = [sys.executable, "-X", "importtime", "-m", "experiments.queue", str(file), "--status"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stderr
    assert "experiments.queue_files" in said
    assert "tensorflow" not in said
