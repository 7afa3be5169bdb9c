"""What the tests of experiments share."""

import json
import pathlib
from collections.abc import Callable, Sequence

import pytest

from tfgen.models import saved


@pytest.fixture(scope="session")
def leave_run() -> Callable[..., None]:
    """Writes what a run leaves in its work directory, but for metrics.

    Its arguments are the directory, the run's flags, and the steps of its checkpoints.
    """

    def leave(workdir: pathlib.Path, flags: Sequence[str], steps: Sequence[int] = ()) -> None:
        workdir.mkdir(parents=True, exist_ok=True)
        (workdir / "flags.cfg").write_text("\n".join(flags))
        (workdir / saved.RUN).write_text(json.dumps(saved.describe_run()))
        for step in steps:
            saved.checkpoint(workdir / "checkpoints", step).mkdir(parents=True)

    return leave
