"""Kernels by name, what is refused, and kernels as plain data."""

import json

import pytest
import tensorflow as tf

from tfgen import samplers
from tfgen.errors import UserError
from tfgen.samplers import (
    HMC,
    MALA,
    Adam,
    Adapted,
    Annealed,
    Descent,
    Langevin,
    Patchwork,
    Scheduled,
    Until,
)

KERNELS = [
    Langevin(0.1),
    Langevin(1 / 3, 0.1, max_grad_norm=2.0, bounds=(-1.0, 1.0)),
    Langevin.from_gradient_step(10.0, 0.005),
    MALA(1e-7, 2.0, (-1.0, 1.0)),
    HMC(0.1, 7, bounds=(0.0, 1.0)),
    Adam(0.1, 0.9),
    Descent(0.01, tolerance=1e-3),
    Annealed(Adam(0.1), 0.2, 0.7),
    Until(Annealed(Patchwork(Adam(0.1), 8, 2), 0.1), -1.5, 20, per_example=True),
    Scheduled(Langevin(0.1), 60, 0.1, 0.0),
    Adapted(MALA(0.1), 100, 0.4),
]


def refusal(name, **options):
    """The message to a user who asks for such a kernel."""
    with pytest.raises(UserError) as caught:
        samplers.kernel(name, **options)
    return str(caught.value)


def test_kernels_are_built_by_name():
    bounds = (-1.0, 1.0)
    expected = Langevin(0.1, 0.5, 2.0, bounds, None)
    options = {"step_size": 0.1, "temperature": 0.5, "bounds": bounds}
    assert samplers.kernel("langevin", max_grad_norm=2.0, **options) == expected
    assert samplers.kernel("mala", **options) == MALA(0.1, 0.5, bounds)
    assert samplers.kernel("hmc", **options) == HMC(0.1, 5, 0.5, bounds)
    assert samplers.kernel("hmc", step_size=0.1, num_leapfrog_steps=9) == HMC(0.1, 9)
    assert samplers.kernel("langevin", step_size=0.1, noise_scale=0.2).noise_scale == 0.2


def test_every_name_builds_a_kernel():
    for name in samplers.NAMES:
        assert isinstance(samplers.kernel(name, step_size=0.1), samplers.Kernel)


def test_an_unknown_name_is_refused_with_the_known_ones():
    assert refusal("nuts", step_size=0.1) == (
        "kernel: expected one of langevin, mala, hmc and found nuts"
    )


@pytest.mark.parametrize("name", ["mala", "hmc"])
def test_a_corrected_kernel_without_temperature_is_refused(name):
    assert "temperature: expected a number above 0" in refusal(name, step_size=1, temperature=0)
    assert "temperature: expected a number above 0" in refusal(name, step_size=1, temperature=-1)


@pytest.mark.parametrize("name", ["mala", "hmc"])
@pytest.mark.parametrize("option", ["max_grad_norm", "noise_scale"])
def test_what_langevin_alone_has_is_refused_elsewhere(name, option):
    message = refusal(name, step_size=0.1, **{option: 2.0})
    assert message == (
        f"{option}: expected none for the kernel {name}, since only langevin has it, and found 2.0"
    )


def test_leapfrog_steps_are_refused_where_there_are_none():
    assert refusal("mala", step_size=0.1, num_leapfrog_steps=3).startswith("num_leapfrog_steps:")


def test_values_out_of_range_are_refused():
    assert refusal("langevin", step_size=0) == "step_size: expected a number above 0 and found 0"
    message = refusal("langevin", step_size=1.0, temperature=-0.5)
    assert message == "temperature: expected a number at least 0 and found -0.5"


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: type(kernel).__name__)
def test_a_kernel_survives_json(kernel):
    described = json.loads(json.dumps(samplers.config(kernel)))
    assert samplers.from_config(described) == kernel


def test_a_description_is_read_without_its_defaults():
    assert samplers.from_config({"class": "Langevin", "step_size": 0.1}) == Langevin(0.1)


def test_a_tensor_is_no_plain_data():
    with pytest.raises(UserError, match=r"Langevin\.step_size: expected a plain number"):
        samplers.config(Langevin(tf.constant(0.1)))
    with pytest.raises(UserError, match=r"Langevin\.step_size: expected a plain number"):
        samplers.config(Until(Langevin(tf.constant(0.1))))


def test_unknown_classes_are_refused():
    class Mine(Langevin):
        """A kernel that this package does not know."""

    with pytest.raises(UserError, match="found Mine"):
        samplers.config(Mine(0.1))
    with pytest.raises(UserError, match="found Mine"):
        samplers.from_config({"class": "Mine", "step_size": 0.1})
