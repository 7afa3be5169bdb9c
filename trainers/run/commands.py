"""What the commands share: how a program starts, and how a user's mistake ends it."""

import logging
import sys
from collections.abc import Callable

from absl import flags

from tfgen.errors import UserError
from trainers.run import flags as experiment_flags


def run(
    main: Callable[[flags.FlagValues], None], define: Callable[[flags.FlagValues], None], doc: str
) -> None:
    """Parses the command line, runs a program and exits.

    A user's mistake, and a disk that is full or not to be written on, ends with one sentence on stderr and
    exit code 1.

    Args:
        main: the program, given the flags.
        define: defines its flags.
        doc: what `--help` says first.
    """
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    values = flags.FlagValues()
    values.append_flag_values(_flagfile())
    define(values)
    if {"--help", "-h", "--helpfull"} & set(sys.argv[1:]):
        print(help_text(values, doc))
        return
    try:
        main(experiment_flags.parse(sys.argv, values))
    except UserError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        sys.exit(f"error: {error.filename or 'the disk'}: {error.strerror or error}")
    except KeyboardInterrupt:
        sys.exit("interrupted; the same command goes on from the last checkpoint")


def help_text(values: flags.FlagValues, doc: str) -> str:
    """The program's description and its flags, those of the program first."""
    groups = values.flags_by_module_dict()
    first = [module for module in groups if not module.startswith("tfgen.")]
    lines = [doc.strip(), "", "  --flagfile: Read flags from this file.", ""]
    for module in first + sorted(set(groups) - set(first)):
        lines.append(f"{module}:")
        for flag in groups[module]:
            default = "" if flag.default is None else f" (default: {flag.default})"
            lines.append(f"  --{flag.name}: {flag.help}{default}")
        lines.append("")
    return "\n".join(lines)


def _flagfile() -> flags.FlagValues:
    """absl's own --flagfile, which a fresh FlagValues lacks."""
    values = flags.FlagValues()
    flags.DEFINE_string(
        "flagfile",
        "",
        "Read flags from this file.",
        flag_values=values,
        module_name="trainers.main",
    )
    return values
