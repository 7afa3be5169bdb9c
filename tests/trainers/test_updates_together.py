"""Several updates in one call of the graph are the same run."""

import numpy as np
import pytest
from support import command_line
from support.command_line import TOY, numbers, rows, values

from tfgen.errors import UserError
from trainers import main

RUN = (*TOY, "--steps=8", "--log_every=4", "--energy.ema=0.5")


@pytest.fixture(scope="module")
def one_by_one(tmp_path_factory):
    """Returns the work directory of a run whose updates are a call each."""
    workdir = tmp_path_factory.mktemp("one") / "run"
    command_line.train(workdir, *RUN)
    return workdir


def same(ours, theirs):
    """Asserts that two runs have equal numbers, and rows at the same steps."""
    ends, others = numbers(ours), numbers(theirs)
    for name in others:
        np.testing.assert_allclose(ends[name], others[name], rtol=1e-5, atol=1e-6, err_msg=name)
    for a, b in zip(rows(ours, "train"), rows(theirs, "train"), strict=True):
        assert a["step"] == b["step"]
        assert a["energy_data"] == pytest.approx(b["energy_data"], rel=1e-5)


def test_updates_together_are_the_same_run(one_by_one, tmp_path):
    command_line.train(tmp_path / "run", *RUN, "--steps_per_execution=4")
    same(tmp_path / "run", one_by_one)


def test_a_run_that_stands_between_two_calls_goes_on(one_by_one, tmp_path):
    """It stopped at step 6, and goes on with two updates of its interval one by one."""
    command_line.train(tmp_path / "run", *RUN, "--steps=6")
    command_line.train(tmp_path / "run", *RUN, "--steps_per_execution=4")
    ends, others = numbers(tmp_path / "run"), numbers(one_by_one)
    for name in others:
        np.testing.assert_allclose(ends[name], others[name], rtol=1e-5, atol=1e-6, err_msg=name)


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--log_every=6", "--log_every: expected a multiple of --steps_per_execution=4"),
        ("--steps=6", "--steps: expected a multiple of --steps_per_execution=4"),
    ],
)
def test_intervals_that_are_no_multiple_are_refused(tmp_path, flag, message):
    flags = (*RUN, "--save_every=12", "--sample_every=12", "--steps_per_execution=4", flag)
    with pytest.raises(UserError, match=message):
        main.main(values("trainers.main", *flags, f"--workdir={tmp_path / 'run'}"))


def test_what_acts_between_updates_takes_them_one_by_one(tmp_path):
    flags = [*RUN, "--steps_per_execution=4", "--generative_convnet.layer_iterations=2"]
    flags += ["--nets=generative_convnet_digits", "--dataset=digits"]
    with pytest.raises(UserError, match="acts between two updates"):
        main.main(values("trainers.main", *flags, f"--workdir={tmp_path / 'run'}"))
