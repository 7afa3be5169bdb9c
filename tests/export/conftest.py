"""Exports of runs that were trained once."""

import contextlib
import functools
import io
import os
import pathlib
import shutil
import subprocess
from typing import NamedTuple
from unittest import mock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import pytest
from support import browsing, command_line, latent_models

from export.clients import in_process
from export.saved_model import examples, published
from export.web import libraries
from trainers.run.trained import restored

FLAGFILES = pathlib.Path(__file__).parents[2] / "trainers" / "flagfiles"


class Export(NamedTuple):
    """An export of a SavedModel into a directory that holds an older one.

    Attributes:
        output: the directory.
        first: the older version's files as they were.
        run: the run's files before and after.
        printed: the words on stdout.
    """

    output: pathlib.Path
    first: dict[str, bytes]
    run: tuple[dict[str, bytes], dict[str, bytes]]
    printed: list[str]


@pytest.fixture(autouse=True)
def _default_precision():
    """Sets the precision back after each test."""
    yield
    keras.config.set_dtype_policy("float32")


@pytest.fixture(scope="module")
def loaded_once():
    """Loads each model once in this process: loading takes seconds, and clients ask often."""
    with mock.patch.object(in_process, "load", functools.cache(in_process.load)):
        yield


@pytest.fixture(scope="session")
def trained(request, made_once):
    """Trains runs by name; each once, none to be changed.

    The fast suite trains eagerly: what is exported is traced all the same.
    """
    fast = request.config.getoption("markexpr") == "not slow"

    def train(name: str, *flags: str) -> pathlib.Path:
        def make(workdir: pathlib.Path) -> None:
            with command_line.eagerly(fast):
                command_line.train(workdir, "--generative_convnet.sample_steps=5", *flags)

        return made_once(f"to_export_{name}", make)

    return train


@pytest.fixture(scope="session")
def saved_model(made_once):
    """Exports SavedModels of runs by name; each once, none to be changed."""

    def export(name: str, workdir: pathlib.Path) -> pathlib.Path:
        def make(output: pathlib.Path) -> None:
            _export(workdir, output, "--formats=saved_model")

        (model,) = (made_once(f"saved_model_{name}", make) / "saved_model").iterdir()
        return model

    return export


@pytest.fixture(scope="session")
def digits(trained) -> pathlib.Path:
    """Trains a net of one energy on digits, with averaged weights."""
    return trained("digits", *command_line.DIGITS, "--energy.ema=0.5")


@pytest.fixture(scope="session")
def exported(digits, made_once) -> pathlib.Path:
    """Exports everything of the run `digits`."""
    return made_once("exported_digits", lambda output: _export(digits, output))


@pytest.fixture(scope="session")
def exported_again(digits, exported, tmp_path_factory) -> Export:
    """Exports the run `digits` once more."""
    output = tmp_path_factory.mktemp("again") / "out"
    shutil.copytree(exported, output)
    first = command_line.content(output / "saved_model" / "generative_convnet" / "1")
    before = command_line.content(digits)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        _export(digits, output, "--formats=saved_model")
    return Export(output, first, (before, command_line.content(digits)), said.getvalue().split())


@pytest.fixture(scope="session")
def triangle(trained) -> pathlib.Path:
    """Trains a divergence triangle on digits, with an averaged generator."""
    small = [f"--{role}.width=0.125" for role in ("energy", "generator", "inference")]
    once = ("--batch_size=8", "--steps=2", "--log_every=2", "--save_every=2", "--sample_every=2")
    chosen = (
        "--algorithm=divergence_triangle",
        *latent_models.SMALL,
        "--divergence_triangle.completion_rounds=1",
    )
    # far from where they started: answers differ clearly from image to image
    rates = [f"--{role}.learning_rate=0.1" for role in ("energy", "generator", "inference")]
    return trained("triangle", *chosen, *small, *once, *rates, "--generator.ema=0.5")


@pytest.fixture(scope="session")
def exported_triangle(triangle, made_once) -> pathlib.Path:
    """Exports everything of the run `triangle`."""
    return made_once("exported_triangle", lambda output: _export(triangle, output))


@pytest.fixture(scope="session")
def triangle_endpoints(triangle):
    """Returns the endpoints of the triangle's export, by name."""
    return published.endpoints(restored(triangle).model)


@pytest.fixture(scope="session")
def triangle_signatures(exported_triangle):
    """Returns the signatures of the triangle's SavedModel."""
    return in_process.load(exported_triangle / "saved_model" / "divergence_triangle").signatures


@pytest.fixture
def triangle_rows(triangle_endpoints):
    """Returns a function that gives three rows for an endpoint, by name."""
    return lambda name: examples.rows(triangle_endpoints[name], 3)


def _export(workdir: pathlib.Path, output: pathlib.Path, *flags: str) -> None:
    where = (f"--workdir={workdir}", f"--output={output}")
    command_line.start("export.main", *where, "--nomeasure", *flags)


@pytest.fixture(scope="session")
def page_libraries():
    """Installs the libraries that every page needs."""
    if shutil.which("npm") is None:
        pytest.skip("there is no npm, which installs the page's libraries")
    if not all((libraries.INSTALLED / name).exists() for name in libraries.FILES):
        subprocess.run(["npm", "ci", "--prefix", str(libraries.HERE)], check=True)


@pytest.fixture(scope="session")
def browser():
    if browsing.CHROMIUM is None:
        pytest.skip("there is no chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=browsing.CHROMIUM)
        yield started
        started.close()


@pytest.fixture(scope="session")
def triangle_page(tmp_path_factory, page_libraries):
    """Serves the page of the quickstart's model with narrower nets and fewer updates."""
    place = tmp_path_factory.mktemp("triangle_page")
    flagfile = FLAGFILES / "divergence_triangle_digits_cpu.flags"
    narrow = [f"--{role}.width=0.25" for role in ("energy", "generator", "inference")]
    command_line.train(
        place / "run", f"--flagfile={flagfile}", *narrow, "--steps=400", "--jit_compile=false"
    )
    served = browsing.Served(place / "run", place / "page")
    yield served
    served.server.shutdown()
    served.server.server_close()


@pytest.fixture(scope="session")
def energy_page(digits, tmp_path_factory, page_libraries):
    """Serves the page of a model with an energy alone."""
    served = browsing.Served(digits, tmp_path_factory.mktemp("energy_page") / "page")
    yield served
    served.server.shutdown()
    served.server.server_close()


@pytest.fixture
def visit(browser):
    """Opens a page as someone with this screen; pages with errors on the console fail."""
    contexts, errors = [], []

    def open_page(served: browsing.Served, ready: bool = True, **screen):
        # what waits for the page evaluates texts in it, which its policy forbids
        usual = {"reduced_motion": "reduce", "bypass_csp": True}
        contexts.append(browser.new_context(**usual | screen))
        page = contexts[-1].new_page()
        page.set_default_timeout(browsing.PATIENCE)
        page.on("pageerror", lambda error: errors.append(error))
        page.goto(served.address)
        page.wait_for_function(
            "!document.querySelector('main').inert || !document.getElementById('trouble').hidden"
        )
        assert page.is_visible("#trouble") != ready, page.text_content("#trouble")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not errors
