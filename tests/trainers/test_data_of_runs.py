"""What a run remembers of its data: a change is refused, a move is not."""

import json
import shutil

import imageio.v3 as iio
import numpy as np
import pytest
from support import command_line
from support.command_line import DIGITS, content, mistake, rows, start

from tfgen.errors import UserError
from trainers.run import dataset

pytestmark = pytest.mark.eager

RUN = tuple(flag for flag in DIGITS if not flag.startswith("--dataset"))


@pytest.fixture(scope="module")
def pets(tmp_path_factory):
    """Returns a folder of pictures of two classes."""
    folder = tmp_path_factory.mktemp("data") / "pets"
    for number in range(12):
        place = folder / ("cat", "dog")[number % 2] / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (8, 8), np.uint8)
        iio.imwrite(place, pixels)
    return folder


@pytest.fixture(scope="module")
def trained(pets, tmp_path_factory):
    """Returns a run on the pictures."""
    workdir = tmp_path_factory.mktemp("runs") / "run"
    command_line.train(workdir, *RUN, f"--dataset=folder:{pets}")
    return workdir


@pytest.fixture
def run(trained, tmp_path):
    """Returns the test's own copy of the run."""
    return shutil.copytree(trained, tmp_path / "run")


@pytest.fixture
def changed(pets, tmp_path):
    """Returns a copy of the pictures and two more of them."""
    folder = shutil.copytree(pets, tmp_path / "changed")
    for number in (97, 98):
        iio.imwrite(folder / "cat" / f"{number}.png", np.full((8, 8), number, np.uint8))
    return folder


def test_a_run_remembers_its_data(trained, pets):
    data = json.loads((trained / "data.json").read_text())
    assert data["source"] == f"folder:{pets}"
    assert data["class_names"] == ["cat", "dog"]
    assert data["counts"] == {"train": 11, "test": 1}
    assert data["fingerprint"]["num_files"] == 12
    assert set(data["fingerprint"]["files"]) >= {"cat/0.png", "dog/11.png"}
    assert f"--dataset=folder:{pets}" in (trained / "flags.cfg").read_text()


def test_a_relative_path_is_made_absolute(pets, monkeypatch):
    monkeypatch.chdir(pets.parent)
    monkeypatch.setenv("HOME", str(pets.parent))
    for place in ("pets", "~/pets", str(pets)):
        assert dataset.absolute(f"folder:{place}") == f"folder:{pets}"
    assert [dataset.absolute(name) for name in ("mnist:3.0.1", "digits")] == [
        "mnist:3.0.1",
        "digits",
    ]


def test_each_command_prints_one_line_about_its_data(run, pets, tmp_path, capsys):
    expected = (
        f"data: folder:{pets}: 11 training + 1 test pictures of 8x8x1 (held out at random), "
        "2 classes (0 cat, 1 dog)"
    )
    commands = (
        ("trainers.main", *RUN, f"--dataset=folder:{pets}", f"--workdir={run}"),
        ("trainers.evaluate", f"--workdir={run}", "--metrics=outliers", "--outliers.num_images=2"),
        (
            *("trainers.sample", f"--workdir={run}", "--task=score"),
            f"--output={tmp_path / 'a.png'}",
        ),
    )
    for command in commands:
        start(*command)
        printed = capsys.readouterr()
        assert printed.err.splitlines().count(expected) == 1, command
        assert "data:" not in printed.out


def test_other_pictures_are_refused_by_name_on_resume_and_change_nothing(run, changed):
    before = content(run)
    said = mistake(
        "trainers.main", *RUN, f"--dataset=folder:{changed}", "--steps=6", f"--workdir={run}"
    )
    assert "11 train pictures then and 13 now (2 files new, such as cat/97.png)" in said
    assert said.startswith("error: --dataset: ")
    assert content(run) == before


@pytest.mark.parametrize("command", ["sample", pytest.param("evaluate", marks=pytest.mark.slow)])
def test_other_pictures_are_refused_when_a_model_is_used_on_them(run, changed, tmp_path, command):
    asked = {
        "evaluate": ("--metrics=outliers",),
        "sample": ("--task=score", f"--output={tmp_path / 'a.png'}"),
    }[command]
    where = (f"--workdir={run}", f"--dataset=folder:{changed}")
    assert "such as cat/97.png" in mistake(f"trainers.{command}", *where, *asked)


def test_moved_pictures_are_used_where_they_are_and_changed_flags_recorded(
    run, pets, tmp_path, capsys
):
    """Packed as an archive; the run goes on, and remembers where they are."""
    archive = shutil.make_archive(str(tmp_path / "pets"), "zip", pets.parent, "pets")
    moved = f"--dataset=folder:{archive}"
    output = f"--output={tmp_path / 'a.png'}"
    start("trainers.sample", f"--workdir={run}", moved, "--task=score", output)
    command_line.train(run, *RUN, moved, "--batch_size=4", "--steps=6")
    assert f"{moved}\n" in (run / "flags.cfg").read_text()
    assert "--batch_size=4 (before: 8)" in capsys.readouterr().err
    (row,) = rows(run, "flags")
    assert row["step"] == 4
    assert row["changed"] == {
        "steps": [4, 6],
        "batch_size": [8, 4],
        "dataset": [f"folder:{pets}", f"folder:{archive}"],
    }
    assert [row["step"] for row in rows(run, "train")] == [2, 4, 6]


@pytest.mark.slow
def test_fewer_steps_than_were_made_change_nothing(run, pets, capsys):
    where = (f"--dataset=folder:{pets}", f"--workdir={run}")
    start("trainers.main", *RUN, *where, "--steps=2")
    assert "nothing to do: 4 of 2 updates are made" in capsys.readouterr().err
    assert "--steps=4\n" in (run / "flags.cfg").read_text()
    assert rows(run, "flags") == []


def test_another_share_of_test_pictures_is_refused(trained, pets):
    where = (f"--dataset=folder:{pets}", f"--workdir={trained}", "--steps=6")
    assert "--test_fraction" in mistake("trainers.main", *RUN, *where, "--test_fraction=0.3")


@pytest.mark.parametrize("inside", ["run", "cat/run", ""])
def test_a_work_directory_inside_its_own_data_is_refused(pets, inside):
    before = content(pets)
    where = (f"--dataset=folder:{pets}", f"--workdir={pets / inside}")
    assert str(pets) in mistake("trainers.main", *RUN, *where)
    assert content(pets) == before


def test_a_work_directory_behind_a_link_into_its_data_is_refused(pets, tmp_path):
    (tmp_path / "link").symlink_to(pets)
    where = (f"--dataset=folder:{pets}", f"--workdir={tmp_path / 'link' / 'run'}")
    assert "--workdir" in mistake("trainers.main", *RUN, *where)


# damaged files


@pytest.mark.parametrize(
    ("damaged", "named"),
    [
        (b"{}", "image_shape"),
        (b"[]", "type list"),
        (b"3", "type int"),
        (b"", "could not read"),
        (b"\x93NUMPY\xff\xfe", "could not read"),
        ({"image_mean": [0.1, 0.2]}, "image_mean [0.1, 0.2] for 1 channels"),
        ({"image_mean": [float("nan")]}, "image_mean [NaN]"),
        ({"image_mean": 0.5}, "image_mean 0.5"),
        ({"image_shape": [8, 8]}, "image_shape [8, 8]"),
        ({"image_shape": ["8", 8, 1]}, "image_shape"),
        ({"train_size": 0}, "train_size 0"),
        ({"train_size": True}, "train_size true"),
        ({"num_incomplete": 3}, "num_incomplete 3 of 11"),
        ({"counts": None}, "counts null"),
        ({"fingerprint": 7}, "fingerprint 7"),
    ],
)
def test_a_damaged_data_json_is_refused_in_one_sentence(run, damaged, named):
    place = run / "data.json"
    if not isinstance(damaged, bytes):
        damaged = json.dumps(json.loads(place.read_text()) | damaged).encode()
    place.write_bytes(damaged)
    with pytest.raises(UserError) as caught:
        dataset.remembered(run)
    said = str(caught.value)
    assert str(place) in said
    assert named in said
    assert "\n" not in said


def test_a_command_says_that_data_json_is_damaged(run):
    (run / "data.json").write_text("{}")
    said = mistake("trainers.evaluate", "--metrics=outliers", f"--workdir={run}")
    assert str(run / "data.json") in said


@pytest.mark.parametrize("change", [{"image_mean": [0.9]}, {"train_size": 10}])
def test_numbers_that_the_data_do_not_have_are_refused(run, change):
    now = dataset.remembered(run)
    with pytest.raises(UserError, match="damaged") as caught:
        dataset.check_same(now | change, now, run)
    assert next(iter(change)) in str(caught.value)


@pytest.mark.slow
def test_a_run_of_an_older_version_goes_on_and_remembers_from_then_on(run, pets):
    place = run / "data.json"
    known = json.loads(place.read_text())
    old = ("image_shape", "image_mean", "train_size", "num_incomplete")
    place.write_text(json.dumps({name: known[name] for name in old}))
    (run / "run.json").write_text(json.dumps({"format": 2, "tfgen": "0.1"}))
    command_line.train(run, *RUN, f"--dataset=folder:{pets}", "--steps=6")
    assert json.loads(place.read_text()) == known


def test_data_of_an_older_version_are_compared_by_what_it_remembers(run):
    now = dataset.remembered(run)
    old = {name: now[name] for name in dataset.KINDS}
    dataset.check_same(old, now, run)
    with pytest.raises(UserError, match="train_size 12 then and 11 now"):
        dataset.check_same(old | {"train_size": 12}, now, run)
