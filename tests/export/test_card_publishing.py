"""What a card shows to strangers: text without markup, names without local paths."""

import math

import jinja2
import markupsafe
import pytest

from export.card import publishing


@pytest.mark.parametrize(
    ("dataset", "shown"),
    [
        ("digits", "digits"),
        ("textures/brick", "textures/brick"),
        ("mnist:3.0.1", "mnist:3.0.1"),
        ("folder:/home/someone/my faces.zip", "folder:my faces.zip"),
        ("folder:data/faces", "folder:faces"),
        ("npz:~/x/y.npz", "npz:y.npz"),
        ("/home/someone/faces", "faces"),
    ],
)
def test_the_name_of_a_data_set_has_no_directories(dataset, shown):
    assert publishing.data_name(dataset) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("seed 5", "seed 5"),
        ("/home/me/my extractor/3", "3"),
        ("exported:/home/me/my extractor", "exported:my extractor"),
        ("features of /home/me/x.npz, twice", "features of x.npz, twice"),
        ("(~/secret/net.py)", "(net.py)"),
        ("see https://example.org/a/b", "see https://example.org/a/b"),
        ("1/2 of textures/brick", "1/2 of textures/brick"),
    ],
)
def test_absolute_paths_are_names(text, shown):
    assert publishing.plain({"a": [text]}) == {"a": [shown]}


def test_numbers_that_json_has_not_are_none():
    found = publishing.plain({"a": math.nan, "b": [math.inf, 1.5, 2, True, None]})
    assert found == {"a": None, "b": [None, 1.5, 2, True, None]}


ATTACKS = (
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "`code` | cell",
    "a\n\n# heading\n\n<script>",
    "&lt;script&gt;",
)


@pytest.mark.parametrize("attack", ATTACKS)
def test_markup_in_a_value_is_shown_as_text(attack):
    template = publishing.environment().from_string(
        "{% macro m(x) %}`{{ x }}`{% endmacro %}- {{ x }}: {{ m(x) }} {{ [x] }}"
    )
    found = template.render(x=attack)
    for mark in ("<", ">", "](", "|", "\n"):
        assert mark not in found
    assert found.count("`") == 2
    # a browser shows the value itself
    assert markupsafe.Markup(publishing.escaped(attack)).unescape() == " ".join(attack.split())


def test_plain_values_stay_as_they_are_and_missing_ones_are_errors():
    environment = publishing.environment()
    text = "{{ a }} {{ b }} {{ c }} {{ '%.3g' | format(d) }}"
    found = environment.from_string(text).render(a=[None, 8], b=1.5, c="in [-1, 1]", d=2.0)
    assert found == "[None, 8] 1.5 in [-1, 1] 2"
    with pytest.raises(jinja2.UndefinedError):
        environment.from_string("{{ nothing }}").render()
