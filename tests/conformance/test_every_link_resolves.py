"""Every relative link and picture of a page leads to a file, and every anchor to a heading."""

import collections
import pathlib
import re
import urllib.parse

import pytest
from support import registry

PLACES = ("", "docs/**/", "benchmarks/**/", "experiments/**/", "export/card/", ".github/**/")
PAGES = sorted({page for place in PLACES for page in registry.ROOT.glob(f"{place}*.md")})
PICTURES = registry.ROOT / "docs" / "images"

CODE = re.compile(r"^```.*?^```|`[^`\n]*`", flags=re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^()\s]*(?:\([^()\s]*\)[^()\s]*)*)\)")
ELEMENT = re.compile(r"<(?:img|a)[^>]*\b(?:src|href)=\"([^\"]+)\"")
HEADING = re.compile(r"^#{1,6} +(.+?)(?: +#+)? *$", flags=re.MULTILINE)


def links(page: pathlib.Path) -> list[str]:
    """Returns the targets of the links and pictures of a page, those to other sites left out."""
    text = CODE.sub("", page.read_text())
    found = LINK.findall(text) + ELEMENT.findall(text)
    return [target for target in found if not urllib.parse.urlsplit(target).scheme]


def anchors(page: pathlib.Path) -> set[str]:
    """Returns the anchors of a page's headings, made as GitHub and the site make them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    seen: collections.Counter[str] = collections.Counter()
    found = set()
    for heading in HEADING.findall(text):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", words).strip().lower().replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def broken(page: pathlib.Path) -> list[str]:
    """Returns the links of a page that lead nowhere."""
    return [target for target in links(page) if not resolves(page, target)]


def resolves(page: pathlib.Path, target: str) -> bool:
    """Returns whether there is the file, and the heading in it, that a link of a page names."""
    path, _, anchor = target.partition("#")
    file = page.parent / urllib.parse.unquote(path) if path else page
    if not anchor or file.suffix != ".md":
        return file.exists()
    return file.exists() and anchor in anchors(file)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(registry.ROOT)))
def test_every_link_resolves(page):
    assert broken(page) == []


def test_every_picture_of_the_docs_is_shown():
    text = "".join(page.read_text() for page in PAGES)
    assert [p.name for p in sorted(PICTURES.iterdir()) if f"images/{p.name}" not in text] == []


def test_a_broken_link_is_found(tmp_path):
    (tmp_path / "other.md").write_text("# A heading, with (words)\n\n## Twice\n\n## Twice\n")
    page = tmp_path / "page.md"
    good = "[a](other.md#a-heading-with-words) [b](other.md#twice-1) [c](https://x.org/no)"
    bad = '[d](other.md#no) ![e](no.png) <img src="no.jpg" width="3"> [f](#here)'
    page.write_text(f"{good}\n\n{bad}\n\n`[g](code.md)`\n\n```\n[h](block.md)\n```\n")
    assert broken(page) == ["other.md#no", "no.png", "#here", "no.jpg"]
