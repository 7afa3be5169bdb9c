"""The command `tfgen`: each of its subcommands is a module that also starts by `python -m`."""

import ast
import difflib
import importlib
import importlib.util
import pathlib
import sys
from collections.abc import Sequence

from tfgen.version import __version__
from trainers import quiet
from trainers.run import commands

COMMANDS = {
    "prepare": "trainers.prepare",
    "train": "trainers.main",
    "sample": "trainers.sample",
    "evaluate": "trainers.evaluate",
    "compare": "trainers.compare",
    "landscape": "trainers.landscape",
    "report": "trainers.report",
    "export": "export.main",
    "client": "export.client",
    "batch": "export.batch",
    "page": "export.web",
    "recipes": "trainers.recipes",
    "zoo": "trainers.zoo",
}
"""The module of each subcommand, which has `main`, `define` and a docstring for `--help`."""

LIGHT = ("recipes", "zoo")
"""Subcommands that can do without TensorFlow."""

USAGE = """\
tfgen COMMAND [flags]

{commands}

tfgen COMMAND --help lists a command's flags; tfgen train RECIPE --workdir=DIR trains a recipe;
tfgen --version prints the version."""


def main(argv: Sequence[str] | None = None) -> None:
    """Runs a subcommand.

    Args:
        argv: the subcommand and its flags; None: this process's own.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in commands.HELP:
        print(overview())
    elif words[0] == "--version":
        print(__version__)
    elif words[0] in COMMANDS:
        start(words[0], words[1:])
    else:
        sys.exit(f"error: {_unknown(words[0])}")


def start(name: str, arguments: Sequence[str]) -> None:
    """Runs a subcommand; imports its module and no other's.

    Args:
        name: one of COMMANDS.
        arguments: its flags; those of train and prepare may begin with the name of a recipe.
    """
    module_name, arguments = module_and_arguments(name, arguments)
    if name not in LIGHT:
        quiet.start(arguments)
    module = importlib.import_module(module_name)
    doc = (module.__doc__ or "").replace(f"python -m {module_name}", f"tfgen {name}")
    commands.run(module.main, module.define, doc, [f"tfgen {name}", *arguments])


def module_and_arguments(name: str, arguments: Sequence[str]) -> tuple[str, list[str]]:
    """Returns the module of a subcommand, and the arguments that `python -m` would give it.

    Args:
        name: one of COMMANDS.
        arguments: of the subcommand.
    """
    if name in ("prepare", "train") and arguments and not arguments[0].startswith("-"):
        arguments = [f"--flagfile={arguments[0]}", *arguments[1:]]
    return COMMANDS[name], list(arguments)


def overview() -> str:
    """Returns the list of subcommands, each with the first sentence of its module's docstring."""
    lines = [f"  {name:10} {first_line(module)}" for name, module in COMMANDS.items()]
    return USAGE.format(commands="\n".join(lines))


def first_line(module: str) -> str:
    """Returns the first line of a module's docstring, read from its source without importing it."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{module} is not installed")
    source = pathlib.Path(spec.origin).read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]


def _unknown(name: str) -> str:
    close = difflib.get_close_matches(name, COMMANDS, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"expected one of {', '.join(COMMANDS)} and found {name}{hint}"


if __name__ == "__main__":
    main()
