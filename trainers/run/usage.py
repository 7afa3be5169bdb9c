"""Help texts of the commands: a description, and the flags with ranges and defaults."""

import textwrap
from collections.abc import Sequence
from typing import Any

from absl import flags as absl_flags

from tfgen.errors import UserError
from trainers.run import parsing
from trainers.run.signatures import Option

WIDTH = 100
HOW_TO_CHOOSE = """\
To see the flags of an algorithm and its nets, name them, or a recipe, beside --help:
  --help --algorithm=NAME --nets=NAME
  --help --flagfile=NAME"""

Groups = dict[str, list[str]]
"""Entries of flags, by the title of their group."""


def page(values: absl_flags.FlagValues, doc: str, argv: Sequence[str]) -> str:
    """Returns the help of a command.

    Args:
        values: holds the definitions.
        doc: what the program does.
        argv: the command line without `--help`. Of an experiment's many flags, those of the
            algorithm and the nets that it chooses are shown, and none of the others'.

    Raises:
        UserError: if it chooses an algorithm or nets that do not exist.
    """
    note = ""
    if {"algorithm", "nets"} <= set(values):
        groups, note = _of_experiment(values, argv)
    else:
        groups = _all(values)
    sections = ["\n".join([f"{title}:", *flags]) for title, flags in groups.items()]
    return "\n\n".join(part for part in (doc.strip(), *sections, note) if part)


def _all(values: absl_flags.FlagValues) -> Groups:
    groups = values.flags_by_module_dict()
    return {title: [_flag(flag) for flag in flags] for title, flags in groups.items()}


def _of_experiment(values: absl_flags.FlagValues, argv: Sequence[str]) -> tuple[Groups, str]:
    """Returns the flags of the run and of what it chooses, and a note on how to see others."""
    from trainers.run import flags  # slow to import, and needed by this command alone

    try:
        parsing.parse(argv, values)
        chosen = values.algorithm
        note = ""
    except UserError as error:
        chosen = None
        note = f"What stands beside --help could not be read: {error}.\n\n"
    everything = _all(values)
    groups = {title: everything[title] for title in ("every command", *flags.GROUPS)}
    if chosen is None:
        return groups, note + _choices()
    return groups | _of_algorithm(values, everything), ""


def _of_algorithm(values: absl_flags.FlagValues, everything: Groups) -> Groups:
    """Returns the flags of the chosen algorithm, of its nets and of their optimizers."""
    from trainers.run import catalogue, optimizers, signatures

    prefix = f"{values.algorithm}."
    cls = catalogue.algorithm_class(values.algorithm)
    names = catalogue.hyperparameters(cls)
    groups = {f"algorithm {values.algorithm}": [_flag(values[prefix + name]) for name in names]}
    for role in catalogue.roles(values.algorithm):
        own = [f"{role}.{name}" for name in optimizers.NAMES]
        groups[f"optimizer of the {role} net"] = [_flag(values[name]) for name in own]
        if values.nets is None:
            continue
        function = catalogue.net_function(values.nets, role)
        declared = signatures.options(function, catalogue.hyperparameters(function))
        groups[f"{role} net of {values.nets}"] = [
            _option(f"{role}.{option.name}", option) for option in declared
        ]
    return groups


def _choices() -> str:
    from trainers.run import catalogue

    lists = (
        f"Algorithms: {', '.join(catalogue.algorithms())}.",
        f"Net families: {', '.join(catalogue.families())}.",
    )
    wrapped = [textwrap.fill(text, WIDTH, subsequent_indent="  ") for text in lists]
    return "\n\n".join([*wrapped, HOW_TO_CHOOSE])


def _flag(flag: absl_flags.Flag[Any]) -> str:
    kind = "true or false" if flag.boolean else flag.parser.syntactic_help
    notes = [kind, _said("default", flag.default)]
    if flag.present:
        notes.append(_said("here", flag.value))
    return entry(flag.name, notes, flag.help or "")


def _option(name: str, option: Option) -> str:
    return entry(name, [option.words, _said("default", option.default)], option.meaning)


def entry(name: str, notes: Sequence[str], meaning: str) -> str:
    """Formats the entry of a flag.

    Args:
        name: the flag's.
        notes: what stands beside it: what is expected, the default; empty ones are left out.
        meaning: what stands below it.
    """
    beside = "; ".join(note for note in notes if note) or "text"
    text = " ".join(meaning.split())
    indent = " " * 6
    below = textwrap.fill(text, WIDTH, initial_indent=indent, subsequent_indent=indent)
    return f"  --{name}: {beside}\n{below}"


def _said(word: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{word} {value:g}"
    if isinstance(value, bool):
        return f"{word} {str(value).lower()}"
    return f"{word} {','.join(value) if isinstance(value, list) else value}"
