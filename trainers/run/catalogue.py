"""What there is to train: algorithms, their roles and hyperparameters, net families, read off files and signatures.

`--algorithm=generative_convnet` names the file `tfgen/algorithms/generative_convnet.py`. The keyword-only
parameters of its class are hyperparameters; its positional ones are roles, nets that the functions of those
names in the file `tfgen/nets/NAME.py` of a family build.
"""

import difflib
import functools
import importlib
import inspect
import pkgutil
import types
from collections.abc import Callable

import tfgen.algorithms
import tfgen.nets.families
from tfgen.errors import UserError
from tfgen.training.algorithm import Algorithm

GIVEN = ("image_shape", "image_mean", "train_size", "num_incomplete", "seed")
"""Parameters that the experiment fills in itself, for the algorithms that have them."""

Parameters = dict[str, inspect.Parameter]


@functools.cache
def algorithms() -> tuple[str, ...]:
    """The names of all algorithms: their files'."""
    return tuple(
        m.name for m in pkgutil.iter_modules(tfgen.algorithms.__path__) if m.name != "base"
    )


def algorithm_class(name: str) -> type[Algorithm]:
    """The one subclass of `Algorithm` that the file of this name defines."""
    module = _import("algorithm", "tfgen.algorithms", name, algorithms())
    members = inspect.getmembers(module, inspect.isclass)
    return next(
        c for _, c in members if issubclass(c, Algorithm) and c.__module__ == module.__name__
    )


def roles(name: str) -> list[str]:
    """The nets that an algorithm wants."""
    signature = inspect.signature(algorithm_class(name))
    return [p.name for p in signature.parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]


@functools.cache
def families() -> tuple[str, ...]:
    """The names of all net families: the files of `tfgen/nets` that have a function for some role."""
    wanted = {role for name in algorithms() for role in roles(name)}
    names = [m.name for m in pkgutil.iter_modules(tfgen.nets.families.__path__)]
    return tuple(
        n
        for n in names
        if any(
            hasattr(importlib.import_module(f"tfgen.nets.families.{n}"), role) for role in wanted
        )
    )


def net_function(family: str, role: str) -> Callable:
    """The function that builds a role's net."""
    module = _import("nets", "tfgen.nets.families", family, families())
    if not hasattr(module, role):
        raise UserError(
            f"nets: expected a family with a net for the role {role} and found none in {family}"
        )
    return getattr(module, role)


def hyperparameters(function: Callable) -> Parameters:
    """The keyword-only parameters that the user sets."""
    parameters = inspect.signature(function).parameters
    return {n: p for n, p in parameters.items() if p.kind is p.KEYWORD_ONLY and n not in GIVEN}


def _import(flag: str, package: str, name: str, known: tuple[str, ...]) -> types.ModuleType:
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        raise UserError(
            f"--{flag}: expected one of {', '.join(known)} and found {name or 'nothing'}"
            + (f"; did you mean {close[0]}?" if close else "")
        )
    return importlib.import_module(f"{package}.{name}")


def role_options() -> dict[str, Parameters]:
    """For each role the options that any family gives it, the parameters of its functions."""
    found: dict[str, Parameters] = {}
    for role in dict.fromkeys(role for name in algorithms() for role in roles(name)):
        found[role] = {}
        for family in families():
            if hasattr(importlib.import_module(f"tfgen.nets.families.{family}"), role):
                found[role] |= hyperparameters(net_function(family, role))
    return found
