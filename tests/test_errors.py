"""Checks of hyperparameters: what passes, what the messages say, where constraints are found."""

import dataclasses
import math
from typing import Annotated

import pytest
import tensorflow as tf

from tfgen import errors
from tfgen.errors import (
    AtLeastOne,
    Fraction,
    NotNegative,
    OneOf,
    Positive,
    Range,
    UserError,
    check,
    check_parameters,
    constraints,
)


class Base:
    """A constructor whose parameters are checked."""

    def __init__(
        self, *, rate: Annotated[float, Positive], decay: Annotated[float, Fraction] = 1.0
    ):
        self.rate, self.decay = rate, decay


class Derived(Base):
    """Narrows one parameter, adds others, passes the rest on."""

    def __init__(
        self,
        *,
        decay: Annotated[float, Range(above=0, most=0.5)] = 0.5,
        optimizer: Annotated[str, OneOf("adam", "sgd")] = "adam",
        depth: Annotated[int, AtLeastOne] | None = None,
        width: Annotated[int | None, AtLeastOne] = None,
        sizes: tuple[int, ...] = (),
        **others,
    ):
        super().__init__(decay=decay, **others)
        self.rest = optimizer, depth, width, sizes


@dataclasses.dataclass(frozen=True)
class Record:
    """A dataclass's constructor is read as any other."""

    noise: Annotated[float, NotNegative] = 0.0


def message(owner, **values):
    """What a user is told."""
    with pytest.raises(UserError) as caught:
        check_parameters(owner, values)
    return str(caught.value)


def test_check_returns_the_value_with_its_type():
    assert check("steps", 3, least=1) == 3
    assert isinstance(check("steps", 3, least=1), int)


@pytest.mark.parametrize(
    ("value", "limits", "words"),
    [
        (-1, {"above": 0}, "a number above 0"),
        (0, {"above": 0}, "a number above 0"),
        (0, {"least": 1}, "a number at least 1"),
        (1.5, {"least": 0, "most": 1}, "a number at least 0 and at most 1"),
        (math.nan, {"above": 0}, "a number above 0"),
        (math.nan, {}, "a number"),
    ],
)
def test_check_names_the_parameter_the_range_and_the_value(value, limits, words):
    with pytest.raises(UserError) as caught:
        check("sigma", value, **limits)
    assert str(caught.value) == f"sigma: expected {words} and found {value}"


def test_values_in_range_pass():
    check_parameters(Derived, {"rate": 1e-9, "decay": 0.5, "optimizer": "sgd", "depth": 1})
    check_parameters(Record, {"noise": 0.0})


def test_none_means_not_given_and_undeclared_names_pass():
    check_parameters(Derived, {"depth": None, "width": None, "sizes": (-1,), "unknown": -1})


def test_messages_are_those_of_check():
    assert message(Derived, rate=-1) == "rate: expected a number above 0 and found -1"
    assert message(Record, noise=-0.1) == "noise: expected a number at least 0 and found -0.1"


def test_a_choice_lists_what_is_allowed():
    assert message(Derived, optimizer="x") == "optimizer: expected one of adam, sgd and found x"


def test_optional_parameters_are_checked_when_given():
    assert message(Derived, depth=0) == "depth: expected a number at least 1 and found 0"
    assert message(Derived, width=0) == "width: expected a number at least 1 and found 0"


def test_a_subclass_has_the_last_word_about_a_parameter():
    check_parameters(Base, {"decay": 1.0})
    assert "above 0 and at most 0.5" in message(Derived, decay=1.0)


def test_a_function_declares_constraints_as_a_constructor_does():
    def net(width: Annotated[int, AtLeastOne], name: str = ""): ...

    assert constraints(net) == {"width": AtLeastOne}
    assert message(net, width=0) == "width: expected a number at least 1 and found 0"


def test_text_is_no_number_and_a_tensor_is_one_of_unknown_value():
    assert message(Base, rate="fast") == "rate: expected a number above 0 and found fast"
    check_parameters(Base, {"rate": tf.constant(-1.0)})


def test_an_open_end_is_not_in_the_range():
    assert Range(least=0, below=1).words == "a number at least 0 and below 1"
    assert [Range(below=1).admits(value) for value in (0.999, 1, math.inf)] == [True, False, False]


def test_a_user_error_is_a_value_error():
    assert issubclass(errors.UserError, ValueError)
