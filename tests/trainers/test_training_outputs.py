"""What a finished training command has written and said."""

import json
import math

import imageio.v3 as iio
import numpy as np
import pytest
import tensorflow as tf
from support import command_line
from support.command_line import DIGITS, TOY, rows

from trainers.run import catalogue, checkpoints, commands, flags

LOGGED = {"energy_data", "energy_samples", "energy_gap", "weight_grad_norm", "langevin_grad_norm"}


def events(workdir):
    """Returns all TensorBoard events of a run: (step, tag, value)."""
    for path in sorted((workdir / "tensorboard").glob("events*")):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                yield event.step, value.tag, tf.make_ndarray(value.tensor)


def test_a_row_of_metrics_holds_energies_gap_norms_rate_and_time(trained_toy):
    found = rows(trained_toy, "train")
    assert [row["step"] for row in found] == [2, 4]
    for row in found:
        assert LOGGED | {"energy_learning_rate"} <= row.keys()
        assert all(math.isfinite(row[name]) for name in LOGGED)
        assert row["energy_gap"] == pytest.approx(
            row["energy_data"] - row["energy_samples"], abs=1e-4
        )
        assert row["weight_grad_norm"] > 0
        assert row["langevin_grad_norm"] > 0
    assert found[0]["energy_learning_rate"] == pytest.approx(0.01)


def test_tensorboard_shows_the_same_numbers(trained_toy):
    shown = {
        (step, tag): float(value) for step, tag, value in events(trained_toy) if value.ndim == 0
    }
    for row in rows(trained_toy, "train"):
        for name in LOGGED:
            assert shown[row["step"], name] == pytest.approx(row[name], rel=1e-5)
        assert shown[row["step"], "steps_per_second"] > 0


def test_tensorboard_shows_pictures_of_the_samples(trained_digits):
    sheets = [
        value
        for _, tag, value in events(trained_digits)
        if tag.startswith("chains") and value.ndim == 1
    ]
    assert sheets
    width, height, png = sheets[-1]
    picture = iio.imread(png)
    assert picture.shape[:2] == (int(height), int(width))
    assert picture.std() > 0


@pytest.mark.parametrize("run", ["trained_digits", "trained_texture", "trained_classes"])
def test_sample_sheets_are_pictures_and_not_constant(run, request):
    paths = sorted((request.getfixturevalue(run) / "samples").iterdir())
    assert [path.name for path in paths] == ["chains-00000004.png"]
    picture = iio.imread(paths[0])
    assert picture.dtype == np.uint8
    assert len(np.unique(picture)) > 10


def test_contrastive_divergence_shows_images_and_their_reconstructions(tmp_path):
    command_line.train(
        tmp_path / "run", *DIGITS, "--generative_convnet.contrastive_divergence", "--steps=2"
    )
    names = sorted(path.name for path in (tmp_path / "run" / "samples").iterdir())
    assert names == ["observed-00000002.png", "reconstructions-00000002.png"]
    assert rows(tmp_path / "run", "train")[-1]["reconstruction_error"] > 0


def test_a_classifier_is_trained_by_the_same_command(tmp_path):
    given = [flag for flag in DIGITS if "generative_convnet" not in flag]
    command_line.train(
        tmp_path / "run",
        *given,
        "--nets=generative_convnet_digits",
        "--algorithm=discriminative_convnet",
        "--energy.outputs=10",
        "--discriminative_convnet.sample_steps=3",
    )
    row = rows(tmp_path / "run", "train")[-1]
    assert 0 <= row["accuracy"] <= 1
    assert row["cross_entropy"] > 0
    assert (tmp_path / "run" / "samples" / "samples-00000004.png").exists()


def test_checkpoints_come_every_so_many_steps_and_at_the_end_and_old_ones_go(tmp_path):
    command_line.train(
        tmp_path / "run", *TOY, "--steps=9", "--log_every=2", "--save_every=4", "--keep=2"
    )
    assert checkpoints.steps(tmp_path / "run" / "checkpoints") == [8, 9]


def test_checkpoints_and_pictures_come_at_their_steps_and_at_the_end(tmp_path):
    flags = ("--steps=13", "--log_every=2", "--save_every=4", "--sample_every=6", "--keep=9")
    command_line.train(tmp_path / "run", *TOY, *flags)
    assert checkpoints.steps(tmp_path / "run" / "checkpoints") == [0, 4, 8, 12, 13]
    names = sorted(path.name for path in (tmp_path / "run" / "samples").iterdir())
    assert names == ["chains-00000006.png", "chains-00000012.png", "chains-00000013.png"]


@pytest.mark.parametrize("name", ["save_every", "sample_every"])
def test_intervals_that_the_logging_interval_does_not_divide_are_refused(tmp_path, name):
    with pytest.raises(SystemExit, match=f"--{name}: expected a multiple of --log_every=5"):
        command_line.train(
            tmp_path / "run",
            *TOY,
            "--log_every=5",
            "--save_every=5",
            "--sample_every=5",
            f"--{name}=4",
        )
    assert not (tmp_path / "run").exists()


def test_progress_shows_steps_rate_time_left_and_the_gap(tmp_path, capfd):
    command_line.train(tmp_path / "run", *TOY)
    bar = capfd.readouterr().err
    assert "4/4" in bar
    assert "step/s" in bar or "s/step" in bar
    assert "energy_gap=" in bar
    assert "<" in bar  # elapsed<left


def test_the_flags_of_a_run_can_be_read_as_a_flagfile(trained_toy):
    values = command_line.values("trainers.main", f"--flagfile={trained_toy / 'flags.cfg'}")
    assert values.workdir == str(trained_toy)
    assert values.steps == 4
    assert values["generative_convnet.sigma"].value == 0.3
    assert values["energy.ema"].value == 0.5
    assert values.image_size is None


def test_a_work_directory_remembers_what_the_net_knows_of_the_data(trained_digits):
    remembered = json.loads((trained_digits / "data.json").read_text())
    assert remembered["image_shape"] == [8, 8, 1]
    assert -0.5 < remembered["image_mean"][0] < 0


def test_a_trained_model_is_sampled_without_its_data(trained_digits, tmp_path, monkeypatch):
    def gone(*args, **kwargs):
        raise AssertionError("the data were read")

    monkeypatch.setattr("tfgen.data.examples.load", gone)
    command_line.start(
        "trainers.sample",
        f"--workdir={trained_digits}",
        "--task=generate",
        f"--output={tmp_path / 'out.png'}",
    )
    assert (tmp_path / "out.png").exists()


@pytest.mark.parametrize(
    "command", ["trainers.main", "trainers.sample", "trainers.evaluate", "export.main"]
)
def test_help_prints_every_flag_and_ends_well(command, capsys):
    command_line.start(command, "--help")  # no SystemExit: exit code 0
    said = capsys.readouterr().out
    assert f"python -m {command}" in said
    for name in command_line.values(command):
        # of an experiment's flags, those of an algorithm or a net are shown when it is chosen
        if command != "trainers.main" or "." not in name:
            assert f"--{name}:" in said, name


def test_help_of_training_tells_of_algorithms_nets_and_optimizers(capsys):
    chosen = ("--algorithm=generative_convnet", "--nets=toy")
    command_line.start("trainers.main", "--help", *chosen)
    said = " ".join(capsys.readouterr().out.split())
    for words in (
        "--generative_convnet.sigma: a number above 0; default 0.00784314 the reference's standard",
        "--energy.width:",
        "--energy.learning_rate: a number at least 0; default ",
        "--flagfile:",
    ):
        assert words in said
    assert "--discriminative_convnet.base_ratio:" not in said


def test_help_wins_over_mistakes(capsys):
    command_line.start("trainers.main", "--help", "--steps=many")
    assert "--steps" in capsys.readouterr().out


def test_every_hyperparameter_has_a_flag_with_a_help_text():
    values = command_line.values("trainers.main")
    for name in catalogue.algorithms():
        for parameter, default in catalogue.hyperparameters(
            catalogue.algorithm_class(name)
        ).items():
            flag = values[f"{name}.{parameter}"]
            assert flag.value == default.default
            assert flag.help and "own default" not in flag.help, flag.name


def test_families_are_files_with_a_net_for_some_role():
    assert set(catalogue.families()) >= {
        "toy",
        "prototype",
        "generative_convnet_texture",
        "generative_convnet_object",
    }
    assert not set(catalogue.families()) & {"layers", "top_down", "scoring"}


def test_a_bug_is_not_dressed_up_as_a_mistake(monkeypatch):
    def broken(values):
        raise RuntimeError("a bug")

    monkeypatch.setattr("sys.argv", ["x"])
    with pytest.raises(RuntimeError, match="a bug"):
        commands.run(broken, flags.define, "A program.")
