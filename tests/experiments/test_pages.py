"""A page of parts: each is replaced alone, and none is lost."""

from hypothesis import given, settings
from hypothesis import strategies as st

from experiments import pages

WORDS = st.sampled_from(["textures", "triangle", "speed"])
TEXTS = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1).filter(
    str.strip
)


def test_parts_stand_in_the_order_of_their_names_under_their_marks(tmp_path):
    page = tmp_path / "docs" / "results.md"
    pages.put(page, "triangle", "# B\n\ntext\n\n")
    pages.put(page, "textures", "# A")
    assert (
        page.read_text() == "<!-- part: textures -->\n# A\n\n<!-- part: triangle -->\n# B\n\ntext\n"
    )


@settings(max_examples=30, deadline=None, derandomize=True)
@given(puts=st.lists(st.tuples(WORDS, TEXTS), min_size=1, max_size=6))
def test_the_last_text_of_each_part_stays(tmp_path_factory, puts):
    page = tmp_path_factory.mktemp("page") / "p.md"
    for name, text in puts:
        pages.put(page, name, text)
    found = pages.MARK.split(page.read_text())[1:]
    assert dict(zip(found[::2], map(str.strip, found[1::2]), strict=True)) == {
        n: t.strip() for n, t in puts
    }
