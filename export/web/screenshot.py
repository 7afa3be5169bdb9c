"""Takes the picture of a page that the docs show: a picture completed, once and several times.

    python -m export.web.screenshot --page=DIR --output=FILE.png [--width=390] [--dark]

Chromium must be installed, and playwright, which the extra `test` brings.
"""

import importlib.util
import pathlib
import shutil
import threading
from typing import Any

from absl import flags as absl_flags

from export.web import server
from tfgen import files
from tfgen.errors import UserError
from trainers.run import commands, flags

MARGIN = 8  # pixels below the section that is shown


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where: dict[str, Any] = {"flag_values": values, "module_name": "export.web.screenshot"}
    absl_flags.DEFINE_string("page", None, "The page's directory.", **where)
    absl_flags.DEFINE_string("output", None, "The picture to write, a .png file.", **where)
    absl_flags.DEFINE_integer(
        "example", 1, "Which held-out picture to complete.", lower_bound=1, **where
    )
    absl_flags.DEFINE_integer("width", 1000, "Of the window, in pixels.", lower_bound=200, **where)
    absl_flags.DEFINE_boolean("dark", False, "In dark mode.", **where)


def main(values: absl_flags.FlagValues) -> None:
    """Takes the picture."""
    flags.require(values, "page", "output")
    directory = pathlib.Path(values.page)
    if not (directory / "model.json").is_file():
        raise UserError(
            f"--page: expected what export.web wrote and found no model.json in {directory}"
        )
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None or importlib.util.find_spec("playwright") is None:
        raise UserError(
            "--output: expected chromium and playwright, which take the picture, and found at most "
            "one of them"
        )
    with server.start(directory, 0) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        taken = picture(server.address(served), chromium, values)
        served.shutdown()
    with files.written_aside(pathlib.Path(values.output)) as aside:
        aside.write_bytes(taken)
    print(values.output)


def picture(address: str, chromium: str, values: absl_flags.FlagValues) -> bytes:
    """Takes a picture of the page from its top to the end of its first section.

    Args:
        address: of the page.
        chromium: the browser's program.
        values: the flags.

    Returns:
        A PNG file.
    """
    from playwright.sync_api import FloatRect, ViewportSize, sync_playwright

    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium) as browser,
    ):
        screen = ViewportSize(width=values.width, height=900)
        page = browser.new_page(
            viewport=screen,
            color_scheme="dark" if values.dark else "light",
            bypass_csp=True,  # the page's policy forbids to evaluate what is waited for
        )
        page.goto(address)
        page.wait_for_selector("main:not([inert])")
        page.click(f"#examples li:nth-child({values.example}) button")
        for button, said in (("complete", "Completed with"), ("several", "Completed 20 times")):
            page.click(f"#{button}")
            page.wait_for_function(
                "said => document.getElementById('status').textContent.startsWith(said)", arg=said
            )
        page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        box = page.locator("#completing").bounding_box()
        if box is None:
            raise UserError(f"--page: expected a page with a section of completions at {address}")
        height = box["y"] + box["height"] + MARGIN
        clip = FloatRect(x=0, y=0, width=values.width, height=height)
        return page.screenshot(full_page=True, clip=clip)


if __name__ == "__main__":
    commands.run(main, define, __doc__)
