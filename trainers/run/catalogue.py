"""What there is to train: algorithms, their roles and hyperparameters, and the nets for the roles.

All of it is read off files and signatures. `--algorithm=generative_convnet` names the file
`tfgen/algorithms/generative_convnet.py`. The keyword-only parameters of its class are
hyperparameters; its positional ones are roles. `--nets=NAME` names a file of
`tfgen/nets/families`, or else a user's own Python module; its function with the name of a role
builds the net of that role.
"""

import difflib
import functools
import importlib
import inspect
import pathlib
import pkgutil
import sys
import types
from collections.abc import Callable, Sequence

import keras

import tfgen.algorithms
import tfgen.nets.families
from tfgen.errors import UserError
from tfgen.training.algorithm import Algorithm
from trainers.run import signatures

GIVEN = ("image_shape", "image_mean", "train_size", "num_incomplete", "seed")
"""Parameters that the experiment fills in itself, for the algorithms that have them."""

Parameters = dict[str, inspect.Parameter]

NetFunction = Callable[..., keras.Model]
"""Builds a net: takes image_shape (height, width, channels) and keyword options."""


@functools.cache
def algorithms() -> tuple[str, ...]:
    """Returns the names of all algorithms, which are those of their files."""
    return tuple(m.name for m in pkgutil.iter_modules(tfgen.algorithms.__path__))


def algorithm_class(name: str) -> type[Algorithm]:
    """Returns the one subclass of `Algorithm` that the file of this name defines.

    Raises:
        UserError: if there is no such file.
    """
    if name not in algorithms():
        raise UserError(_unknown("algorithm", name, algorithms()))
    module = importlib.import_module(f"tfgen.algorithms.{name}")
    members = inspect.getmembers(module, inspect.isclass)
    own = [cls for _, cls in members if cls.__module__ == module.__name__]
    return next(cls for cls in own if issubclass(cls, Algorithm))


def roles(name: str) -> list[str]:
    """Returns the roles of an algorithm's nets, in the order of its constructor."""
    signature = inspect.signature(algorithm_class(name))
    return [p.name for p in signature.parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]


@functools.cache
def families() -> tuple[str, ...]:
    """Returns the names of the library's net families, which are those of their files."""
    return tuple(m.name for m in pkgutil.iter_modules(tfgen.nets.families.__path__))


def net_function(nets: str, role: str) -> NetFunction:
    """Returns the function that builds a role's net.

    Args:
        nets: a family of the library, or a Python module in the current directory or on the path.
        role: of an algorithm.

    Raises:
        UserError: if there is no such module, it has no function for the role, or the function
            takes options that no flag can hold.
    """
    module = _net_module(nets)
    function = vars(module).get(role)
    if not inspect.isfunction(function):
        raise UserError(
            f"--nets: expected a function {role}(image_shape, *, ...) in {nets}, for the role "
            f"{role}, and found none"
        )
    # conformance tests ask the same of the library's families
    if nets in families():
        return function
    _check_options(f"{nets}.{role}", function)
    return _checked(f"{nets}.{role}", function)


def hyperparameters(function: Callable) -> Parameters:
    """Returns the keyword-only parameters that the user sets, by name."""
    parameters = inspect.signature(function).parameters
    return {n: p for n, p in parameters.items() if p.kind is p.KEYWORD_ONLY and n not in GIVEN}


def role_parameters(nets: str, role: str) -> list[signatures.Option]:
    """Returns the options of a role's net: their kinds, ranges, defaults and meanings.

    Args:
        nets: see `net_function`.
        role: see `net_function`.
    """
    function = net_function(nets, role)
    return signatures.options(function, hyperparameters(function))


def role_options(nets: str | None = None) -> dict[str, Parameters]:
    """Returns all options of nets by role and name.

    Args:
        nets: a user's own module, whose options count beside those of the library's families.
    """
    found: dict[str, Parameters] = {role: {} for name in algorithms() for role in roles(name)}
    every = dict.fromkeys([*families(), *([] if nets is None else [nets])])
    for role, options in found.items():
        for name in every:
            if inspect.isfunction(vars(_net_module(name)).get(role)):
                options |= hyperparameters(net_function(name, role))
    return found


def _net_module(name: str) -> types.ModuleType:
    """Imports a family, or a user's module."""
    if name in families():
        return importlib.import_module(f"tfgen.nets.families.{name}")
    if not name:
        raise UserError(_unknown("nets", name, families(), "or a Python module"))
    here = str(pathlib.Path.cwd())
    if here not in sys.path:
        sys.path.append(here)  # last, so that no file here takes the place of a library
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # a module that the user's own module lacks is another matter
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise UserError(_unknown("nets", name, families(), "or a Python module")) from error
        raise UserError(_broken(name, error)) from error
    except UserError:
        raise
    except Exception as error:
        raise UserError(_broken(name, error)) from error


def _broken(name: str, error: Exception) -> str:
    return (
        f"--nets: expected a module that can be imported and {name} failed with "
        f"{type(error).__name__}: {' '.join(str(error).split())}"
    )


def _unknown(flag: str, name: str, known: Sequence[str], other: str = "") -> str:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    choices = " ".join(filter(None, [", ".join(known), other]))
    return f"--{flag}: expected one of {choices} and found {name or 'nothing'}{hint}"


def _check_options(name: str, function: NetFunction) -> None:
    """Raises UserError unless each option of a user's function can be a flag."""
    try:
        signatures.options(function, hyperparameters(function))
    except (KeyError, NameError, TypeError) as error:
        raise UserError(
            f"--nets: expected each keyword option of {name} to be annotated with bool, int, float "
            f"or str, and found another ({error})"
        ) from error
    for option, parameter in hyperparameters(function).items():
        if parameter.default is parameter.empty:
            raise UserError(f"--nets: expected a default of {name}'s option {option}, found none")


def _checked(name: str, function: NetFunction) -> NetFunction:
    """Returns a user's function, which then refuses to build anything but Keras models."""

    @functools.wraps(function)
    def build(*args, **kwargs) -> keras.Model:
        net = function(*args, **kwargs)
        if not isinstance(net, keras.Model):
            found = type(net).__name__
            raise UserError(f"--nets: expected a keras.Model from {name} and found a {found}")
        return net

    return build
