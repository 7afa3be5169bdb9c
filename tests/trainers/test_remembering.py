"""A killed run goes on with what it remembered of each image, as graphs that are optimized."""

import pathlib
import shutil
import signal

import numpy as np
import pytest
from support import command_line, latent_runs
from support.command_line import numbers, rows, same_numbers, spawned

from tfgen import random
from trainers.run import checkpoints

OFTEN = ("--max_images=24", "--steps=6", "--save_every=2", "--sample_every=6")
"""Each image comes by more than once, before a kill and after."""

REMEMBERING = {
    "divergence_triangle": (*latent_runs.TRIANGLE, *OFTEN, "--missing=B20"),
    "abp": (*latent_runs.ABP, *OFTEN),
}
SLOW = {"abp": pytest.mark.slow}
KILL = {"divergence_triangle": ("batch", "", 5), "abp": ("os.rename", "step-0000000004", 1)}


@pytest.fixture(
    scope="module", params=[pytest.param(name, marks=SLOW.get(name, ())) for name in REMEMBERING]
)
def remembering(request, tmp_path_factory) -> tuple[str, pathlib.Path, pathlib.Path]:
    """Returns an algorithm's name, a run of it, and the same run killed and resumed.

    The kill comes between two checkpoints, or within one.
    """
    name, directory = request.param, tmp_path_factory.mktemp(request.param)
    whole, killed = directory / "whole", directory / "killed"
    command_line.train(whole, *REMEMBERING[name])
    run = ("trainers.main", *REMEMBERING[name], f"--workdir={killed}")
    assert spawned(*run, log=directory / "log", traps=[KILL[name]]) == -signal.SIGKILL
    assert checkpoints.steps(killed / "checkpoints")[-1] in (2, 4)
    command_line.start(*run)
    return name, whole, killed


def test_a_killed_run_goes_on_with_what_it_remembered_bit_for_bit(remembering):
    _, whole, killed = remembering
    assert same_numbers(killed, whole)
    for ours, theirs in zip(rows(killed, "train"), rows(whole, "train"), strict=True):
        times = {name for name in ours if "second" in name}
        assert {n: v for n, v in ours.items() if n not in times} == {
            n: v for n, v in theirs.items() if n not in times
        }


def test_a_checkpoint_holds_a_row_for_every_training_image(remembering):
    """The memory has a row for each of 22 training images; 2 of 24 are held out.

    Filled pixels are not zero, and latents are not as they were drawn.
    """
    name, whole, _ = remembering
    shape = {"divergence_triangle": (22, 8, 8, 1), "abp": (22, 16)}[name]
    (memory,) = [array for array in numbers(whole).values() if array.shape == shape]
    before = 0 if name == "divergence_triangle" else random.normal(shape, random.root(0)).numpy()
    assert (np.abs(memory - before).reshape(22, -1).max(axis=1) > 0).all()


def test_a_run_with_missing_pixels_is_measured_by_their_recovery(remembering, tmp_path):
    name, whole, _ = remembering
    workdir = shutil.copytree(whole, tmp_path / "run")
    ask = ("trainers.evaluate", f"--workdir={workdir}", "--metrics=recovery")
    if name == "abp":  # on whole images
        assert "--missing" in command_line.mistake(*ask)
        return
    command_line.start(*ask)
    found = {row["metric"]: row for row in rows(workdir, "evaluation")}
    assert found.keys() == {
        f"recovery/{n}" for n in ("error", "error_of_reconstruction", "zeros", "mean_image")
    }
    assert all(0 < row["value"] < 1 for row in found.values())
    assert found["recovery/error"]["protocol"]["num_images"] == 22
    # a block of 2x2 in 8x8, B20's 20x20 in 64x64 to whole pixels
    assert found["recovery/error"]["protocol"]["missing_share"] == 0.0625
