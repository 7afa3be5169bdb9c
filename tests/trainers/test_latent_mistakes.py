"""Mistakes with generators: one sentence that names the flag, and nothing on the disk."""

import json

import pytest
from support import latent_runs
from support.command_line import DIGITS, mistake
from test_mistakes import refused

from tfgen.models import saved


@pytest.mark.parametrize(
    ("algorithm", "flag", "named"),
    [
        ("divergence_triangle", "preset=offical", ["preset", "official, scaled, paper", "offical"]),
        ("divergence_triangle", "preset=", ["preset"]),
        ("divergence_triangle", "sigma=-1", ["sigma", "above 0"]),
        ("divergence_triangle", "temperature=-1", ["temperature", "above 0"]),
        ("divergence_triangle", "variational_weight=-1", ["variational_weight", "at least 0"]),
        ("divergence_triangle", "adversarial_weight=-1", ["adversarial_weight", "at least 0"]),
        ("divergence_triangle", "energy_decay=-1", ["energy_decay", "at least 0"]),
        ("divergence_triangle", "gradient_penalty=nan", ["gradient_penalty", "at least 0"]),
        ("divergence_triangle", "sample_steps=-1", ["sample_steps", "at least 0"]),
        ("divergence_triangle", "sigmaa=1", ["did you mean --divergence_triangle.sigma"]),
        ("vae", "sigma=0", ["sigma", "above 0"]),
        ("vae", "completion_rounds=0", ["completion_rounds", "at least 1"]),
        ("wake_sleep", "sigma=0", ["sigma", "above 0"]),
        ("acd", "temperature=0", ["temperature", "above 0"]),
        ("acd", "step_size=0", ["step_size", "above 0"]),
        ("abp", "langevin_steps=0", ["langevin_steps", "at least 1"]),
        ("abp", "inference_steps=0", ["inference_steps", "at least 1"]),
        ("abp", "step_size=0", ["step_size", "above 0"]),
    ],
)
def test_a_constant_of_a_latent_model_out_of_its_range_is_refused(tmp_path, algorithm, flag, named):
    sentence = refused(tmp_path, *latent_runs.of(algorithm), f"--{algorithm}.{flag}")
    for words in named:
        assert words in sentence


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (["--image_size=9"], ["image_size", "8x8x1", "9x9x1"]),
        (["--nets=toy"], ["nets", "generator", "toy"]),
        (["--generator.width=0"], ["width"]),
        (["--generator.latent_dim=0"], ["latent_dim"]),
        (["--generator.latent_dim=4", "--inference.latent_dim=5"], ["latent"]),
        (["--generator.activation=relu"], ["--generator.activation"]),
        (["--max_images=0"], ["max_images"]),
        (["--missing=B21"], ["mask", "B21", "MB10"]),
        (["--missing=blocks:1x9"], ["mask", "8 pixels", "9"]),
        (["--missing=P.5", "--patch_size=4"], ["missing", "patch_size"]),
        (["--dataset=cifar10:nowhere"], ["nowhere"]),
    ],
)
def test_nets_and_data_that_do_not_go_together_are_refused(tmp_path, flags, named):
    sentence = refused(tmp_path, *latent_runs.VAE, *flags)
    for words in named:
        assert words in sentence


@pytest.mark.parametrize("run", [latent_runs.of("acd"), DIGITS], ids=["acd", "generative_convnet"])
def test_missing_pixels_are_refused_by_an_algorithm_that_would_take_them_for_black(tmp_path, run):
    assert "--missing" in refused(tmp_path, *run, "--missing=P.5")


@pytest.mark.parametrize("flag", ["--missing=B20", "--max_images=99", "--generator.latent_dim=4"])
def test_a_run_of_other_pixels_images_or_latents_is_not_gone_on_with(tmp_path, flag):
    workdir = tmp_path / "run"
    workdir.mkdir()
    (workdir / "flags.cfg").write_text("\n".join(latent_runs.VAE))
    (workdir / saved.RUN).write_text(json.dumps(saved.describe_run()))
    sentence = mistake("trainers.main", *latent_runs.VAE, flag, f"--workdir={workdir}")
    assert flag.partition("=")[0] in sentence
    assert str(workdir) in sentence
