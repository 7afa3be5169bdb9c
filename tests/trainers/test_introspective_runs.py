"""Runs of introspective networks: kills, ends, and mistakes.

They are killed in a stage or a synthesis, and end with their last stage.
"""

import shutil
import signal

import numpy as np
import pytest
from support import command_line
from support.command_line import content, final_weights, mistake, numbers, rows, spawned
from test_mistakes import refused

import tfgen
from trainers.run import checkpoints

DIGITS = (
    "--algorithm=introspective",
    "--nets=dcgan_digits",
    "--dataset=digits",
    "--max_images=40",
    "--batch_size=8",
    "--steps=100",
    "--log_every=2",
    "--save_every=4",
    "--sample_every=4",
    "--keep=9",
    "--discriminator.width=0.125",
    "--discriminator.optimizer=sgd",
    "--discriminator.learning_rate=0.1",
    "--discriminator.momentum=0.5",
    "--introspective.stages=3",
    # stages end at steps 5, 10 and 15, of which only the last is saved
    "--introspective.stage_updates=5",
    "--introspective.stop_loss=0",
    "--introspective.loss_window=2",
    "--introspective.samples=6",
    "--introspective.synthesis_steps=8",
    "--introspective.noise=0.05",
    "--introspective.reduction=2",
    "--introspective.stop=boundary",  # averaged over 20 steps, more than there are: all are taken
)
"""The smallest run: 15 of at most 100 steps, in three stages, of which two classifiers are kept."""

TEXTURE = (
    *(flag for flag in DIGITS if not flag.startswith(("--dataset", "--max_images"))),
    "--dataset=textures/brick",
    "--image_size=16",
    "--patch_size=8",
    "--test_fraction=0",
    "--introspective.canvas=8",
    "--introspective.padding=7",
    "--introspective.patches=3",
)
"""The same by patches."""

LAST = 15


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(DIGITS, id="whole"),
        pytest.param(TEXTURE, id="patches", marks=pytest.mark.slow),
    ],
)
def whole(request, tmp_path_factory):
    """Returns a run's flags, and its work directory after a run that nobody killed."""
    workdir = tmp_path_factory.mktemp("whole") / "run"
    assert (
        spawned(
            "trainers.main", *request.param, f"--workdir={workdir}", log=workdir.with_name("log")
        )
        == 0
    )
    return request.param, workdir


STAGE, SYNTHESIS = ("batch", "", 7), ("synthesis", "", 12)
"""Within a stage; within the second stage's synthesis, 4 steps after the 8 of the first."""
SAVING = (
    ("os.rename", "step-0000000012", 1),
    ("synthesis", "", 8),
    ("os.rename", f"step-{LAST:010d}", 1),
)
"""As the third stage begins; with its synthesis nearly done; as that is saved."""

KILLS = [
    pytest.param(DIGITS, (STAGE, SYNTHESIS), id="whole-stage and synthesis"),
    pytest.param(TEXTURE, (SYNTHESIS,), id="patches-synthesis", marks=pytest.mark.slow),
    *(
        pytest.param(flags, kills, id=f"{name}-{more}", marks=pytest.mark.slow)
        for name, flags in (("whole", DIGITS), ("patches", TEXTURE))
        for more, kills in (
            ("first synthesis", (("synthesis", "", 3),)),
            ("stage", (STAGE,)),
            ("saving", SAVING),
        )
    ),
]


@pytest.mark.parametrize(("whole", "kills"), KILLS, indirect=["whole"])
def test_a_killed_run_ends_with_the_same_weights_bit_for_bit(whole, tmp_path, kills):
    flags, uninterrupted = whole
    run = ("trainers.main", *flags, f"--workdir={tmp_path / 'run'}")
    log = tmp_path / "log"
    for kill in kills:
        assert spawned(*run, log=log, traps=[kill]) == -signal.SIGKILL, (kill, log.read_text())
        assert checkpoints.steps(tmp_path / "run" / "checkpoints")[-1] < LAST
    assert spawned(*run, log=log) == 0, log.read_text()
    assert final_weights(tmp_path / "run") == final_weights(uninterrupted)
    for ours, theirs in zip(
        rows(tmp_path / "run", "train"), rows(uninterrupted, "train"), strict=True
    ):
        times = {name for name in ours if "second" in name}
        assert {n: v for n, v in ours.items() if n not in times} == {
            n: v for n, v in theirs.items() if n not in times
        }


def test_a_run_ends_with_its_last_stage_saved_logged_and_pictured(whole):
    _, workdir = whole
    assert [row["step"] for row in rows(workdir, "train")] == [2, 4, 6, 8, 10, 12, 14, LAST]
    assert checkpoints.steps(workdir / "checkpoints") == [0, 4, 8, 12, LAST]
    pictured = sorted(path.stem for path in (workdir / "samples").iterdir())
    assert pictured == [f"samples-{step:08d}" for step in (4, 8, 12, LAST)]


def test_the_stages_and_their_steps_are_logged(whole):
    """Rows are means over two steps, such as stage 0's last update and stage 1's first.

    A stage between takes 16 steps.
    """
    found = {row["step"]: (row["stage"], row["synthesis_steps"]) for row in rows(whole[1], "train")}
    assert found[4] == (0, 0)
    assert found[6] == (0.5, 4)
    assert found[8] == (1, 8)
    assert found[12] == (2, 16)
    assert found[LAST] == (2, 16)


def test_a_checkpoint_holds_all_that_a_stage_needs(whole):
    """It holds the samples of every remembered stage, and the copies of the classifier."""
    flags, workdir = whole
    side = 8 if flags is DIGITS else 8 + 2 * 7
    kept = numbers(workdir)
    (memory,) = [array for array in kept.values() if array.shape == (10 * 6, side, side, 1)]
    assert memory.dtype == np.float16
    assert len([array for array in kept.values() if array.shape == (6, side, side, 1)]) == 1
    shapes = [array.shape for array in kept.values()]
    assert (2, 3, 3, 1, 4) in shapes  # two classifiers' first layers


def test_a_finished_run_run_again_changes_nothing(whole, tmp_path):
    """No byte changes, whether more steps are asked for or not."""
    flags, workdir = whole
    workdir = shutil.copytree(workdir, tmp_path / "run")
    command_line.train(workdir, *flags)
    for more in ((), ("--steps=200",)):
        before = content(workdir)
        command_line.train(workdir, *flags, *more)
        after = content(workdir)
        changed = {
            name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
        }
        # a change of flags is also a row of the log
        assert changed <= {"flags.cfg", "metrics.jsonl"}, changed
        assert bool(changed) == bool(more)  # what was asked for is remembered


@pytest.mark.parametrize("whole", [DIGITS], ids=["whole"], indirect=True)
def test_fewer_steps_than_the_stages_take_end_the_run_and_more_go_on(whole, tmp_path):
    flags, uninterrupted = whole
    for steps in (7, 100):
        command_line.train(tmp_path / "run", *flags, f"--steps={steps}")
        assert checkpoints.steps(tmp_path / "run" / "checkpoints")[-1] == min(steps, LAST)
    assert command_line.same_numbers(tmp_path / "run", uninterrupted)


# mistakes


# the ranges themselves are asked in tests/algorithms/test_introspective.py
@pytest.mark.parametrize(
    ("flag", "named"),
    [
        ("stages=0", ["stages", "at least 1"]),
        ("canvas=4", ["canvas", "8", "4"]),
        ("padding=3", ["padding", "canvas"]),
        ("sigma=nan", ["sigma", "above 0"]),
        ("optimizer=rmsprop", ["optimizer", "adam, sgd", "rmsprop"]),
        ("beta_1=1", ["beta_1", "at most"]),
        ("stagess=3", ["did you mean --introspective.stages"]),
        *(
            pytest.param(flag, [flag.partition("=")[0], words], marks=pytest.mark.slow)
            for flag, words in (
                ("reduction=-1", "at least 0"),
                ("stage_updates=0", "at least 1"),
                ("stop_loss=-1", "at least 0"),
                ("loss_window=0", "at least 1"),
                ("samples=0", "at least 1"),
                ("memory=0", "at least 1"),
                ("recency=0.5", "at least 1"),
                ("canvas=-1", "at least 0"),
                ("patches=0", "at least 1"),
                ("sigma=0", "above 0"),
                ("step_size=0", "above 0"),
                ("noise=-1", "at least 0"),
                ("noise_decay=0", "above 0"),
                ("objective=odds", "log_odds, cross_entropy and found odds"),
                ("synthesis_steps=0", "at least 1"),
                ("stop=never", "boundary, margin, quantile and found never"),
                ("stop_quantile=2", "at most 1"),
            )
        ),
    ],
)
def test_a_constant_of_an_introspective_network_out_of_its_range_is_refused(tmp_path, flag, named):
    sentence = refused(tmp_path, *DIGITS, f"--introspective.{flag}")
    for words in named:
        assert words in sentence


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (["--nets=toy"], ["nets", "discriminator", "toy"]),
        (["--image_size=8,9"], ["image_size", "square", "8x9"]),
        (["--image_size=3"], ["image_size", "larger"]),
        (["--discriminator.width=0"], ["width"]),
        (["--missing=B20"], ["--missing"]),
        (["--patch_size=9"], ["patch_size", "8", "9"]),
        (["--dataset=image:nowhere.zip/bark.png"], ["nowhere.zip"]),
    ],
)
def test_nets_and_data_that_do_not_go_together_are_refused(tmp_path, flags, named):
    sentence = refused(tmp_path, *DIGITS, *flags)
    for words in named:
        assert words in sentence


@pytest.mark.parametrize("whole", [DIGITS], ids=["whole"], indirect=True)
@pytest.mark.parametrize(
    ("flag", "named"),
    [
        ("samples=9", ["[6, 8, 8, 1]", "[9, 8, 8, 1]"]),
        ("stages=2", ["--introspective.stages", "at least 3", "found 2"]),
    ],
)
def test_another_cascade_than_the_checkpoints_is_refused_and_nothing_is_changed(
    whole, tmp_path, flag, named
):
    flags, workdir = whole
    workdir = shutil.copytree(workdir, tmp_path / "run")
    before = content(workdir)
    said = mistake("trainers.main", *flags, f"--introspective.{flag}", f"--workdir={workdir}")
    for words in (str(workdir), *named):
        assert words in said
    assert content(workdir) == before


# more stages

MORE = "--introspective.stages=5"


def state(workdir):
    """Returns the newest checkpoint's numbers, without the means of the logging interval."""
    return {name: v for name, v in numbers(workdir).items() if "/means" not in name}


@pytest.mark.parametrize("whole", [DIGITS], ids=["whole"], indirect=True)
@pytest.mark.parametrize("reduction", [2, pytest.param(0, marks=pytest.mark.slow)])
def test_a_finished_cascade_goes_on_as_if_it_had_had_more_stages_from_the_first(
    whole, tmp_path, capsys, reduction
):
    """Bit for bit, for the reduced model, whose last group is not full, and for INNg-single."""
    flags = [*whole[0], f"--introspective.reduction={reduction}"]
    run = tmp_path / "run"
    if reduction == 2:
        shutil.copytree(whole[1], run)
    else:
        command_line.train(run, *flags)
    before = tfgen.load(run)
    command_line.train(run, *flags, MORE)
    assert "--introspective.stages=5 (before: 3)" in capsys.readouterr().err
    (changed,) = rows(run, "flags")
    assert (changed["step"], changed["changed"]) == (LAST, {"introspective.stages": [3, 5]})
    command_line.train(tmp_path / "uninterrupted", *flags, MORE)
    found, expected = state(run), state(tmp_path / "uninterrupted")
    assert found.keys() == expected.keys()
    assert {n for n in found if found[n].tobytes() != expected[n].tobytes()} == set()
    assert checkpoints.steps(run / "checkpoints")[-1] == 25
    model = tfgen.load(run)
    assert model.snapshots.num_kept == (3 if reduction else 1)
    if reduction:  # the first classifier was kept before, and is the same
        image = np.zeros((1, 8, 8, 1), np.float32)
        assert model.classifier(0)(image) == before.classifier(0)(image)


@pytest.mark.slow
@pytest.mark.parametrize("whole", [DIGITS], ids=["whole"], indirect=True)
def test_as_many_stages_as_are_made_end_a_run_with_room_for_more(whole, tmp_path):
    flags, _ = whole
    run = tmp_path / "run"
    command_line.train(run, *flags, "--introspective.stages=9", f"--steps={LAST}")
    kept = state(run)
    assert 5 in {len(v) for v in kept.values() if v.ndim}  # room for five classifiers
    command_line.train(run, *flags)
    command_line.train(run, *flags)
    assert checkpoints.steps(run / "checkpoints")[-1] == LAST
    assert "--introspective.stages=3" in (run / "flags.cfg").read_text(encoding="utf-8")
