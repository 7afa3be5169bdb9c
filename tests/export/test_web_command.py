"""`export.web`: a page's directory that is whole or not there, served to this machine alone."""

import json
import pathlib
import re
import threading
import urllib.request

import pytest
from support import command_line
from support.command_line import content, mistake

from export.litert import convert
from export.web import libraries, server, site
from tfgen.errors import UserError
from trainers.run import dataset
from trainers.run.trained import restored


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Libraries of no use, where those of npm would be; and no time spent on conversions."""
    directory = tmp_path / "node_modules"
    for name in libraries.FILES:
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(f"// {name}")
    monkeypatch.setattr(libraries, "INSTALLED", directory)
    monkeypatch.setattr(convert, "convert", lambda endpoint: {"float32": b"model"})
    return directory


def write(workdir: pathlib.Path, output: pathlib.Path, *args: str) -> dict:
    """Writes a page; what it knows of the model."""
    command_line.start(
        "export.web", f"--workdir={workdir}", f"--output={output}", "--noopen", *args
    )
    return json.loads((output / "model.json").read_text())


def test_a_page_holds_its_own_files_the_libraries_and_the_models(installed, triangle, tmp_path):
    known = write(triangle, tmp_path / "page", "--examples=3")
    files = content(tmp_path / "page")
    assert files["index.html"] == (site.PAGE / "index.html").read_bytes()
    assert files["libraries/@litertjs/core/dist/index.js"] == b"// @litertjs/core/dist/index.js"
    assert known["files"] == ["complete_step", "refine_step", "decode", "encode", "energy"]
    written = {name for name in files if name.startswith("models/")}
    assert written == {f"models/{n}.tflite" for n in known["files"]}
    assert known["examples"] == ["examples/00.png", "examples/01.png", "examples/02.png"]
    assert all(name in files for name in known["examples"])
    assert (known["image_shape"], known["latent_shape"], known["steps"]) == ([8, 8, 1], [16], 1)
    assert known["start"] == {"mean": [0.0], "std": 0.0}


def test_modules_import_what_is_there_and_all_files_are_used():
    files = {path.name: path.read_text() for path in site.PAGE.iterdir()}
    used = {"index.html", *re.findall(r'(?:src|href)="([\w.]+)"', files["index.html"])}
    for text in files.values():
        used |= set(re.findall(r'from "\./([\w.]+)"', text))
    assert used == set(files)


def test_the_page_names_the_libraries_that_are_copied():
    html, model = ((site.PAGE / name).read_text() for name in ("index.html", "model.js"))
    for name in ("@litertjs/core/dist/index.js", "@litertjs/wasm-utils/dist/index.js"):
        assert f'"./libraries/{name}"' in html
        assert name in libraries.FILES
    assert '"libraries/@litertjs/core/wasm/"' in model


def test_of_an_energy_the_page_knows_what_completions_start_from(installed, digits, tmp_path):
    known = write(digits, tmp_path / "page", "--examples=0")
    assert known["files"] == ["complete_step", "energy"]
    assert known["examples"] == []
    assert known["start"]["std"] == pytest.approx(0.3)
    assert known["start"]["mean"] == pytest.approx([-0.39], abs=0.05)
    assert (known["steps"], known["starts"], known["classes"]) == (5, 0, 1)


def test_pictures_that_sampling_starts_from_are_kept(installed, trained, tmp_path):
    flags = (
        "--generative_convnet.sample_from_chains",
        "--energy.outputs=10",
        "--generative_convnet.chains=100",
    )
    run = trained("classes_from_chains", *command_line.DIGITS, *flags)
    known = write(run, tmp_path / "page", "--examples=0")
    assert (known["starts"], known["classes"]) == (100, 10)
    stored = (tmp_path / "page" / "starts.bin").read_bytes()
    assert stored == restored(run).model.persistent_chains.state.numpy().tobytes()


def test_a_page_without_the_data_has_no_examples(installed, digits, tmp_path, monkeypatch, capsys):
    def load(*args, **kwargs):
        raise UserError("--dataset: it is gone")

    monkeypatch.setattr(dataset, "images", load)
    assert write(digits, tmp_path / "page")["examples"] == []
    assert "it is gone" in capsys.readouterr().out


def test_a_page_takes_the_place_of_an_older_one(installed, digits, tmp_path):
    write(digits, tmp_path / "page", "--examples=12")
    write(digits, tmp_path / "page", "--examples=1")
    assert [path.name for path in (tmp_path / "page" / "examples").iterdir()] == ["00.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["node_modules", "page"]


def test_a_page_is_written_into_its_run_unless_told_otherwise(installed, trained, tmp_path, capsys):
    run = trained("own_page", *command_line.DIGITS)
    command_line.start("export.web", f"--workdir={run}", "--noopen", "--examples=0")
    assert (run / "page" / "index.html").exists()
    assert (
        f"python -m http.server --bind 127.0.0.1 --directory {run / 'page'}"
        in capsys.readouterr().out
    )


def test_a_conversion_that_fails_leaves_the_older_page(installed, digits, tmp_path, monkeypatch):
    write(digits, tmp_path / "page", "--examples=0")
    before = content(tmp_path)

    def failing(endpoint):
        raise OSError(28, "No space left on device", "x")

    monkeypatch.setattr(convert, "convert", failing)
    sentence = mistake(
        "export.web", f"--workdir={digits}", f"--output={tmp_path / 'page'}", "--noopen"
    )
    assert "No space" in sentence
    assert content(tmp_path) == before


@pytest.mark.parametrize("missing", libraries.FILES)
def test_libraries_that_are_not_installed_are_said_with_the_command_that_does(
    installed, digits, tmp_path, missing
):
    (installed / missing).unlink()
    sentence = mistake("export.web", f"--workdir={digits}", f"--output={tmp_path / 'page'}")
    for words in (missing, "make page-libraries", f"npm ci --prefix {libraries.HERE}"):
        assert words in sentence
    assert not (tmp_path / "page").exists()


def test_a_directory_of_other_files_is_refused_and_kept(installed, digits, tmp_path):
    (tmp_path / "out").mkdir()
    for name in ("index.html", "notes.txt"):
        (tmp_path / "out" / name).write_text("someone's")
    before = content(tmp_path)
    sentence = mistake(
        "export.web", f"--workdir={digits}", f"--output={tmp_path / 'out'}", "--noopen"
    )
    assert "--output" in sentence
    assert "other files" in sentence
    assert content(tmp_path) == before


def test_an_output_that_is_a_file_is_refused(installed, digits, tmp_path):
    (tmp_path / "file").write_text("x")
    assert "--output" in mistake(
        "export.web", f"--workdir={digits}", f"--output={tmp_path / 'file'}"
    )
    assert (tmp_path / "file").read_text() == "x"


def test_a_missing_run_is_said(installed, tmp_path):
    assert "--workdir" in mistake("export.web")
    assert "no such directory" in mistake("export.web", f"--workdir={tmp_path / 'nowhere'}")


def test_a_model_that_makes_no_pictures_is_refused(installed, digits, tmp_path, monkeypatch):
    monkeypatch.setattr(convert, "endpoints", lambda model: {})
    sentence = mistake(
        "export.web", f"--workdir={digits}", f"--output={tmp_path / 'page'}", "--noopen"
    )
    assert "--workdir: expected a model with a generator or with an energy" in sentence
    assert not (tmp_path / "page").exists()


def test_a_model_of_what_no_screen_shows_is_refused(installed, trained, tmp_path):
    run = trained("points", *command_line.TOY)
    sentence = mistake(
        "export.web", f"--workdir={run}", f"--output={tmp_path / 'page'}", "--noopen"
    )
    assert (
        "--workdir: expected a model of images in grey or colour and found one of 2 channels"
        in sentence
    )


@pytest.mark.parametrize(
    ("dataset", "shown"),
    [
        ("digits", "digits"),
        ("textures/brick", "brick"),
        ("folder:/home/someone/faces.zip", "faces.zip"),
    ],
)
def test_a_page_tells_nothing_of_where_the_data_lie(digits, dataset, shown):
    trained = restored(digits)
    trained.values.dataset = dataset
    assert site.describe(trained)["dataset"] == shown


def test_a_port_in_use_is_said(tmp_path):
    with (
        server.start(tmp_path, 0) as first,
        pytest.raises(ValueError, match=f"--port.*{first.server_port}"),
    ):
        server.start(tmp_path, first.server_port)


def test_a_page_is_served_to_this_machine_alone_and_opened(tmp_path, monkeypatch, capsys):
    (tmp_path / "runtime.wasm").write_bytes(b"\0asm")
    answers = []

    def look(address):  # as a browser would, once the server listens
        def fetch():
            with urllib.request.urlopen(f"{address}runtime.wasm") as response:
                answers.append((address, response.headers, response.read()))
            monkeypatch.undo()
            served.shutdown()

        threading.Thread(target=fetch).start()

    start = server.start

    def kept(*args):
        nonlocal served
        served = start(*args)
        return served

    served = None
    monkeypatch.setattr(server, "start", kept)
    monkeypatch.setattr(server.webbrowser, "open", look)
    server.serve(tmp_path, 0)
    address, headers, body = answers[0]
    assert address.startswith("http://127.0.0.1:")
    assert address in capsys.readouterr().out
    assert (headers["Content-Type"], headers["Cache-Control"], body) == (
        "application/wasm",
        "no-cache",
        b"\0asm",
    )


def test_a_picture_is_taken_of_a_page_alone_and_with_a_browser(tmp_path, monkeypatch):
    asked = (f"--page={tmp_path}", f"--output={tmp_path / 'page.png'}")
    assert "--page" in mistake("export.web.screenshot", *asked)
    (tmp_path / "model.json").write_text("{}")
    monkeypatch.setenv("PATH", "")
    assert "chromium" in mistake("export.web.screenshot", *asked)
    assert content(tmp_path) == {"model.json": b"{}"}
