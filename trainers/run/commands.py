"""Starts a program: parses its command line, and ends a user's mistake with one sentence."""

import io
import logging
import sys
from collections.abc import Callable, Sequence
from typing import Any

from absl import flags

from tfgen.errors import UserError
from trainers.run import parsing, usage

HELP = frozenset({"--help", "-help", "-h", "--helpfull"})


def run(
    main: Callable[[flags.FlagValues], None],
    define: Callable[[flags.FlagValues], None],
    doc: str,
    argv: Sequence[str] | None = None,
) -> None:
    """Parses the command line, runs a program and exits.

    A user's mistake, and a disk that is full or not to be written on, ends with one sentence on
    stderr and exit code 1.

    Args:
        main: the program, given the flags.
        define: defines its flags.
        doc: what `--help` says first.
        argv: the command line, the program's name first; None: this process's own.
    """
    argv = sys.argv if argv is None else argv
    _write_anything(sys.stdout, sys.stderr)
    values = flags.FlagValues()
    parsing.define_shared(values)
    define(values)
    try:
        if HELP & set(argv):
            print(usage.page(values, doc, [word for word in argv if word not in HELP]))
            return
        if "nets" in values:
            # imports TensorFlow: a program that needs no nets starts without it
            from trainers.run.flags import define_own_nets

            define_own_nets(values, argv)
        parsing.parse(argv, values)
        if not values.verbose:
            logging.getLogger("tensorflow").setLevel(logging.ERROR)
        main(values)
    except UserError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        sys.exit(f"error: {error.filename or 'the disk'}: {error.strerror or error}")
    except KeyboardInterrupt:
        sys.exit("interrupted; the same command goes on from the last checkpoint")


def _write_anything(*streams: Any) -> None:
    """Lets streams escape the letters that their encoding lacks, such as of a Greek epsilon."""
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):  # tests and notebooks have others
            stream.reconfigure(errors="backslashreplace")
