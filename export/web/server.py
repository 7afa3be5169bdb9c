"""Serves a page to this machine: browsers load WebAssembly and modules over HTTP alone."""

import base64
import contextlib
import errno
import functools
import hashlib
import http
import http.server
import io
import pathlib
import re
import sys
import threading
import webbrowser

from tfgen.errors import UserError

LOOPBACK = "127.0.0.1"
PATIENCE = 10.0
"""Seconds after which a client that says nothing, or takes nothing, is left."""

MOST_CLIENTS = 64
"""Requests that are answered at a time; more are closed."""

POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{inline}; style-src 'self'; "
    "img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""What the page may load: its own files; `inline` are the checksums of scripts within it."""


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files of a page and nothing else; a page that was written anew is loaded anew."""

    timeout = PATIENCE
    extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | {
        ".js": "text/javascript",
        ".wasm": "application/wasm",
    }

    def send_head(self) -> io.BytesIO | None:
        """Answers with a file of the page; there are no lists of directories."""
        if not self._is_asked_by_name():
            self.send_error(http.HTTPStatus.FORBIDDEN)
            return None
        if not self._is_of_the_page():
            self.send_error(http.HTTPStatus.NOT_FOUND)
            return None
        return super().send_head()  # type: ignore[return-value]

    def list_directory(self, path) -> None:
        """Refuses what is a directory without a page."""
        del path
        self.send_error(http.HTTPStatus.NOT_FOUND)

    def end_headers(self) -> None:
        """Adds the headers of every answer."""
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Content-Security-Policy", policy(pathlib.Path(self.directory)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: who looks at the page sees what failed."""

    def _is_asked_by_name(self) -> bool:
        """Tells whether the browser asks this machine, and no name that leads here by a trick."""
        host = self.headers.get("Host", LOOPBACK).partition(":")[0]
        return host in (LOOPBACK, "localhost")

    def _is_of_the_page(self) -> bool:
        """Tells whether the path leads to something within the page's directory."""
        root = pathlib.Path(self.directory).resolve()
        try:
            place = pathlib.Path(self.translate_path(self.path)).resolve(strict=True)
        except (OSError, ValueError):  # there is none, or no file can have such a name
            return False
        return place.is_relative_to(root)


class Server(http.server.ThreadingHTTPServer):
    """A server with a limited number of clients, which prints no tracebacks of lost ones."""

    def __init__(self, *args):
        self.places = threading.BoundedSemaphore(MOST_CLIENTS)
        super().__init__(*args)

    def process_request(self, request, client_address) -> None:
        """Answers in a thread of its own, if there is a place."""
        if self.places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request, client_address) -> None:
        """Answers one request, and frees its place."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.places.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """Prints what went wrong in one line, but for clients that went away."""
        del request, client_address
        error = sys.exception()
        if not isinstance(error, OSError):
            print(f"the page's server: {error!r}", file=sys.stderr)


def policy(directory: pathlib.Path) -> str:
    """Returns the Content-Security-Policy of a page.

    Args:
        directory: the page's. A script within `index.html` is allowed by its checksum.
    """
    page = directory / "index.html"
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    scripts = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", text, flags=re.S)
    digests = [hashlib.sha256(script.encode()).digest() for script in scripts]
    inline = "".join(f" 'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return POLICY.format(inline=inline)


def start(directory: pathlib.Path, port: int) -> Server:
    """A server that listens, and answers once it is told to.

    Args:
        directory: the page's.
        port: 0 for any that is free.

    Raises:
        UserError: if the port is in use, or not for everyone.
    """
    handler = functools.partial(Handler, directory=str(directory))
    try:
        return Server((LOOPBACK, port), handler)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise UserError(
            f"--port: expected a free port and found {port}, which cannot be listened on"
        ) from error


def address(server: Server) -> str:
    """Where a browser finds it."""
    return f"http://{LOOPBACK}:{server.server_port}/"


def serve(directory: pathlib.Path, port: int) -> None:
    """Serves a page and opens it in the browser, until interrupted."""
    with start(directory, port) as server, contextlib.suppress(KeyboardInterrupt):
        print(f"{address(server)} (Ctrl-C ends it)")
        webbrowser.open(address(server))
        server.serve_forever()
