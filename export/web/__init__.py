"""Writes a trained model's page, where pictures are completed in the browser, and opens it.

    python -m export.web --workdir=DIR [--output=DIR] [--noopen]

The page is static: any web server can serve it. With --open it is served to this machine alone,
until interrupted.
"""

import pathlib
from typing import Any

from absl import flags as absl_flags

from export.web import libraries, server, site
from tfgen.nets.convolution import implementations
from trainers.run import flags, identity
from trainers.run.trained import restored


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where: dict[str, Any] = {"flag_values": values, "module_name": "export.web"}
    absl_flags.DEFINE_string("workdir", None, "The run whose model to show.", **where)
    absl_flags.DEFINE_string(
        "output", None, "The directory to write to; WORKDIR/page unless given.", **where
    )
    absl_flags.DEFINE_boolean(
        "open", True, "Serve the page on this machine and open it in the browser.", **where
    )
    absl_flags.DEFINE_integer("port", 0, "To serve it on; 0: any that is free.", 0, 65535, **where)
    absl_flags.DEFINE_integer(
        "examples", 12, "Held-out pictures to offer on the page.", lower_bound=0, **where
    )


def main(values: absl_flags.FlagValues) -> None:
    """Writes the page and opens it."""
    flags.require(values, "workdir")
    libraries.check()
    workdir = pathlib.Path(values.workdir)
    output = workdir / "page" if values.output is None else pathlib.Path(values.output)
    identity.flags_of(workdir)
    site.refuse_others(output)
    trained = restored(workdir, convolution=implementations.EXPORTED)
    site.write(trained, output, values.examples)
    print(output)
    if values.open:
        server.serve(output, values.port)
    else:
        print(f"python -m http.server --bind {server.LOOPBACK} --directory {output}")
