"""The page's server: files of the page, to this machine, with headers that keep browsers in it."""

import base64
import contextlib
import hashlib
import http.client
import re
import socket
import threading
import time

import pytest

from export.web import server, site


@pytest.fixture
def page(tmp_path):
    """Returns a page's directory, with a secret beside it that links lead to."""
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text("secret")
    directory = tmp_path / "page"
    (directory / "models").mkdir(parents=True)
    (directory / "models" / "energy.tflite").write_bytes(b"model")
    (directory / "index.html").write_text("<script>1</script><script src='main.js'></script>")
    (directory / "key").symlink_to(secret / "key")
    (directory / "out").symlink_to(secret)
    (directory / "in").symlink_to(directory / "models")
    return directory


@contextlib.contextmanager
def serving(directory):
    """Serves a directory, and yields the port."""
    with server.start(directory, 0) as served:
        thread = threading.Thread(target=served.serve_forever, daemon=True)
        thread.start()
        yield served.server_port
        served.shutdown()


def asked(port: int, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.putrequest("GET", path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    found = connection.getresponse()
    return found.status, dict(found.getheaders()), found.read()


PATHS = {
    "/": 200,
    "/models/energy.tflite": 200,
    "/in/energy.tflite": 200,
    "/models/": 404,
    "/in/": 404,
    "/nothing": 404,
    "/key": 404,
    "/out/key": 404,
    "/out/": 404,
    "/../secret/key": 404,
    "/%2e%2e/secret/key": 404,
    "/..%2fsecret%2fkey": 404,
    "/%00": 404,
    "/models/%00.tflite": 404,
    "/" + "a" * 5000: 404,
    "//secret/key": 404,
}


def test_only_files_of_the_page_are_answered_and_nothing_is_printed(page, capfd):
    with serving(page) as port:
        found = {path: asked(port, path) for path in PATHS}
    assert {path: status for path, (status, _, _) in found.items()} == PATHS
    assert found["/in/energy.tflite"][2] == b"model"
    assert all(b"secret" not in body for status, _, body in found.values() if status == 404)
    assert capfd.readouterr() == ("", "")


def test_every_answer_keeps_the_browser_in_the_page(page):
    with serving(page) as port:
        answers = [asked(port, path)[1] for path in ("/", "/nothing", "/models/energy.tflite")]
    digest = base64.b64encode(hashlib.sha256(b"1").digest()).decode()
    for headers in answers:
        policy = headers["Content-Security-Policy"]
        assert f"script-src 'self' 'wasm-unsafe-eval' 'sha256-{digest}';" in policy
        assert "default-src 'none'" in policy
        assert "'unsafe-inline'" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_the_policy_allows_the_only_script_within_the_page():
    """The import map; all other scripts are files."""
    text = (site.PAGE / "index.html").read_text()
    (inline,) = re.findall(r'<script type="importmap">(.*?)</script>', text, flags=re.S)
    digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
    assert server.policy(site.PAGE).count("sha256-") == 1
    assert digest in server.policy(site.PAGE)
    assert not re.search(r"\son\w+=|\sstyle=", text)


def test_a_name_that_leads_here_by_a_trick_is_refused(page):
    """Another site's name may resolve to this machine; its scripts must read nothing."""
    with serving(page) as port:
        assert asked(port, "/", Host=f"localhost:{port}")[0] == 200
        assert asked(port, "/", Host=f"evil.example:{port}")[0] == 403


def test_silent_clients_are_left_and_more_than_the_limit_are_closed(page, monkeypatch, capfd):
    monkeypatch.setattr(server.Handler, "timeout", 0.5)
    monkeypatch.setattr(server, "MOST_CLIENTS", 4)
    with serving(page) as port:
        before = threading.active_count()
        silent = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(12)]
        time.sleep(0.2)
        assert threading.active_count() - before <= 4
        assert [client.recv(1) for client in silent] == [b""] * 12  # each is closed in time
        assert asked(port, "/")[0] == 200
        for client in silent:
            client.close()
    assert capfd.readouterr() == ("", "")
