"""TensorFlow's start-up messages: not on a command's stderr unless asked for; errors always are."""

import os
import pathlib
import subprocess
import sys

import pytest

from trainers import quiet

ROOT = pathlib.Path(__file__).parents[2]
MESSAGES = (
    "All log messages before absl::InitializeLog()",
    "oneDNN custom operations are on",
    "Could not find cuda drivers",
    "This TensorFlow binary is optimized",
    "To enable the following instructions",
    "XLA service",
)
TRAINING = (
    "--flagfile=generative_convnet_digits_cpu",
    "--energy.width=0.125",
    "--generative_convnet.langevin_steps=1",
    "--generative_convnet.sample_steps=1",
    "--steps=2",
    "--log_every=1",
    "--save_every=2",
)


def stderr(*words: str, code: int = 0) -> str:
    """Returns what a process writes to stderr, in an environment that says nothing of logs."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TF_CPP")}
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == code, done.stderr
    return done.stderr


def test_help_writes_nothing_to_stderr():
    assert stderr("-m", "trainers.main", "--help") == ""


@pytest.mark.parametrize(
    "start",
    [
        ["-m", "trainers.main"],
        pytest.param(["-m", "trainers.cli", "train"], marks=pytest.mark.slow),
    ],
)
def test_training_writes_none_of_them(tmp_path, start):
    text = stderr(*start, *TRAINING, "--sample_every=2", f"--workdir={tmp_path / 'run'}")
    assert "a checkpoint takes" in text
    assert not [message for message in MESSAGES if message in text]


@pytest.mark.slow
def test_verbose_shows_them():
    text = stderr("-m", "trainers.main", "--verbose", "--help")
    assert "oneDNN custom operations are on" in text


def test_a_users_program_keeps_its_stderr():
    program = "import tfgen, trainers, export, tensorflow"
    assert "oneDNN custom operations are on" in stderr("-c", program)


def start_up(tmp_path: pathlib.Path, tensorflow: str, *arguments: str, code: int = 0) -> str:
    """Returns what a command that uses TensorFlow writes to stderr, with one of one statement."""
    (tmp_path / "tensorflow.py").write_text(tensorflow)
    path = f"import sys; sys.path.insert(0, {str(tmp_path)!r})"
    program = (
        f"{path}; from trainers import quiet; quiet.start({list(arguments)}); import tensorflow"
    )
    return stderr("-c", program, code=code)


def test_an_error_while_tensorflow_is_imported_is_seen(tmp_path):
    text = start_up(tmp_path, "raise ImportError('a broken installation')", code=1)
    assert "ImportError: a broken installation" in text


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [(("--help",), False), (("--help", "--verbose"), True), (("--verbose=true",), True)],
)
def test_verbose_holds_nothing_back_while_tensorflow_is_imported(tmp_path, arguments, shown):
    said = start_up(tmp_path, f"import os; os.write(2, {DROPPED[1]!r})", *arguments)
    assert said == (DROPPED[1].decode() if shown else "")


KEPT = [
    b"Traceback (most recent call last):\n",
    b"UserWarning: something of yours\n",
    b"E0000 00:00:1796055918.897235   12330 allocator.cc:52] out of memory\n",
    b"F0000 00:00:1796055918.897235   12330 check.cc:52] Check failed\n",
    b"2026-01-31 10:20:30.123456: E tensorflow/core/x.cc:153] a real error\n",
]
DROPPED = [
    b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n",
    b"I0000 00:00:1796055915.004138   12330 port.cc:153] oneDNN custom operations are on.\n",
    b"W0000 00:00:1796055915.004138   12330 computation_placer.cc:177] already registered\n",
    b"To enable the following instructions: AVX2 FMA, in other operations, rebuild\n",
    b"2026-01-31 10:20:30.123456: I tensorflow/core/util/port.cc:153] oneDNN\n",
    b"E0000 00:00:1796055918.897235   1 cuda_dnn.cc:8579] Unable to register cuDNN factory: x\n",
    b"E0000 00:00:1796055918.897235   1 cuda_platform.cc:52] failed call to cuInit: INTERNAL\n",
]


def test_only_the_known_lines_are_dropped():
    assert quiet.worth_reading(b"".join([*KEPT, *DROPPED])) == b"".join(KEPT)
    assert quiet.worth_reading(b"".join(DROPPED)) == b""


def test_what_was_held_back_is_written_when_the_block_fails(capfd):
    with pytest.raises(ImportError), quiet.held_back():
        os.write(2, DROPPED[0])
        raise ImportError
    assert capfd.readouterr().err.encode() == DROPPED[0]


def test_what_is_worth_reading_is_written_after_the_block(capfd):
    with quiet.held_back():
        os.write(2, DROPPED[0] + KEPT[0])
        assert capfd.readouterr().err == ""
    assert capfd.readouterr().err.encode() == KEPT[0]


@pytest.mark.parametrize(
    ("argv", "original", "expected"),
    [
        (["-m"], ["python", "-m", "trainers.main"], True),
        (["-m", "--steps=3"], ["python", "-X", "dev", "-m", "export.web", "--steps=3"], True),
        (["-m"], ["python", "-m", "mine.program"], False),
        (["program.py", "-m"], ["python", "program.py", "-m"], False),
        ([""], ["python"], False),
        ([], [], False),
    ],
)
def test_a_command_is_known_by_how_python_was_started(argv, original, expected):
    assert quiet.is_command(argv, original) is expected


@pytest.mark.parametrize(("arguments", "said"), [([], False), (["--verbose"], True)])
def test_that_an_export_cannot_be_trained_is_said_only_when_asked_for(arguments, said):
    code = (
        f"from trainers import quiet; quiet.start({arguments}); from absl import logging; "
        "logging.warning('Importing a function (f) with ops with unsaved custom gradients.'); "
        "logging.warning('Something else.')"
    )
    written = stderr("-c", code)
    assert ("unsaved custom gradients" in written) == said
    assert "Something else." in written
