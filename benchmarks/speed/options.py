"""Flags that several benchmarks have, and what they do."""

import os
import pathlib
import shlex
from collections.abc import Iterable

from absl import flags as absl_flags

from benchmarks.peers.comparisons import OURS
from benchmarks.speed.processes import CLOCKS, ROOT
from tfgen.errors import UserError


def define_timing(where: dict) -> None:
    """Defines --processors and --clock.

    Args:
        where: the flags' holder and module, as absl wants them named.
    """
    absl_flags.DEFINE_integer(
        "processors", None, "How many to use; all unless given.", lower_bound=1, **where
    )
    text = "processor: what each process computes, which other programs disturb less; for one processor."
    absl_flags.DEFINE_enum("clock", "wall", CLOCKS, text, **where)


def define_python(where: dict) -> None:
    """Defines --python."""
    absl_flags.DEFINE_string(
        "python", ".venv-peers/bin/python", "The peers' own interpreter.", **where
    )


def define_page(where: dict) -> None:
    """Defines --page."""
    absl_flags.DEFINE_string(
        "page", None, "A Markdown page, of which this measurement's part is replaced.", **where
    )


def define_without(where: dict) -> None:
    """Defines --without."""
    text = "Libraries to leave out, by their names in the tables, such as JAX."
    absl_flags.DEFINE_list("without", [], text, **where)


def require_known(values: absl_flags.FlagValues, contenders: Iterable[str]) -> None:
    """Raises UserError unless all that is left out is known, and not tfgen."""
    known = set(contenders) - {OURS}
    for name in set(values.without) - known:
        raise UserError(f"--without: expected some of {', '.join(sorted(known))} and found {name}")


def left_out(values: absl_flags.FlagValues, contenders: Iterable[str]) -> list[str]:
    """What of these contenders is left out, as words of a command line."""
    names = [name for name in values.without if name in contenders]
    quoted = [f'"{name}"' if "," in name else name for name in names]  # absl reads lists as CSV
    return [shlex.quote(f"--without={','.join(quoted)}")] if names else []


def pin(values: absl_flags.FlagValues) -> None:
    """Keeps this process, and those that it starts, to as many processors as were asked for."""
    if values.processors:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: values.processors])


def said(values: absl_flags.FlagValues) -> list[str]:
    """The flags on timing, as far as they were given, as words of a command line."""
    found = [f"--processors={values.processors}"] if values.processors else []
    return found + ([f"--clock={values.clock}"] if values.clock != "wall" else [])


def require_python(values: absl_flags.FlagValues, target: str) -> None:
    """Raises UserError unless the peers' interpreter is there.

    Args:
        values: with --python.
        target: of the Makefile, which makes it.
    """
    if not pathlib.Path(ROOT / values.python).exists():
        raise UserError(
            f"--python: expected the peers' interpreter and found none at {values.python}; make {target}"
        )
