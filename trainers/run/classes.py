"""Classes as users name them: by number, or by the name of their folder."""

import unicodedata
from collections.abc import Sequence

from absl import flags as absl_flags

from tfgen.errors import UserError

MOST_NAMED = 10
"""Classes that a complaint names."""


def define(values: absl_flags.FlagValues, module: str, what: str) -> None:
    """Defines the flag `--label`.

    Args:
        values: where to.
        module: the title of its group in `--help`.
        what: the images that the class is of, for the help.
    """
    text = f"The class of {what}: its name, or its number from 0."
    absl_flags.DEFINE_string("label", None, text, values, module_name=module)


def number(text: str | None, names: Sequence[str] | None) -> int | None:
    """Returns the number of a class that `--label` names.

    Args:
        text: the flag's; None: not given.
        names: of the classes, in the order of their numbers, or None where they have none.

    Raises:
        UserError: if it is neither a name nor a number from 0. A name that is a number, such as
            that of a folder `10`, is a name first.
    """
    if text is None:
        return None
    named = list(names or ())
    composed = unicodedata.normalize("NFC", text)
    if composed in named:
        return named.index(composed)
    if text.isdecimal():
        return int(text)
    shown = ", ".join(named[:MOST_NAMED]) + (", ..." if len(named) > MOST_NAMED else "")
    names_too = f", or one of {shown}," if named else ""
    raise UserError(f"--label: expected a whole number at least 0{names_too} and found {text}")
