"""Runs the commands for tests: in this process, or in one of their own that may be killed."""

import contextlib
import functools
import importlib
import json
import multiprocessing
import os
import pathlib
import resource
import shutil
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from unittest import mock

import numpy as np
import tensorflow as tf
from absl import flags as absl_flags

TOY = (
    "--algorithm=generative_convnet",
    "--nets=toy",
    "--dataset=toy/gaussian",
    "--batch_size=8",
    "--steps=4",
    "--log_every=2",
    "--save_every=4",
    "--sample_every=4",
    "--energy.width=0.125",
    "--energy.learning_rate=0.01",
    "--generative_convnet.sigma=0.3",
    "--generative_convnet.step_size=0.1",
    "--generative_convnet.langevin_steps=2",
    "--generative_convnet.chains=8",
    "--generative_convnet.sample_steps=5",
)
"""The smallest experiment there is: points in the plane."""

DIGITS = (
    *(flag for flag in TOY if not flag.startswith(("--nets", "--dataset"))),
    "--nets=generative_convnet_digits",
    "--dataset=digits",
)
"""The same of 8x8 images with labels, by a net of two layers."""

TEXTURE = (
    *(flag for flag in TOY if not flag.startswith(("--nets", "--dataset"))),
    "--nets=generative_convnet_texture",
    "--energy.width=0.0625",
    "--energy.learning_rate=0.0001",
    "--dataset=textures/brick",
    "--image_size=64",
    "--patch_size=24",
    "--test_fraction=0.5",
)
"""The same of patches of a texture, by a net that takes images of any size."""

# the servers of other contexts import TensorFlow anew for each process; this one imports it once
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["trainers.main"])


def values(module: str, *args: str) -> absl_flags.FlagValues:
    """Returns the parsed flags of a command."""
    from trainers.run import flags, parsing

    found = absl_flags.FlagValues()
    parsing.define_shared(found)
    getattr(importlib.import_module(module), "define", flags.define)(found)
    return flags.parse([module, *args], found)


@functools.cache
def recipe(path: pathlib.Path) -> absl_flags.FlagValues:
    """Returns the parsed flags of a flagfile, which is read once; no test may change them."""
    return values("trainers.main", f"--flagfile={path}")


def start(module: str, *args: str) -> None:
    """Runs a command as `python -m MODULE ARGS` does, in this process."""
    from trainers.run import commands, flags

    found = importlib.import_module(module)
    with mock.patch.object(sys, "argv", [module, *args]):
        commands.run(found.main, getattr(found, "define", flags.define), found.__doc__)


@contextlib.contextmanager
def eagerly(eager: bool = True) -> Iterator[None]:
    """Runs functions without their graphs in a block, or with them."""
    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(eager)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(before)


def train(workdir: pathlib.Path, *args: str) -> None:
    """Trains in this process."""
    start("trainers.main", *args, f"--workdir={workdir}")


def mistake(module: str, *args: str) -> str:
    """Returns the one sentence that a command ends with, and checks that it is one.

    Python prints it and exits with 1.
    """
    try:
        start(module, *args)
    except SystemExit as error:
        assert isinstance(error.code, str), f"exit code {error.code} and no sentence"
        assert error.code.startswith("error: ")
        assert "\n" not in error.code.strip()
        assert len(error.code) < 800
        return error.code
    raise AssertionError(f"{module} {' '.join(args)} ended well")


def content(directory: pathlib.Path) -> dict[str, bytes]:
    """Returns the content of all files under a directory by path; empty if there is none."""
    return {
        str(f.relative_to(directory)): f.read_bytes()
        for f in sorted(directory.rglob("*"))
        if f.is_file()
    }


def rows(workdir: pathlib.Path, kind: str) -> list[dict]:
    """Returns the rows of metrics.jsonl of a kind; every line must be whole."""
    lines = (workdir / "metrics.jsonl").read_text().splitlines()
    return [row for row in map(json.loads, lines) if row["kind"] == kind]


def final_weights(workdir: pathlib.Path) -> bytes:
    """Returns the newest checkpoint's numbers as they are on disk."""
    newest = max((workdir / "checkpoints").glob("step-*"))
    return b"".join(f.read_bytes() for f in sorted(newest.glob("state.data*")))


def numbers(workdir: pathlib.Path) -> dict[str, np.ndarray]:
    """Returns the newest checkpoint's tensors by name.

    Names of layers, which count up within one process, are left out.
    """
    reader = tf.train.load_checkpoint(str(max((workdir / "checkpoints").glob("step-*")) / "state"))
    names = [
        name
        for name in reader.get_variable_to_shape_map()
        if name != "_CHECKPOINTABLE_OBJECT_GRAPH"
    ]
    return {name: reader.get_tensor(name) for name in names}


def same_numbers(ours: pathlib.Path, theirs: pathlib.Path) -> bool:
    """Returns whether the newest checkpoints of two runs hold the same numbers, bit for bit."""
    a, b = numbers(ours), numbers(theirs)
    return a.keys() == b.keys() and all(a[name].tobytes() == b[name].tobytes() for name in a)


def spawned(
    module: str, *args: str, log: pathlib.Path, traps: Sequence[tuple] = (), largest_file: int = 0
) -> int:
    """Runs a command in a process of its own, eagerly if this process runs functions so.

    Args:
        module: the command.
        args: its flags.
        log: what it printed, stdout and stderr.
        traps: `(event, path, number)` each: the process kills itself by SIGKILL when it is about to
            do this, for the number-th time, to a path that contains this. Events are those of
            `sys.audit` on files: open, os.rename, os.remove, os.mkdir, shutil.rmtree. Others are
            `batch`, with a step; `roll_back`, with how many files a roll-back has touched, or at
            its end if it touches fewer; `synthesis`, with how many steps of an introspective
            network's syntheses have begun.
        largest_file: bytes after which the system refuses to let a file grow.

    Returns:
        The exit code; minus the signal's number for a process that was killed.
    """
    eager = tf.config.functions_run_eagerly()
    process = FORKS.Process(
        target=run_here, args=(module, args, str(log), traps, largest_file, eager)
    )
    process.start()
    process.join(240)
    assert process.exitcode is not None, "the command hangs"
    return process.exitcode


def run_here(
    module: str,
    args: tuple[str, ...],
    log: str,
    traps: Sequence[tuple],
    largest_file: int,
    eager: bool,
) -> None:
    """Runs a command in this process and ends it; see `spawned`."""
    tf.config.run_functions_eagerly(eager)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    for trap in traps:
        _set(*trap)
    if largest_file:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    try:
        start(module, *args)
        code = 0
    except SystemExit as error:  # what the interpreter does with it
        code = 1 if isinstance(error.code, str) else int(error.code or 0)
        sys.stderr.write(f"{error.code}\n")
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stderr.flush()
    sys.stdout.flush()
    os._exit(code)


def _set(event: str, path: str, number: int) -> None:
    if event == "batch":
        from trainers.run import callbacks

        def die_at(self, batch, logs=None):
            if self.model.num_updates == number:
                os.kill(os.getpid(), signal.SIGKILL)

        callbacks.Progress.on_train_batch_end = die_at
        return
    if event == "synthesis":
        _die_within_synthesis(number)
        return
    if event == "roll_back":
        from trainers import main

        roll_back = main.roll_back

        def die_within(experiment, *args):
            for touching in Recorder.EVENTS:
                _set(touching, str(experiment.workdir), number)
            roll_back(experiment, *args)
            os.kill(os.getpid(), signal.SIGKILL)

        main.roll_back = die_within
        return
    seen = 0

    def hook(name, arguments):
        nonlocal seen
        if name == event and any(
            path in str(a) for a in arguments[:2] if isinstance(a, str | os.PathLike)
        ):
            seen += 1
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def _die_within_synthesis(number: int) -> None:
    from tfgen.training import introspection

    run, seen = introspection.run, 0

    def count(x):
        del x
        nonlocal seen
        seen += 1
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(kernel, energy, *args):
        def same_energy(x):
            with tf.control_dependencies([tf.py_function(count, [x], [])]):
                return energy(tf.identity(x))

        return run(kernel, same_energy, *args)

    introspection.run = counted


class Recorder:
    """Copies a directory whenever this process is about to change a file in it.

    A copy is what a kill at that moment would leave.

    Args:
        directory: to watch.
        copies: where copies go, numbered from 0.
    """

    EVENTS = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree")

    _active: "Recorder | None" = None
    _hooked = False

    def __init__(self, directory: pathlib.Path, copies: pathlib.Path):
        self.directory = directory
        self.copies = copies
        self.count = 0
        self._busy = False

    def __enter__(self) -> "Recorder":
        if not Recorder._hooked:  # a hook can never be removed
            sys.addaudithook(Recorder._hook)
            Recorder._hooked = True
        Recorder._active = self
        return self

    def __exit__(self, *error) -> None:
        Recorder._active = None

    @staticmethod
    def _hook(event, arguments) -> None:
        active = Recorder._active
        if active is not None and event in Recorder.EVENTS and not active._busy:
            active._record(arguments)

    def _record(self, arguments) -> None:
        if not any(
            str(self.directory) in str(a) for a in arguments[:2] if isinstance(a, str | os.PathLike)
        ):
            return
        self._busy = True
        try:
            shutil.copytree(self.directory, self.copies / str(self.count))
            self.count += 1
        finally:
            self._busy = False
