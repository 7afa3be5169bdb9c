"""The command that prepares data, and training from what it prepared."""

import importlib.util
import json

import numpy as np
import pytest
from PIL import Image
from support import command_line
from support.command_line import DIGITS, mistake, start

RUN = tuple(flag for flag in DIGITS if not flag.startswith("--dataset"))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Returns a folder of pictures of two classes."""
    folder = tmp_path_factory.mktemp("data") / "pictures"
    for number in range(24):
        place = folder / ("cat", "dog")[number % 2] / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        rough = np.random.default_rng(number).integers(0, 256, (11, 12), np.uint8)
        Image.fromarray(rough).save(place)
    return folder


def prepared(place):
    """Returns what a store says of its splits."""
    (found,) = place.glob("prepared/*/store.json")
    return json.loads(found.read_text(encoding="utf-8"))["splits"]


def test_training_from_prepared_data_is_the_same_bit_for_bit(pictures, tmp_path, capsys):
    data = (f"--dataset=folder:{pictures}", "--image_size=8", f"--data_dir={tmp_path}")
    command_line.train(tmp_path / "memory", *RUN, *data)
    capsys.readouterr()
    start("trainers.prepare", *data)
    printed = capsys.readouterr()
    assert prepared(tmp_path)["all"]["shape"] == [24, 8, 8, 1]
    assert "data: " in printed.err
    assert "22 training + 2 test pictures of 8x8x1" in printed.err
    assert printed.out.startswith(str(tmp_path / "prepared"))
    command_line.train(tmp_path / "prepared_run", *RUN, *data)
    runs = [tmp_path / name for name in ("prepared_run", "memory")]
    assert command_line.same_numbers(*runs)
    assert len({(run / "data.json").read_text() for run in runs}) == 1


def test_what_needs_no_preparation_is_said(capsys):
    start("trainers.prepare", "--dataset=digits")
    assert capsys.readouterr().out == (
        "digits: nothing to prepare; each start reads it into memory\n"
    )


def test_a_recipe_says_what_to_prepare(pictures, tmp_path):
    flagfile = tmp_path / "a.flags"
    flagfile.write_text(f"--dataset=folder:{pictures}\n--image_size=6\n--nets=dcgan32\n")
    start("trainers.prepare", f"--flagfile={flagfile}", f"--data_dir={tmp_path}")
    assert prepared(tmp_path)["all"]["shape"] == [24, 6, 6, 1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "--dataset"),
        (("--dataset=folder:/no/where",), "existing path"),
        (("--dataset=digits", "--runner=direct"), "--runner: expected a data set folder:PATH"),
        (("--dataset=folder:/no/where", "--runner=direct"), "existing path"),
        (("--dataset=digits", "--runner=ray"), "direct|flink|spark|dataflow"),
    ],
)
def test_mistakes_are_said(words, said):
    assert said in mistake("trainers.prepare", *words)


def test_beam_is_asked_for_when_it_is_not_there(pictures, tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if "beam" in name else find(name, *a)
    )
    words = (f"--dataset=folder:{pictures}", "--runner=direct", f"--data_dir={tmp_path}")
    assert mistake("trainers.prepare", *words).endswith(
        "--runner: needs apache-beam; install the extra `beam`"
    )


@pytest.mark.slow
def test_beam_prepares_what_threads_prepare(pictures, tmp_path, monkeypatch):
    pytest.importorskip("apache_beam")
    monkeypatch.setattr("tfgen.data.shards.COUNT", 5)
    data = (f"--dataset=folder:{pictures}", "--image_size=8")
    start("trainers.prepare", *data, f"--data_dir={tmp_path / 'threads'}")
    start("trainers.prepare", *data, f"--data_dir={tmp_path / 'beam'}", "--runner=direct")
    assert prepared(tmp_path / "beam") == prepared(tmp_path / "threads")
    assert not list((tmp_path / "beam").rglob("shards"))
