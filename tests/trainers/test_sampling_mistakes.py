"""Mistakes with `trainers.sample`: one sentence that names the flag, and nothing on the disk."""

import imageio.v3 as iio
import numpy as np
import pytest
from support.command_line import content, mistake


@pytest.mark.parametrize(
    ("run", "args", "named"),
    [
        ("trained_digits", ["--task=dream"], ["--task", "dream"]),
        ("trained_digits", [], ["--task"]),
        ("trained_digits", ["--task=synthesize"], ["--task", "the task synthesize", "generate"]),
        ("trained_digits", ["--task=pieces"], ["pieces", "1x1"]),
        ("trained_classes", ["--task=generate", "--label=10"], ["--label", "0 to 9", "10"]),
        ("trained_classes", ["--task=generate", "--label=-1"], ["label"]),
        ("trained_digits", ["--task=generate", "--label=1"], ["--label"]),
        ("trained_classes", ["--task=memories"], ["memories"]),
        ("trained_digits", ["--task=generate", "--count=0"], ["count"]),
        ("trained_digits", ["--task=generate", "--steps=-1"], ["steps"]),
        ("trained_digits", ["--task=generate", "--classifiers=1"], ["--classifiers", "none"]),
        ("trained_digits", ["--task=complete", "--mask=nonsense"], ["mask", "nonsense"]),
        ("trained_digits", ["--task=complete", "--mask=half:middle"], ["mask", "half:middle"]),
        (
            "trained_digits",
            ["--task=complete", "--mask=salt_and_pepper:2"],
            ["mask", "salt_and_pepper:2"],
        ),
        (
            "trained_digits",
            ["--task=complete", "--mask=salt_and_pepper:much"],
            ["mask", "salt_and_pepper:much"],
        ),
        ("trained_digits", ["--task=complete", "--mask=blocks:3"], ["mask", "blocks:3"]),
        ("trained_digits", ["--task=complete", "--mask=blocks:1x9"], ["mask", "8 pixels", "9"]),
        ("trained_digits", ["--task=complete", "--mask=blocks:-1x2"], ["mask"]),
        ("trained_digits", ["--task=complete", "--mask=blocks:1x-2"], ["mask"]),
        ("trained_digits", ["--task=complete", "--image=nowhere.png"], ["nowhere.png"]),
        ("trained_texture", ["--task=synthesize", "--size=0"], ["--size"]),
        ("trained_texture", ["--task=synthesize", "--size=large"], ["--size", "large"]),
        ("trained_texture", ["--task=synthesize", "--size=4"], ["--size", "at least", "4"]),
    ],
)
def test_what_cannot_be_done_is_said(run, args, named, request, tmp_path):
    workdir = request.getfixturevalue(run)
    before = content(workdir)
    sentence = mistake(
        "trainers.sample", f"--workdir={workdir}", f"--output={tmp_path / 'out.png'}", *args
    )
    for words in named:
        assert words in sentence
    assert content(tmp_path) == {}
    assert content(workdir) == before


@pytest.mark.parametrize("name", ["out.jpg", "out.png.txt"])
def test_an_output_of_another_kind_is_refused(trained_digits, tmp_path, name):
    sentence = mistake(
        "trainers.sample",
        f"--workdir={trained_digits}",
        "--task=generate",
        f"--output={tmp_path / name}",
    )
    assert "--output" in sentence
    assert name in sentence
    assert content(tmp_path) == {}


def test_a_missing_output_is_asked_for(trained_digits):
    assert "--output" in mistake(
        "trainers.sample", f"--workdir={trained_digits}", "--task=generate"
    )


def test_an_old_picture_stays_when_drawing_fails(trained_digits, tmp_path):
    (tmp_path / "out.png").write_bytes(b"old")
    mistake(
        "trainers.sample",
        f"--workdir={trained_digits}",
        "--task=complete",
        "--mask=x",
        f"--output={tmp_path / 'out.png'}",
    )
    assert content(tmp_path) == {"out.png": b"old"}


def test_a_corrupt_picture_to_complete_is_named(trained_digits, tmp_path):
    (tmp_path / "mine.png").write_bytes(b"not a picture")
    asked = [
        "--task=complete",
        f"--image={tmp_path / 'mine.png'}",
        f"--output={tmp_path / 'out.png'}",
    ]
    assert "mine.png" in mistake("trainers.sample", f"--workdir={trained_digits}", *asked)


def test_a_mask_of_another_size_is_refused(trained_digits, tmp_path):
    iio.imwrite(tmp_path / "mask.png", np.eye(9, 8, dtype=np.uint8))
    asked = [
        "--task=complete",
        f"--mask={tmp_path / 'mask.png'}",
        f"--output={tmp_path / 'out.png'}",
    ]
    sentence = mistake("trainers.sample", f"--workdir={trained_digits}", *asked)
    assert "9x8" in sentence
    assert "8x8" in sentence
