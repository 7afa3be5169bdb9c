"""Markdown pages made of parts, each of which a command writes."""

import pathlib
import re
from collections.abc import Iterable, Sequence

from tfgen import files

MARK = re.compile(r"^<!-- part: (\w+) -->\n", re.M)


def put(page: pathlib.Path, name: str, text: str) -> None:
    """Writes one part of a page in the place of its earlier text; other parts stay.

    Args:
        page: the Markdown file; it need not exist.
        name: of the part, one word. A new part stands before the first whose name comes after its
            own; the order of the others stays.
        text: of the part, in Markdown.
    """
    _, *found = MARK.split(page.read_text()) if page.exists() else [""]
    parts = dict(zip(found[::2], found[1::2], strict=True))
    order = list(parts)
    if name not in parts:
        later = [place for place, other in enumerate(order) if other > name]
        order.insert(later[0] if later else len(order), name)
    parts[name] = text
    marked = [f"<!-- part: {mark} -->\n{parts[mark].strip()}\n" for mark in order]
    with files.written_aside(page) as aside:
        aside.write_text("\n".join(marked))


def publish(name: str, text: str, page: str | None) -> None:
    """Prints a part, and writes it to a page if one is given.

    Args:
        name: of the part, one word.
        text: of the part, in Markdown.
        page: the path of the Markdown file.
    """
    print(text, end="\n\n", flush=True)
    if page:
        put(pathlib.Path(page), name, text)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Returns a Markdown table.

    Args:
        columns: the titles; the first may be empty.
        rows: as many cells each as there are columns.
    """
    rule = "|" + "---|" * len(columns)
    return "\n".join([_row(columns), rule, *map(_row, rows)])


def picture(page: pathlib.Path, name: str) -> tuple[pathlib.Path, str]:
    """Returns where a page's picture is kept, and the link to it.

    Args:
        page: the Markdown file; its pictures are kept in `images`, beside it.
        name: of the picture's file.
    """
    return page.parent / "images" / name, f"images/{name}"


def slug(name: str) -> str:
    """Returns a name as a part of a path: in lower case, with _ for what is no letter or digit."""
    return re.sub(r"[^a-z0-9]", "_", name.lower())


def _row(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"
