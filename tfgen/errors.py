"""The mistakes a user can mend, and the checks of hyperparameters that report them."""

import dataclasses
import math
import numbers
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

Number = TypeVar("Number", bound=float)


class UserError(ValueError):
    """A mistake in a flag, a file or a data set.

    Its text is one sentence that names the culprit and says what was expected. The commands print
    it without a traceback and exit with code 1.
    """


@dataclasses.dataclass(frozen=True)
class Range:
    """The range of a numeric hyperparameter, declared on a constructor's parameter.

    Args:
        above: the value must exceed this.
        least: the value must not be below this.
        most: the value must not exceed this.
        below: the value must be less than this.

    Example:
        ```python
        def __init__(self, *, step_size: Annotated[float, Range(above=0)]): ...
        ```
    """

    above: float = -math.inf
    least: float = -math.inf
    most: float = math.inf
    below: float = math.inf

    @property
    def words(self) -> str:
        """What is expected, for messages and help: "a number above 0 and at most 1"."""
        bounds = {
            "above": self.above,
            "at least": self.least,
            "at most": self.most,
            "below": self.below,
        }
        stated = [
            f"{word} {_plain(bound)}" for word, bound in bounds.items() if math.isfinite(bound)
        ]
        return " ".join(["a number", " and ".join(stated)]).strip()

    def admits(self, value: Any) -> bool:
        """Returns whether a number lies in the range; a tensor's value is unknown and passes."""
        if isinstance(value, str):
            return False
        if not isinstance(value, numbers.Real):
            return True
        # written so that NaN, which compares false with everything, is refused
        number = float(value)
        return self.above < number < self.below and self.least <= number <= self.most


def _plain(bound: float) -> str:
    """Returns a number with all digits of a whole one."""
    return str(int(bound)) if bound == int(bound) else f"{bound:g}"


@dataclasses.dataclass(frozen=True, init=False)
class OneOf:
    """The allowed values of a named choice, declared on a constructor's parameter.

    Args:
        choices: the allowed values, in the order that help and messages list them.

    Example:
        ```python
        def __init__(self, *, optimizer: Annotated[str, OneOf("adam", "sgd")]): ...
        ```
    """

    choices: tuple[str, ...]

    def __init__(self, *choices: str):
        object.__setattr__(self, "choices", choices)

    @property
    def words(self) -> str:
        """What is expected, for messages and help: "one of adam, sgd"."""
        return f"one of {', '.join(self.choices)}"

    def admits(self, value: Any) -> bool:
        """Returns whether a value is one of the choices."""
        return value in self.choices


Constraint = Range | OneOf

Positive = Range(above=0)
NotNegative = Range(least=0)
AtLeastOne = Range(least=1)
Fraction = Range(least=0, most=1)
Seed = Range(least=0, most=2**32 - 1)
"""Of seeds: NumPy takes no others, and of larger ones the library would use the lower bits."""


def check(
    name: str,
    value: Number,
    *,
    above: float = -math.inf,
    least: float = -math.inf,
    most: float = math.inf,
) -> Number:
    """Returns a hyperparameter if it is in its range.

    Args:
        name: of the hyperparameter.
        value: what was given.
        above: it must exceed this.
        least: it must not be below this.
        most: it must not exceed this.

    Returns:
        The value.

    Raises:
        UserError: if it is out of its range.
    """
    _refuse_unless_admitted(name, value, Range(above, least, most))
    return value


def constraints(owner: Callable[..., Any]) -> dict[str, Constraint]:
    """Returns the constraints that parameters declare in their annotations.

    Args:
        owner: a class, whose own and inherited constructors are read, or a function.

    Returns:
        The Range or OneOf of each parameter that declares one, by the parameter's name.
    """
    makers: list[Callable[..., Any]] = [owner]
    if isinstance(owner, type):
        # base classes first, so that a subclass that declares a parameter anew has the last word
        own = [vars(base).get("__init__") for base in reversed(owner.__mro__)]
        makers = [maker for maker in own if maker is not None]
    found = {}
    for maker in makers:
        for name, hint in typing.get_type_hints(maker, include_extras=True).items():
            for constraint in _declared(hint):
                found[name] = constraint
    return found


def check_parameters(owner: Callable[..., Any], values: Mapping[str, Any]) -> None:
    """Checks hyperparameters against the constraints that `owner` declares for them.

    Args:
        owner: a class or a function whose parameters are annotated with Range or OneOf.
        values: by parameter name. None means "not given" and passes, as do names that declare
            nothing.

    Raises:
        UserError: at the first value that its constraint does not admit.

    Example:
        ```python
        def scale(width: Annotated[int, AtLeastOne]): ...

        check_parameters(scale, {"width": 0})
        # UserError: width: expected a number at least 1 and found 0
        ```
    """
    declared = constraints(owner)
    for name, value in values.items():
        if value is not None and name in declared:
            _refuse_unless_admitted(name, value, declared[name])


def _declared(hint: Any) -> Iterator[Constraint]:
    """Yields the constraints in a type hint, also inside of a union such as `... | None`."""
    if typing.get_origin(hint) is typing.Annotated:
        yield from (extra for extra in hint.__metadata__ if isinstance(extra, Constraint))
        return
    for part in typing.get_args(hint):
        yield from _declared(part)


def _refuse_unless_admitted(name: str, value: Any, constraint: Constraint) -> None:
    if not constraint.admits(value):
        raise UserError(f"{name}: expected {constraint.words} and found {value}")
