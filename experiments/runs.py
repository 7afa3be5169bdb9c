"""Training runs of an experiment: carried out and measured as far as that was not done."""

import pathlib
import subprocess
import sys
from typing import NamedTuple

from tfgen.errors import UserError
from tfgen.models import saved
from trainers.run import checkpoints, identity
from trainers.run.metrics import Metrics

FLAGFILES = pathlib.Path("trainers/flagfiles")


class Run(NamedTuple):
    """One training run, and the measurements that it needs.

    Attributes:
        workdir: its work directory.
        training: flags of `trainers.main`, without the work directory.
        measuring: flags of `trainers.evaluate`, without the work directory and the metrics.
        metrics: names of measurements.
    """

    workdir: pathlib.Path
    training: list[str]
    measuring: list[str]
    metrics: list[str]


def carry_out(run: Run) -> None:
    """Trains a run to its end and measures it, as far as that was not done."""
    if not is_finished(run.workdir):
        call("trainers.main", *run.training, f"--workdir={run.workdir}")
    # rows are named MEASUREMENT/VALUE
    rows = Metrics(run.workdir / "metrics.jsonl").rows("evaluation")
    made = {row["metric"].partition("/")[0] for row in rows}
    missing = [metric for metric in run.metrics if metric not in made]
    if missing:
        metrics = f"--metrics={','.join(missing)}"
        call("trainers.evaluate", f"--workdir={run.workdir}", metrics, *run.measuring)


def is_finished(workdir: pathlib.Path) -> bool:
    """Returns whether a run has made all its updates."""
    if not (workdir / saved.RUN).exists():
        return False
    return identity.flags_of(workdir).steps in checkpoints.steps(workdir / "checkpoints")


def call(module: str, *flags: str) -> None:
    """Runs one of the project's commands in a process of its own.

    Args:
        module: of the command, such as `trainers.main`.
        flags: its command line.

    Raises:
        UserError: if it fails; the message ends with the last line that it wrote.
    """
    command = [sys.executable, "-m", module, *flags]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode:
        last = (finished.stderr.strip() or "it said nothing").splitlines()[-1]
        raise UserError(f"python -m {module} {' '.join(flags)} failed: {last}")
