"""Pages on a server, and what is read of them in a browser."""

import pathlib
import shutil
import threading

import numpy as np

from export import client
from export.web import server
from support import command_line
from tfgen import random
from trainers.run.trained import restored

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
PATIENCE = 60_000  # milliseconds
HALF = np.repeat(np.float32([1, 0]), 32).reshape(1, 8, 8, 1)
"""The page's first mask: the lower half hidden."""


class Served:
    """A run and its page, on a server."""

    def __init__(self, run: pathlib.Path, directory: pathlib.Path):
        self.run, self.directory = run, directory
        command_line.start("export.web", f"--workdir={run}", f"--output={directory}", "--noopen")
        self.run = restored(run)
        self.image = self.run.images.test.shown(1)
        self.server = server.start(directory, 0)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return server.address(self.server)


def own(seed: int) -> np.ndarray:
    """The seed that the client gives a request's only row, [1, 2]."""
    return client.seeds(random.root(seed), 1)


def wait(page, words: str) -> None:
    """Until the page says this."""
    page.wait_for_function(
        "words => document.getElementById('status').textContent.startsWith(words)", arg=words
    )


def seen(page, canvas: str) -> np.ndarray:
    """What a canvas shows, [1, h, w, 1] in [-1, 1]."""
    script = """id => {
      const canvas = document.getElementById(id);
      const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
      return [canvas.height, canvas.width, ...data.filter((_, i) => i % 4 === 0)];
    }"""
    height, width, *values = page.evaluate(script, canvas)
    return np.reshape(values, (1, height, width, 1)).astype(np.float32) / 127.5 - 1
