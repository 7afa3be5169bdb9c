"""Reads types, defaults, ranges and documentation of parameters from signatures and docstrings."""

import dataclasses
import functools
import inspect
import types
import typing
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import docstring_parser
from docstring_parser.common import Docstring, DocstringStyle

from tfgen import errors

KINDS = (bool, int, float, str)


class Option(NamedTuple):
    """A parameter as its signature and its docstring declare it."""

    name: str
    kind: type
    """bool, int, float, str, or list: of words."""
    default: Any
    """None: not given."""
    constraint: errors.Constraint | None
    meaning: str

    @property
    def words(self) -> str:
        """The expected values, for messages and help: "a whole number at least 1"."""
        kinds = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
        if self.kind is list:
            return "words separated by commas"
        if self.constraint is None:
            return kinds[self.kind]
        return self.constraint.words.replace("a number", kinds[self.kind])


def options(owner: Callable[..., Any], names: Iterable[str]) -> list[Option]:
    """Reads parameters of a class or a function.

    Args:
        owner: its annotations give kinds and ranges, its defaults the defaults, its docstring, or
            the docstrings below a dataclass's fields, the meanings.
        names: of the parameters.

    Returns:
        An option for each name, in their order.
    """
    parameters = inspect.signature(owner).parameters
    hints = _hints(owner)
    constraints = errors.constraints(owner)
    meanings = {p.arg_name: _one_line(p.description) for p in _documentation(owner).params}
    return [
        Option(
            name=name,
            kind=kind_of(hints[name]),
            default=parameters[name].default,
            constraint=constraints.get(name),
            meaning=meanings.get(name, ""),
        )
        for name in names
    ]


def kind_of(hint: Any) -> type:
    """Returns the type of a parameter's values.

    Args:
        hint: an annotation such as `float`, `float | None`, `Annotated[float, Range(above=0)]`, or
            `list[str]`.

    Raises:
        TypeError: if a flag cannot hold such values.
    """
    if typing.get_origin(hint) is typing.Annotated:
        return kind_of(hint.__origin__)
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        others = [part for part in typing.get_args(hint) if part is not types.NoneType]
        if len(others) == 1:
            return kind_of(others[0])
    if typing.get_origin(hint) is list:
        return list
    if hint in KINDS:
        return hint
    raise TypeError(f"expected bool, int, float, str or list[str], maybe with None, found {hint}")


def _hints(owner: Callable[..., Any]) -> dict[str, Any]:
    """Returns the annotations of a function, or of a class's own and inherited constructors."""
    if not isinstance(owner, type):
        return typing.get_type_hints(owner, include_extras=True)
    found: dict[str, Any] = {}
    for base in reversed(owner.__mro__):
        if "__init__" in vars(base):
            found |= typing.get_type_hints(vars(base)["__init__"], include_extras=True)
    return found


@functools.cache
def _documentation(owner: Callable[..., Any]) -> Docstring:
    if dataclasses.is_dataclass(owner):
        return docstring_parser.parse_from_object(owner, style=DocstringStyle.GOOGLE)
    return docstring_parser.parse(inspect.getdoc(owner) or "", style=DocstringStyle.GOOGLE)


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())
