"""Starts a program: parses its command line, and ends a user's mistake with one sentence."""

import io
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from absl import flags

from tfgen.errors import UserError
from trainers.run import lasting, parsing, usage

SIGNALLED = 128
"""What a shell adds to a signal's number, in the exit code of what it has ended."""

HELP = frozenset({"--help", "-help", "-h", "--helpfull"})


def run(
    main: Callable[[flags.FlagValues], None],
    define: Callable[[flags.FlagValues], None],
    doc: str,
    argv: Sequence[str] | None = None,
) -> None:
    """Parses the command line, runs a program and exits.

    A user's mistake, and a disk that is full or not to be written on, ends with one sentence on
    stderr and exit code 1; Ctrl-C with a sentence and 130. A lost terminal, a closed pipe or a full
    log disk ends nothing.

    Args:
        main: the program, given the flags.
        define: defines its flags.
        doc: what `--help` says first.
        argv: the command line, the program's name first; None: this process's own.
    """
    _write_anything(sys.stdout, sys.stderr)
    with lasting.output():
        _run(main, define, doc, sys.argv if argv is None else argv)


def stop(signal_number: int | None, sentence: str) -> NoReturn:
    """Ends the process as a signal asked it to, with a sentence on stderr.

    Args:
        signal_number: of the signal; None counts as Ctrl-C.
        sentence: what was done, and how to go on.
    """
    number = signal.SIGINT if signal_number is None else signal_number
    word = "interrupted" if number == signal.SIGINT else "asked to end"
    print(f"{word}; {sentence}", file=sys.stderr)
    sys.exit(SIGNALLED + number)


def _run(
    main: Callable[[flags.FlagValues], None],
    define: Callable[[flags.FlagValues], None],
    doc: str,
    argv: Sequence[str],
) -> None:
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
        stop(None, "files that were not finished are as they were before")


def _write_anything(*streams: Any) -> None:
    """Lets streams escape the letters that their encoding lacks, such as of a Greek epsilon."""
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):  # tests and notebooks have others
            stream.reconfigure(errors="backslashreplace")
