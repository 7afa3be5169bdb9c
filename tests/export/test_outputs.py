"""Outputs of exports: one writer at a time; what was killed is cleared, all else stays."""

import os
import subprocess
import sys

import pytest
from support import command_line, tiny_models
from support.command_line import content, mistake

from export import outputs
from export.saved_model import archive
from tfgen import files
from tfgen.errors import UserError


@pytest.fixture(scope="module")
def dead() -> int:
    """Returns the number of a process that has ended."""
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


def test_leftovers_of_dead_processes_are_removed_and_nothing_else(tmp_path, dead):
    alive = os.getppid()
    gone = [f".4.{dead}", f".4.{dead}.older", f".12.{dead}"]
    kept = [
        "4",
        f".4.{alive}",
        f".four.{dead}",
        ".4",
        ".hidden",
        f".4.{dead}.txt",
        ".4.x",
        ".4.5.6.7",
    ]
    for name in (*gone, *kept):
        (tmp_path / name).mkdir()
        (tmp_path / name / "saved_model.pb").write_bytes(b"x")
    outputs.remove_leftovers(tmp_path, str.isdigit)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)
    outputs.remove_leftovers(tmp_path / "nowhere", str.isdigit)


def test_files_that_were_half_written_are_removed_by_their_own_names(tmp_path, dead):
    for name in (f".energy.json.{dead}.json", f".energy.json.{dead}.png", f".env.{dead}", ".env"):
        (tmp_path / name).write_text("half")
    outputs.remove_leftovers(tmp_path, {"energy.json"}.__contains__)
    assert sorted(content(tmp_path)) == [".energy.json." + f"{dead}.png", ".env", f".env.{dead}"]


def test_a_link_among_leftovers_is_removed_and_not_what_it_leads_to(tmp_path, dead):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "precious").write_text("x")
    (tmp_path / f".4.{dead}").symlink_to(tmp_path / "elsewhere")
    outputs.remove_leftovers(tmp_path, str.isdigit)
    assert content(tmp_path) == {"elsewhere/precious": b"x"}


def test_one_export_at_a_time_writes_to_a_directory(tmp_path):
    output = tmp_path / "out"
    said = r"--output: another export is writing to .*out"
    with outputs.in_use(output):
        with pytest.raises(UserError, match=said), outputs.in_use(output):
            pass
        with outputs.in_use(tmp_path / "other"):
            (tmp_path / "other" / "file").write_text("x")
    with outputs.in_use(output):
        pass
    assert content(tmp_path) == {"other/file": b"x"}


def test_the_second_of_two_exports_says_so(digits, tmp_path):
    with outputs.in_use(tmp_path):
        said = mistake("export.main", f"--workdir={digits}", f"--output={tmp_path}")
    assert "--output: another export is writing to" in said
    assert content(tmp_path) == {}


def test_an_export_that_fails_leaves_no_empty_directory(tmp_path):
    with pytest.raises(KeyError), outputs.in_use(tmp_path / "new"):
        raise KeyError
    assert not (tmp_path / "new").exists()


def test_the_next_export_clears_what_a_killed_one_left(tmp_path, dead, digits, monkeypatch):
    from export.litert import convert

    monkeypatch.setattr(
        convert, "convert", lambda endpoint, variants: dict.fromkeys(variants, b"model")
    )
    model = tmp_path / "saved_model" / "generative_convnet"
    (model / f".4.{dead}").mkdir(parents=True)
    (tmp_path / "tflite").mkdir()
    (tmp_path / "tflite" / f".energy.tflite.{dead}.tflite").write_bytes(b"half")
    (tmp_path / f".model_card.md.{dead}.md").write_text("half")
    (tmp_path / ".mine").write_text("x")
    where = (f"--workdir={digits}", f"--output={tmp_path}")
    command_line.start("export.main", *where, "--formats=tflite", "--nomeasure")
    hidden = [path.name for path in tmp_path.rglob(".*")]
    assert hidden == [".mine"]


def test_a_version_appears_together_with_its_card(tmp_path):
    """What `finish` writes is in the directory, and a failure of it leaves no version."""

    def fail(version):
        raise UserError("no card")

    with pytest.raises(UserError, match="no card"):
        archive.write(tiny_models.Weather(), tmp_path / "weather", finish=fail)
    assert content(tmp_path) == {}
    place = archive.write(
        tiny_models.Weather(),
        tmp_path / "weather",
        finish=lambda version: (version / "assets.extra" / "card").write_text("x"),
    )
    assert (place / "assets.extra" / "card").read_text() == "x"


def test_a_directory_is_replaced_without_a_moment_without_one(tmp_path):
    """At every change of a file, a reader finds the older page or the newer one, whole."""
    page = tmp_path / "served" / "page"
    page.mkdir(parents=True)
    (page / "index.html").write_text("older")
    recorder = command_line.Recorder(tmp_path / "served", tmp_path / "copies")
    with recorder, files.written_aside(page) as aside:
        aside.mkdir()
        (aside / "index.html").write_text("newer")
    copies = [tmp_path / "copies" / str(i) / "page" / "index.html" for i in range(recorder.count)]
    assert {copy.read_text() for copy in copies} == {"older", "newer"}
    assert content(tmp_path / "served") == {"page/index.html": b"newer"}


def test_a_link_to_a_directory_is_replaced_and_what_it_led_to_stays(tmp_path):
    (tmp_path / "older").mkdir()
    (tmp_path / "older" / "file").write_text("x")
    (tmp_path / "page").symlink_to(tmp_path / "older")
    with files.written_aside(tmp_path / "page") as aside:
        aside.mkdir()
        (aside / "file").write_text("y")
    assert content(tmp_path) == {"older/file": b"x", "page/file": b"y"}
