"""Trainings that are killed at random moments end as if nobody had killed them, bit for bit.

The slow suite kills a run of each family 25 times; one case with fewer kills is fast.
"""

import pathlib
import random as python_random
import signal

import pytest
from support import latent_runs
from support.command_line import DIGITS, content, final_weights, rows, spawned

pytestmark = pytest.mark.eager

KILLS = 25

INTERVALS = ("--log_every=2", "--save_every=4", "--sample_every=8", "--keep=2")

FAMILIES = {
    "generative_convnet": (
        *DIGITS,
        "--energy.ema=0.9",
        "--generative_convnet.layer_iterations=30",
        "--generative_convnet.rejuvenation=0.2",
    ),
    "divergence_triangle": (*latent_runs.TRIANGLE, "--max_images=24", "--missing=B20"),
    "introspective": (
        "--algorithm=introspective",
        "--nets=dcgan_digits",
        "--dataset=digits",
        "--max_images=40",
        "--batch_size=8",
        "--discriminator.width=0.125",
        "--introspective.stages=40",
        "--introspective.stage_updates=5",
        "--introspective.samples=6",
        "--introspective.synthesis_steps=8",
    ),
    "vae": (*latent_runs.VAE, "--max_images=24"),
}

EVENTS = (
    ("open", "metrics.jsonl"),
    ("open", "writing-"),
    ("open", "flags.cfg"),
    ("open", "record.json"),
    ("os.rename", "step-"),
    ("os.rename", "run.json"),
    ("shutil.rmtree", "step-"),
    ("open", "samples"),
)


def kill_and_compare(directory: pathlib.Path, name: str, kills: int, updates: int) -> None:
    """Kills a run at random moments, lets it end, and compares it with one that nobody killed.

    Args:
        directory: for both.
        name: of the family.
        kills: how many.
        updates: that the run gets further between two kills, at most; at least 4.
    """
    draw = python_random.Random(f"{name} {kills}")
    run = ("trainers.main", *FAMILIES[name], *INTERVALS, f"--steps={kills * updates + 4}")
    whole, killed, log = directory / "whole", directory / "killed", directory / "log"
    assert spawned(*run, f"--workdir={whole}", log=log) == 0, log.read_text()
    step = 0
    for _ in range(kills):
        step += draw.randint(1, updates)
        traps: list[tuple] = [("batch", "", step)]
        if draw.random() < 0.5:  # unless it comes to this update first
            traps.append((*draw.choice(EVENTS), draw.randint(1, 3)))
        code = spawned(*run, f"--workdir={killed}", log=log, traps=traps)
        assert code == -signal.SIGKILL, (traps, log.read_text())
    assert spawned(*run, f"--workdir={killed}", log=log) == 0, log.read_text()
    assert same(whole, killed)


def same(whole: pathlib.Path, killed: pathlib.Path) -> bool:
    """Returns whether two work directories hold the same weights, rows and pictures."""
    assert final_weights(killed) == final_weights(whole)
    ours, theirs = rows(killed, "train"), rows(whole, "train")
    assert [{**row, "seconds": 0} for row in ours] == [{**row, "seconds": 0} for row in theirs]
    files, others = (
        {n: b for n, b in content(workdir).items() if n.startswith(("samples", "checkpoints"))}
        for workdir in (killed, whole)
    )
    assert files.keys() == others.keys()
    return all(files[n] == others[n] for n in files if n.endswith((".png", "model/model.json")))


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_a_run_killed_25_times_at_random_ends_as_if_nobody_had(name, tmp_path):
    kill_and_compare(tmp_path, name, KILLS, updates=6)


def test_a_run_killed_at_random_ends_as_if_nobody_had(tmp_path):
    kill_and_compare(tmp_path, "generative_convnet", 2, updates=4)
