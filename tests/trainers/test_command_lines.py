"""Flagfiles in any encoding, paths of the home directory and of other machines, ranges of flags."""

import os
import subprocess
import sys

import pytest
from support.command_line import DIGITS, TOY, mistake, values

from tfgen.errors import UserError
from tfgen.models.chains import Chains
from trainers.run import classes, strategy
from trainers.run.flagfiles import expand

TEXT = "# début\n--steps=7\n\n// two\n  --seed=3  \n"


def words(path):
    """Returns the flags of a file."""
    return [word.text for word in expand([f"--flagfile={path}"])]


def complaint(path):
    """Returns the sentence that refuses a flagfile."""
    with pytest.raises(UserError) as caught:
        expand([f"--flagfile={path}"])
    return str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_flagfile_is_read_in_any_encoding_of_its_comments(tmp_path, encoding, newline):
    path = tmp_path / "a.flags"
    path.write_bytes(TEXT.replace("\n", newline).encode(encoding))
    assert words(path) == ["--steps=7", "--seed=3"]


def test_a_byte_order_mark_before_a_flag_is_no_part_of_it(tmp_path):
    (tmp_path / "a.flags").write_bytes(b"\xef\xbb\xbf--steps=7\n")
    assert words(tmp_path / "a.flags") == ["--steps=7"]


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("--steps=7\n--workdir=début\n".encode("latin-1"), "line 2"),
        ("--steps=7\n".encode("utf-16-le"), "UTF-16 without a mark"),
        (b"--steps=7\n\x00\x01\x02", "line 2"),
        (b"\xff\xfe-", "damaged UTF-16"),
        (b"--steps=7\n--workdir=x # here\n", "line 2"),
    ],
)
def test_a_flagfile_that_cannot_be_read_is_named_with_its_line(tmp_path, content, named):
    (tmp_path / "a.flags").write_bytes(content)
    said = complaint(tmp_path / "a.flags")
    assert str(tmp_path / "a.flags") in said
    assert named in said


def test_a_flagfile_in_a_flagfile_may_lie_beside_it(tmp_path):
    (tmp_path / "plain.flags").write_text("--steps=2\n--seed=1\n")
    (tmp_path / "a.flags").write_text("--flagfile=plain.flags\n--steps=3\n")
    assert words(tmp_path / "a.flags") == ["--steps=2", "--seed=1", "--steps=3"]


def test_a_flagfile_that_names_itself_is_read_once(tmp_path):
    path = tmp_path / "a.flags"
    path.write_text(f"--flagfile={path}\n--steps=3\n")
    assert words(path) == ["--steps=3"]


@pytest.mark.parametrize(
    "line", ["--stpes=3", "--steps=1e1", "--steps = 2", "--seed=-1", "steps=3"]
)
def test_a_mistake_in_a_flagfile_is_named_with_its_line(tmp_path, line):
    (tmp_path / "a.flags").write_text(f"--batch_size=4\n{line}\n")
    said = mistake("trainers.main", f"--flagfile={tmp_path / 'a.flags'}")
    assert f"({tmp_path / 'a.flags'}, line 2)" in said


def test_the_home_directory_is_expanded_in_paths(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    found = values(
        "trainers.sample", "--workdir=~/run", "--output=~/a.png", "--image=~", "--mask=B20"
    )
    assert (found.workdir, found.output, found.image) == (
        "/home/ada/run",
        "/home/ada/a.png",
        "/home/ada",
    )
    found = values("trainers.report", "--workdirs=~/a,b~", "--output=~/a.html")
    assert found.workdirs == ["/home/ada/a", "b~"]


@pytest.mark.parametrize(
    ("command", "flag"),
    [
        ("trainers.main", "--workdir=gs://bucket/run"),
        ("trainers.main", "--dataset=folder:gs://bucket/pictures"),
        ("trainers.main", "--dataset=npz:s3://bucket/a.npz"),
        ("trainers.sample", "--output=gs://bucket/a.png"),
        ("trainers.evaluate", "--workdir=gs://bucket/run"),
        ("trainers.landscape", "--workdir=gs://bucket/run"),
        ("trainers.compare", "--workdirs=a,gs://bucket/run"),
        ("trainers.report", "--workdirs=gs://bucket/run"),
        ("export.main", "--output=gs://bucket/out"),
        ("export.client", "--saved_model=gs://bucket/out"),
        ("export.batch", "--input=gs://bucket/in"),
        ("export.web", "--workdir=gs://bucket/in"),
    ],
)
def test_every_command_refuses_addresses_of_other_machines(command, flag):
    said = mistake(command, flag)
    name, _, value = flag.partition("=")
    assert said.startswith(f"error: {name}: expected a path on this machine")
    assert value.rpartition(",")[2] in said


@pytest.mark.parametrize("break_", ["\n", "\r", "\n--seed=77"])
def test_a_line_break_in_a_flag_is_refused(tmp_path, break_):
    flags = [flag for flag in DIGITS if not flag.startswith("--dataset")]
    said = mistake(
        "trainers.main", *flags, f"--dataset=digits{break_}", f"--workdir={tmp_path / 'a'}"
    )
    assert said.startswith("error: --dataset: expected a single line")
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("seed", [-1, 2**32, 99999999999999999999])
@pytest.mark.parametrize("command", ["trainers.main", "trainers.sample", "trainers.evaluate"])
def test_seeds_are_numbers_of_32_bits(command, seed):
    said = mistake(command, f"--seed={seed}")
    assert (
        f"--seed: expected a whole number at least 0 and at most 4294967295 and found {seed}"
        in said
    )


def test_the_largest_seed_is_one():
    assert values("trainers.main", f"--seed={2**32 - 1}").seed == 4294967295


@pytest.mark.parametrize("flag", ["--steps=99999999999999999999", "--batch_size=99999999999"])
def test_numbers_beyond_all_sense_are_refused(flag):
    assert flag.partition("=")[0] in mistake("trainers.main", *TOY, flag)


class TwoReplicas:
    """As much of a strategy as is asked for."""

    num_replicas_in_sync = 2


def test_a_batch_that_replicas_cannot_share_is_refused_with_a_size_that_they_can():
    strategy.check_batch(TwoReplicas(), 4)
    with pytest.raises(UserError, match=r"--batch_size: .* 2 replicas .* found 5; give 4"):
        strategy.check_batch(TwoReplicas(), 5)


def test_chains_that_replicas_cannot_share_are_refused(monkeypatch):
    monkeypatch.setattr("tensorflow.distribute.get_strategy", TwoReplicas)
    with pytest.raises(UserError, match="chains: expected a multiple of the 2 replicas"):
        Chains(3, (2, 2, 1))


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "iso-8859-9"])
def test_help_is_printed_in_any_encoding(encoding):
    environment = os.environ | {"LC_ALL": "C", "PYTHONIOENCODING": encoding}
    for command in ("trainers.main", "trainers.recipes"):
        help_ = ["--help"] if command == "trainers.main" else []
        done = subprocess.run(
            [sys.executable, "-m", command, *help_],
            env=environment,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert len(done.stdout) > 1000


def test_a_stream_escapes_letters_that_its_encoding_lacks(tmp_path, monkeypatch):
    from trainers.run import commands

    with (tmp_path / "out").open("w", encoding="ascii") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        commands.run(lambda values: stream.write("ε\n"), lambda values: None, "", ["a"])
    assert (tmp_path / "out").read_bytes() == b"\\u03b5\n"


# classes


def test_a_class_is_named_or_numbered():
    names = ["1", "2", "10", "caf\u00e9"]
    assert [classes.number(name, names) for name in ("2", "10", "0", "3")] == [1, 2, 0, 3]
    assert classes.number("cafe\u0301", names) == 3
    assert classes.number("7", None) == 7
    assert classes.number(None, names) is None


@pytest.mark.parametrize("text", ["dgo", "-1", "1.5", ""])
def test_a_class_that_there_is_not_is_answered_with_those_that_there_are(text):
    with pytest.raises(UserError, match="--label: expected a whole number at least 0, or one of"):
        classes.number(text, ["cat", "dog"])
