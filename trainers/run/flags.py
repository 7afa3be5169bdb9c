"""The flags of an experiment: of the run, its data, its algorithm and its nets.

A hyperparameter of an algorithm is the flag `--ALGORITHM.PARAMETER`. An option of a role's net, or
of its optimizer, is the flag `--ROLE.OPTION`.
"""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from absl import flags

from tfgen import errors
from trainers.run import catalogue, optimizers, options, parsing, signatures
from trainers.run.catalogue import Parameters
from trainers.run.parsing import parse, require
from trainers.run.signatures import Option

__all__ = ["define", "define_parameters", "net_options", "parse", "require", "written"]

GROUPS: dict[str, type] = {
    "run": options.RunOptions,
    "computation": options.ComputationOptions,
    "guard": options.GuardOptions,
    "data": options.DataOptions,
    "pictures": options.PictureOptions,
}
"""The flags without a prefix, by the titles that `--help` gives them."""


def define(values: flags.FlagValues) -> None:
    """Defines all flags of an experiment.

    Args:
        values: where to.
    """
    for title, declared in GROUPS.items():
        names = [field.name for field in dataclasses.fields(declared)]
        for option in signatures.options(declared, names):
            define_option(values, option.name, option, module=title)
    for name in catalogue.algorithms():
        cls = catalogue.algorithm_class(name)
        define_parameters(values, name, catalogue.hyperparameters(cls), cls)
    optimizer = signatures.options(optimizers.OptimizerOptions, optimizers.NAMES)
    for role, parameters in catalogue.role_options().items():
        define_parameters(values, role, parameters, None)
        for option in optimizer:
            define_option(values, f"{role}.{option.name}", option, module=role)


def define_own_nets(values: flags.FlagValues, argv: Sequence[str]) -> None:
    """Defines the options of a user's own module of nets, where the command line names one.

    Args:
        values: the flags of a command, among them `nets`.
        argv: the command line, the program's name first.

    Raises:
        UserError: if there is no such module, or its nets take options that no flag can hold.
    """
    words = parsing.with_flagfiles(argv)
    chosen = _last_value(words, "--nets")
    if chosen is None or chosen in catalogue.families():
        return
    for role, parameters in catalogue.role_options(chosen).items():
        new = {name: p for name, p in parameters.items() if f"{role}.{name}" not in values}
        define_parameters(values, role, new, None)


def _last_value(words: Sequence[str], name: str) -> str | None:
    """Returns the value that a command line gives a flag last, or None."""
    found = None
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == name:
            found = following
        elif word.startswith(f"{name}="):
            found = word.partition("=")[2]
    return found


def define_parameters(
    values: flags.FlagValues,
    prefix: str,
    parameters: Parameters,
    owner: Callable[..., Any] | None,
) -> None:
    """Defines a flag `--prefix.name` for each parameter.

    Args:
        values: where to.
        prefix: before the dot.
        parameters: bool, int, float or str, each maybe with None.
        owner: the class whose signature and docstring give defaults, ranges and help; None for a
            net's options, which have none of their own, since they differ from family to family.
    """
    for option in _declared(parameters, owner):
        define_option(values, f"{prefix}.{option.name}", option, module=prefix)


def _declared(parameters: Parameters, owner: Callable[..., Any] | None) -> Iterable[Option]:
    if owner is not None:
        return signatures.options(owner, parameters)
    text = "The net's own default unless given."
    return [
        Option(name, signatures.kind_of(parameter.annotation), None, None, text)
        for name, parameter in parameters.items()
    ]


def define_option(values: flags.FlagValues, name: str, option: Option, *, module: str) -> None:
    """Defines a flag.

    Args:
        values: where to.
        name: the flag's.
        option: the parameter that the flag sets.
        module: the title of its group in `--help`.
    """
    where: dict[str, Any] = {"flag_values": values, "module_name": module}
    if option.kind is bool:
        flags.DEFINE_boolean(name, option.default, option.meaning, **where)
    elif option.kind is list:
        flags.DEFINE_list(name, option.default, option.meaning, **where)
    else:
        parser = Parser(option)
        serializer: flags.ArgumentSerializer[Any] = flags.ArgumentSerializer()
        flags.DEFINE(parser, name, option.default, option.meaning, serializer=serializer, **where)


def define_seed(values: flags.FlagValues, module: str) -> None:
    """Defines the flag `--seed` of a command that draws.

    Args:
        values: where to.
        module: the title of its group in `--help`.
    """
    option = Option("seed", int, 0, errors.Seed, "Of all that is drawn.")
    define_option(values, option.name, option, module=module)


class Parser(flags.ArgumentParser):
    """A parser of a flag's value that checks it against the parameter's declaration.

    Args:
        option: the parameter, of int, float or str.
    """

    def __init__(self, option: Option):
        self.option = option
        self.syntactic_help = option.words

    def parse(self, argument: Any) -> Any:
        """Returns the value of a flag's text.

        Raises:
            ValueError: if the flag's parameter does not take it.
        """
        constraint = self.option.constraint
        refusal = f"expected {self.syntactic_help} and found {argument}"
        try:
            value = self.option.kind(argument)
        except ValueError:
            raise ValueError(refusal) from None
        if constraint is not None and not constraint.admits(value):
            raise ValueError(refusal)
        return value

    def flag_type(self) -> str:
        """Returns the type's name."""
        return self.option.kind.__name__


def net_options(values: flags.FlagValues, role: str) -> dict[str, object]:
    """Returns the options that are given for a role's net, by name; None where not given."""
    prefix = f"{role}."
    given = {
        name.removeprefix(prefix): values[name].value for name in values if name.startswith(prefix)
    }
    # a role may share its name with an algorithm, whose hyperparameters are no options of the net
    homonym = role in catalogue.algorithms()
    others = {
        *optimizers.NAMES,
        *(catalogue.hyperparameters(catalogue.algorithm_class(role)) if homonym else ()),
    }
    return {name: value for name, value in given.items() if name not in others}


def own(values: flags.FlagValues) -> list[str]:
    """Returns the names of the flags of a run, without those of other algorithms and roles."""
    prefixes = {values.algorithm, *catalogue.roles(values.algorithm)}
    names = [name for name in values if name not in parsing.SHARED]
    return [name for name in names if "." not in name or name.partition(".")[0] in prefixes]


def written(values: flags.FlagValues) -> str:
    """Returns the flags of a run as a flagfile."""
    given = (values[name] for name in own(values))
    lines = {flag.serialize() for flag in given if flag.value is not None}
    in_order = sorted(lines, key=lambda line: ("." in line, line))
    return "\n".join(in_order) + "\n"
