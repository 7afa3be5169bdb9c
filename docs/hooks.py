"""Takes pages from outside of docs/ into the site, and makes the links between both work."""

import pathlib
import posixpath
import re

from mkdocs.structure.files import File

ROOT = pathlib.Path(__file__).parent.parent
OUTSIDE = (
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "benchmarks/introspective.md",
    "benchmarks/quality_brick.png",
    "benchmarks/quality_digits.png",
    "benchmarks/quality_pebbles.png",
    "benchmarks/results.md",
    "benchmarks/triangle_step.md",
)
LINK = re.compile(r"(\]\()([^()\s#:]+)((?:#[^()\s]*)?\))")


def on_files(files, config):
    """Adds the outside pages to the site, under their own paths."""
    for path in OUTSIDE:
        files.append(File.generated(config, path, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown, page, **_):
    """Returns a page whose links, relative in the repository, are relative in the site."""
    here = page.file.src_uri
    home = posixpath.dirname(here if here in OUTSIDE else f"docs/{here}")

    def linked(match):
        path = posixpath.normpath(posixpath.join(home, match[2]))
        path = path.removeprefix("docs/")
        return match[1] + posixpath.relpath(path, posixpath.dirname(here) or ".") + match[3]

    return LINK.sub(linked, markdown)
