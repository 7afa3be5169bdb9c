"""Serves a page to this machine: browsers load WebAssembly and modules over HTTP alone."""

import contextlib
import errno
import functools
import http.server
import pathlib
import webbrowser

from tfgen.errors import UserError

LOOPBACK = "127.0.0.1"


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files of a directory; a page that was written anew is loaded anew."""

    extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | {
        ".js": "text/javascript",
        ".wasm": "application/wasm",
    }

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: who looks at the page sees what failed."""


def start(directory: pathlib.Path, port: int) -> http.server.ThreadingHTTPServer:
    """A server that listens, and answers once it is told to.

    Args:
        directory: the page's.
        port: 0 for any that is free.

    Raises:
        UserError: if the port is in use, or not for everyone.
    """
    handler = functools.partial(Handler, directory=str(directory))
    try:
        return http.server.ThreadingHTTPServer((LOOPBACK, port), handler)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise UserError(
            f"--port: expected a free port and found {port}, which cannot be listened on"
        ) from error


def address(server: http.server.ThreadingHTTPServer) -> str:
    """Where a browser finds it."""
    return f"http://{LOOPBACK}:{server.server_port}/"


def serve(directory: pathlib.Path, port: int) -> None:
    """Serves a page and opens it in the browser, until interrupted."""
    with start(directory, port) as server, contextlib.suppress(KeyboardInterrupt):
        print(f"{address(server)} (Ctrl-C ends it)")
        webbrowser.open(address(server))
        server.serve_forever()
