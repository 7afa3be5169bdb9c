"""Training in bfloat16, compiled by XLA, and mirrored."""

import math

import numpy as np
import pytest
import tensorflow as tf
from support import command_line
from support.command_line import DIGITS, TEXTURE, TOY, numbers, rows

from trainers.run.experiment import Experiment
from trainers.run.trained import restored


@pytest.fixture(scope="module")
def half_precise(tmp_path_factory):
    """Trains a texture in bfloat16."""
    workdir = tmp_path_factory.mktemp("bfloat16") / "run"
    command_line.train(workdir, *TEXTURE, "--compute_dtype=bfloat16")
    return workdir


def test_bfloat16_trains_with_finite_numbers_and_float32_weights(half_precise):
    assert [row["step"] for row in rows(half_precise, "train")] == [2, 4]
    for row in rows(half_precise, "train"):
        assert all(
            math.isfinite(row[name])
            for name in ("energy_data", "energy_samples", "weight_grad_norm")
        )
    assert {value.dtype for value in numbers(half_precise).values()} <= {
        np.dtype("float32"),
        np.dtype("int64"),
    }


def test_bfloat16_begins_as_float32_does(half_precise, trained_texture):
    ours, theirs = rows(half_precise, "train")[0], rows(trained_texture, "train")[0]
    for name in ("energy_data", "energy_samples"):
        assert ours[name] == pytest.approx(theirs[name], rel=0.02)


@pytest.mark.parametrize("flags", [DIGITS, TEXTURE], ids=["digits", "texture"])
def test_energies_in_bfloat16_are_float32_and_within_two_percent(tmp_path, flags):
    found = {}
    for dtype in ("float32", "bfloat16"):
        made = Experiment(
            command_line.values(
                "trainers.main",
                *flags,
                "--generative_convnet.sigma=0.5",
                f"--compute_dtype={dtype}",
                f"--workdir={tmp_path / 'run'}",
            )
        )
        image = tf.constant(made.images.train.shown(8))
        # the score alone: the reference is computed in float32 either way
        assert all(v.dtype == "float32" for v in made.algorithm.nets["energy"].trainable_variables)
        # large enough for the score to matter
        for v in made.algorithm.nets["energy"].trainable_variables:
            v.assign(3 * v)
        found[dtype] = made.algorithm.nets["energy"](image / 0.5, training=False)
        assert made.algorithm.model.energy(image).dtype == tf.float32
    assert found["bfloat16"].dtype == tf.float32
    assert not np.array_equal(found["bfloat16"], found["float32"])
    scale = np.abs(found["float32"]).mean()
    assert np.abs(found["bfloat16"] - found["float32"]).max() < 0.02 * scale


def test_a_run_in_bfloat16_resumes_and_is_sampled_in_it(half_precise, tmp_path):
    trained = restored(half_precise)
    assert trained.model.energy_net.convs[0].compute_dtype == "bfloat16"
    command_line.start(
        "trainers.sample",
        f"--workdir={half_precise}",
        "--task=synthesize",
        "--size=30",
        f"--output={tmp_path / 'out.png'}",
    )
    assert (tmp_path / "out.png").exists()


def test_a_run_compiled_by_xla_trains_alike(tmp_path):
    """The noise is the same, and numbers agree to float32's rounding over a few updates."""
    command_line.train(tmp_path / "xla", *TOY, "--jit_compile=true")
    command_line.train(tmp_path / "plain", *TOY)
    for a, b in zip(
        rows(tmp_path / "xla", "train"), rows(tmp_path / "plain", "train"), strict=True
    ):
        assert a["energy_data"] == pytest.approx(b["energy_data"], rel=1e-3)


@pytest.mark.parametrize(
    "convolution", [pytest.param("space_to_depth", marks=pytest.mark.slow), "toom_cook"]
)
def test_a_run_with_other_convolutions_trains_alike(convolution, tmp_path):
    """The noise is the same, and numbers agree to float32's rounding over a few updates."""
    command_line.train(tmp_path / "direct", *DIGITS, "--convolution=direct")
    command_line.train(tmp_path / "other", *DIGITS, f"--convolution={convolution}")
    for given, expected in ((None, convolution), ("direct", "direct")):
        model = restored(tmp_path / "other", convolution=given).model
        assert model.energy_net.convs[0].convolution == expected
    ours, theirs = numbers(tmp_path / "other"), numbers(tmp_path / "direct")
    for name in ours:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-3, atol=1e-4, err_msg=name)


def test_a_mirrored_run_on_one_device_is_the_same_run(trained_toy, tmp_path):
    command_line.train(tmp_path / "run", *TOY, "--energy.ema=0.5", "--strategy=mirrored")
    ours, theirs = numbers(tmp_path / "run"), numbers(trained_toy)
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-5, atol=1e-6, err_msg=name)


def test_a_run_goes_on_under_another_strategy(toy):
    command_line.train(toy, *TOY, "--energy.ema=0.5", "--steps=6", "--strategy=mirrored")
    assert [row["step"] for row in rows(toy, "train")] == [2, 4, 6]
