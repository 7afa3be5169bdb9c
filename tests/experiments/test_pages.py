"""Tests of pages made of parts: each is replaced alone, and none is lost."""

from hypothesis import given, settings
from hypothesis import strategies as st

from experiments import pages

WORDS = st.sampled_from(["textures", "triangle", "speed"])
TEXTS = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1).filter(
    str.strip
)


def test_new_parts_stand_in_the_order_of_their_names_under_their_marks(tmp_path):
    page = tmp_path / "docs" / "results.md"
    pages.put(page, "triangle", "# B\n\ntext\n\n")
    pages.put(page, "textures", "# A")
    expected = "<!-- part: textures -->\n# A\n\n<!-- part: triangle -->\n# B\n\ntext\n"
    assert page.read_text() == expected


def test_the_order_that_a_writer_gave_the_parts_stays(tmp_path):
    page = tmp_path / "results.md"
    page.write_text("<!-- part: b -->\nB\n\n<!-- part: a -->\nA\n")
    pages.put(page, "a", "new")
    pages.put(page, "c", "C")
    assert pages.MARK.split(page.read_text())[1::2] == ["b", "a", "c"]


@settings(max_examples=30, deadline=None, derandomize=True)
@given(puts=st.lists(st.tuples(WORDS, TEXTS), min_size=1, max_size=6))
def test_the_last_text_of_each_part_stays(tmp_path_factory, puts):
    page = tmp_path_factory.mktemp("page") / "p.md"
    for name, text in puts:
        pages.put(page, name, text)
    found = pages.MARK.split(page.read_text())[1:]
    parts = dict(zip(found[::2], map(str.strip, found[1::2]), strict=True))
    assert parts == {name: text.strip() for name, text in puts}


def test_a_part_is_printed_and_written_only_if_there_is_a_page(tmp_path, capsys):
    page = tmp_path / "p.md"
    pages.publish("a", "text", None)
    pages.publish("b", "text", str(page))
    assert capsys.readouterr().out == "text\n\n" * 2
    assert page.read_text() == "<!-- part: b -->\ntext\n"


def test_a_table_has_a_rule_of_as_many_columns():
    assert pages.table(["", "x"], [["a", 1]]) == "|  | x |\n|---|---|\n| a | 1 |"


def test_pictures_are_linked_from_the_page_to_its_images(tmp_path):
    path, link = pages.picture(tmp_path / "docs" / "results.md", "a.png")
    assert path == tmp_path / "docs" / "images" / "a.png"
    assert link == "images/a.png"


def test_a_slug_has_letters_and_digits_alone():
    assert pages.slug("INNg, reduced, b = 3") == "inng__reduced__b___3"
