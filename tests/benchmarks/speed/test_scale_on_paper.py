"""What is computed of a recipe's nets is what a run of it really has."""

import pytest
from support import command_line

from benchmarks.speed import scale_on_paper
from trainers.run.experiment import Experiment


@pytest.mark.parametrize("recipe", ["generative_convnet_digits_cpu", "vae_digits_cpu"])
def test_bytes_are_those_of_a_runs_variables(recipe, tmp_path):
    found = scale_on_paper.counted(recipe, (8, 8, 1))
    flags = [f"--flagfile={recipe}", f"--workdir={tmp_path / 'run'}"]
    algorithm = Experiment(command_line.values("trainers.main", *flags)).algorithm
    trained = [v for role in algorithm.nets for v in algorithm.parameters(role)]
    assert found.gradients == sum(v.numpy().nbytes for v in trained)
    slots = [v for optimizer in algorithm.optimizers.values() for v in optimizer.variables]
    # numbers such as the count of iterations take no memory to speak of
    assert found.slots == sum(v.numpy().nbytes for v in slots if v.shape)
    if recipe.startswith("generative_convnet"):
        chains = algorithm.model.persistent_chains
        assert found.chains == chains.state.numpy().nbytes
        assert found.num_chains == chains.num
    else:
        assert found.chains == found.num_chains == 0


def test_a_ring_of_two_devices_sends_each_gradient_once_a_reduction_and_half_of_the_chains():
    found = scale_on_paper.Counted(
        gradients=2**20,
        weights=2**20,
        slots=0,
        chains=2**21,
        num_chains=10,
        picture=3000,
        batch=100,
    )
    two, four = scale_on_paper.rows(found, [2, 4], None, seconds=0.5)
    assert two == [2, "200", "3", "5", "1.2"]
    assert four[2] in ("4", "5")  # 4.5, rounded
    assert four[3] == "3"
