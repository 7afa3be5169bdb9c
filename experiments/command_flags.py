"""Flags of the commands: where they are defined, and the names that they may hold."""

from collections.abc import Collection, Iterable
from typing import Any

from absl import flags as absl_flags

from tfgen.errors import UserError


def place(values: absl_flags.FlagValues, module: str) -> dict[str, Any]:
    """Returns what all of a command's definitions of flags share.

    Args:
        values: holds the flags.
        module: of the command, under which `--help` lists them.
    """
    return {"flag_values": values, "module_name": module}


def require_known(flag: str, given: Iterable[str], known: Collection[str]) -> None:
    """Raises UserError unless all names that a flag gives are known.

    Args:
        flag: its name, without the dashes.
        given: the flag's value.
        known: the names that there are, in the order that the message lists them.
    """
    for name in given:
        if name not in known:
            raise UserError(f"--{flag}: expected some of {', '.join(known)} and found {name}")
