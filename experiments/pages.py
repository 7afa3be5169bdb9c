"""A page of parts, each written by a command of its own."""

import pathlib
import re

from tfgen import files

MARK = re.compile(r"^<!-- part: (\w+) -->\n", re.M)


def put(page: pathlib.Path, name: str, text: str) -> None:
    """Writes one part of a page, in the place of what stood there; other parts stay.

    Args:
        page: a Markdown file, or where one is to be.
        name: of the part, one word.
        text: the part.
    """
    _, *found = MARK.split(page.read_text()) if page.exists() else [""]
    parts = dict(zip(found[::2], found[1::2], strict=True)) | {name: text.strip() + "\n"}
    with files.written_aside(page) as aside:
        aside.write_text(
            "\n".join(f"<!-- part: {n} -->\n{parts[n].rstrip()}\n" for n in sorted(parts))
        )
