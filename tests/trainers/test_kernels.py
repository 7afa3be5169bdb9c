"""The kernel that samples in training, chosen and adapted through flags."""

import pytest
from support import command_line
from support.command_line import DIGITS, numbers, rows, same_numbers
from test_mistakes import refused

import tfgen
from trainers.run import checkpoints
from trainers.run.experiment import Experiment

pytestmark = pytest.mark.eager

ADAPTED = (
    *DIGITS,
    "--save_every=2",
    "--generative_convnet.sigma=0.5",
    "--generative_convnet.step_size=0.2",
    "--generative_convnet.target_acceptance=0.57",
)
HMC = pytest.param("hmc", marks=pytest.mark.slow)


def step_size(workdir, *flags):
    """Returns the adapted step size that the newest checkpoint of a run holds."""
    experiment = Experiment(command_line.values("trainers.main", *flags, f"--workdir={workdir}"))
    checkpoints.restore(experiment.checkpoints, experiment.state)
    return float(experiment.algorithm.step_size)


@pytest.mark.parametrize("kernel", ["mala", HMC])
def test_an_adapted_step_size_is_saved_and_resumed(tmp_path, kernel):
    """A run of two parts ends with the numbers of a run of one, bit for bit."""
    flags = (*ADAPTED, f"--generative_convnet.kernel={kernel}")
    command_line.train(tmp_path / "whole", *flags)
    for steps in (2, 4):
        command_line.train(tmp_path / "parts", *flags, f"--steps={steps}")
    assert same_numbers(tmp_path / "parts", tmp_path / "whole")

    found = rows(tmp_path / "whole", "train")
    assert all(0 <= row["acceptance"] <= 1 for row in found)
    # an acceptance below its target shortens the steps, and one above it lengthens them
    after = step_size(tmp_path / "whole", *flags)
    assert after != pytest.approx(0.2, rel=1e-3)
    assert (after > 0.2) == (sum(row["acceptance"] for row in found) / len(found) > 0.57)
    assert any(
        value.shape == () and value == after for value in numbers(tmp_path / "whole").values()
    )
    moving = tfgen.load(tmp_path / "whole").sampling.kernel
    assert type(moving).__name__.lower() == kernel
    assert moving.step_size == pytest.approx(after)  # new samples move by it too


@pytest.mark.parametrize("kernel", ["langevin", "mala", "hmc"])
def test_without_a_target_no_step_size_is_adapted(tmp_path, kernel):
    flags = (*DIGITS, f"--generative_convnet.kernel={kernel}", f"--workdir={tmp_path}")
    algorithm = Experiment(command_line.values("trainers.main", *flags)).algorithm
    assert algorithm.step_size is None
    found = algorithm.model.sampling.kernel
    assert (type(found).__name__.lower(), found.step_size) == (kernel, 0.1)


def test_a_target_acceptance_is_refused_for_langevin(tmp_path):
    sentence = refused(tmp_path, *DIGITS, "--generative_convnet.target_acceptance=0.57")
    assert "target_acceptance" in sentence
    assert "langevin" in sentence
    assert "mala or hmc" in sentence


def test_step_sizes_and_temperatures_that_change_reach_the_model(tmp_path):
    flags = (
        *DIGITS,
        "--generative_convnet.final_step_size=0.02",
        "--generative_convnet.final_temperature=0.5",
        "--generative_convnet.anneal_updates=4",
        "--generative_convnet.run_step_factor=0.5",
        "--generative_convnet.run_temperature_factor=0",
        f"--workdir={tmp_path / 'run'}",
    )
    algorithm = Experiment(command_line.values("trainers.main", *flags)).algorithm
    dynamics = algorithm.dynamics
    assert (dynamics.step_size, dynamics.final_step_size) == (0.1, 0.02)
    assert (dynamics.run_step_factor, dynamics.run_temperature_factor) == (0.5, 0.0)
    kernel = algorithm.model.sampling.kernel
    assert (kernel.step_size, kernel.temperature) == (0.02, 0.5)
