"""A flag is declared once: by a parameter, its annotation, its default and its docstring."""

import dataclasses
from typing import Annotated

import keras
import pytest
from absl import flags as absl_flags
from support.command_line import TOY, values

from tfgen.errors import OneOf, Range, UserError
from trainers.run import catalogue, flags, optimizers, options, parsing, signatures


class Owner:
    """Something with hyperparameters.

    Args:
        rate: how fast,
            in two lines.
        rounds: how often.
        sigma: None takes the preset's.
        clamp: whether to.
        kernel: which.
    """

    def __init__(
        self,
        *,
        rate: Annotated[float, Range(above=0, most=2)] = 0.5,
        rounds: Annotated[int, Range(least=1)] = 3,
        sigma: Annotated[float | None, Range(above=0)] = None,
        bias: Annotated[float, Range(least=0)] | None = None,
        clamp: bool = False,
        kernel: Annotated[str, OneOf("langevin", "mala")] = "langevin",
    ):
        pass


def defined() -> absl_flags.FlagValues:
    """Returns the flags of the owner."""
    found = absl_flags.FlagValues()
    flags.define_parameters(found, "owner", catalogue.hyperparameters(Owner), Owner)
    return found


def parsed(*words: str) -> absl_flags.FlagValues:
    """Returns the flags of the owner, read."""
    return parsing.parse(["", *words], defined())


def test_kinds_and_defaults_come_from_the_signature():
    found = parsed()
    given = {name: found[f"owner.{name}"].value for name in catalogue.hyperparameters(Owner)}
    assert given == {
        "rate": 0.5,
        "rounds": 3,
        "sigma": None,
        "bias": None,
        "clamp": False,
        "kernel": "langevin",
    }
    found = parsed("--owner.rate=1", "--owner.rounds=7", "--owner.sigma=2", "--owner.clamp")
    assert type(found["owner.rate"].value) is float
    assert found["owner.rounds"].value == 7
    assert found["owner.sigma"].value == 2.0
    assert found["owner.clamp"].value is True


def test_help_comes_from_the_docstring():
    assert defined()["owner.rate"].help == "how fast, in two lines."


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("rate=0", "a number above 0 and at most 2"),
        ("rate=2.1", "a number above 0 and at most 2"),
        ("rate=nan", "a number above 0 and at most 2"),
        ("rate=fast", "a number above 0 and at most 2"),
        ("rounds=0", "a whole number at least 1"),
        ("rounds=1.5", "a whole number at least 1"),
        ("sigma=0", "a number above 0"),
        ("bias=-1", "a number at least 0"),
        ("kernel=hmc", "one of langevin, mala"),
    ],
)
def test_a_value_out_of_its_declared_range_is_refused(word, expected):
    name, _, found = word.partition("=")
    with pytest.raises(UserError) as refused:
        parsed(f"--owner.{word}")
    assert str(refused.value) == f"--owner.{name}: expected {expected} and found {found}"


@pytest.mark.parametrize("hint", [float | int, dict[str, int], tuple[int, int]])
def test_a_parameter_that_no_flag_can_hold_is_an_error_of_ours(hint):
    with pytest.raises(TypeError, match="expected bool, int, float"):
        signatures.kind_of(hint)


def test_the_flags_of_a_run_are_the_fields_of_its_options():
    found = values("trainers.main", *TOY)
    for declared in flags.GROUPS.values():
        for field in dataclasses.fields(declared):
            assert found[field.name].default == field.default
            assert found[field.name].help


@pytest.mark.parametrize("name", optimizers.NAMES)
def test_every_role_has_the_flags_of_an_optimizer(name):
    found = values("trainers.main", *TOY)
    (field,) = [f for f in dataclasses.fields(optimizers.OptimizerOptions) if f.name == name]
    for role in catalogue.role_options():
        assert found[f"{role}.{name}"].default == field.default
    assert f"energy.{name}" not in {f"energy.{o}" for o in flags.net_options(found, "energy")}


def test_epsilon_is_adams_and_its_default_is_keras():
    optimizer = optimizers.build(values("trainers.main", *TOY), "energy").optimizer
    assert optimizer.epsilon == keras.optimizers.Adam().epsilon == 1e-7
    given = values("trainers.main", *TOY, "--energy.epsilon=1e-3")
    assert optimizers.build(given, "energy").optimizer.epsilon == 1e-3
    given = values("trainers.main", *TOY, "--energy.epsilon=1e-3", "--energy.optimizer=sgd")
    assert isinstance(optimizers.build(given, "energy").optimizer, keras.optimizers.SGD)


def test_the_flags_of_a_command_are_not_written_into_a_run():
    given = values("trainers.main", "--flagfile=vae_digits_cpu", "--workdir=w", "--verbose")
    lines = flags.written(given).splitlines()
    assert "--algorithm=vae" in lines
    assert not [line for line in lines if "flagfile" in line or "verbose" in line]


def test_options_are_read_back_from_their_flags():
    found = options.read(options.RunOptions, values("trainers.main", *TOY, "--seed=3"))
    assert (found.seed, found.batch_size, found.workdir) == (3, 8, None)
    assert (
        options.read(options.DataOptions, values("trainers.main", *TOY)).dataset == "toy/gaussian"
    )
