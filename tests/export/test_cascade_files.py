"""Exports of introspective networks answer as the library does, LiteRT files step by step."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from support import alone, cascade_runs, command_line, rows
from support.command_line import mistake
from support.litert import built_in

from export.litert import convert, forms
from export.saved_model import archive
from export.saved_model import published as serving
from tfgen import energies, patches, random
from tfgen.samplers import Adam
from tfgen.samplers.adam import State
from tfgen.types import Places
from trainers.run.trained import restored


@pytest.fixture(scope="module", params=[pytest.param("TEXTURE", marks=pytest.mark.slow), "DIGITS"])
def model(request, tmp_path_factory):
    """Trains a run whose steps fall from stage to stage, and restores it."""
    workdir = tmp_path_factory.mktemp("runs") / request.param.lower()
    command_line.train(
        workdir, *getattr(cascade_runs, request.param), "--introspective.step_decay=0.5"
    )
    return restored(workdir).model


@pytest.fixture(scope="module")
def files(model, tmp_path_factory):
    """Its LiteRT files, by endpoint."""
    return {path.stem: path for path in convert.write(model, tmp_path_factory.mktemp("tflite"))}


def images(model, count, canvas=False):
    """Returns images between noise and pictures."""
    shape = model.canvas if canvas else model.image_shape
    return np.tanh(np.random.default_rng(0).normal(size=(count, *shape))).astype(np.float32)


@pytest.mark.slow
def test_a_process_with_tensorflow_alone_gets_what_the_library_answers_to_each_row(model, tmp_path):
    """To 1e-3 of the range: Adam's steps do not shrink with the gradient, so rounding shows."""
    path = archive.write(model, tmp_path / "model")
    published = serving.endpoints(model)
    given = {
        "stage": np.int32(1),
        "size": np.array([20, 30], np.int32),
        "gamma": np.float32(0.3),
    }
    inputs = {}
    for name in model.endpoints():
        shown = {"image": images(model, 2, canvas=name in ("advance", "stylize"))}
        inputs[name] = rows.of(published[name], given | shown, count=2)
    answers = alone.answers(path, inputs, tmp_path)
    for name, endpoint in model.endpoints().items():
        for output, value in rows.alone(endpoint, inputs[name]).items():
            found = answers[f"{name}.{output}"]
            assert found.shape == value.shape
            np.testing.assert_allclose(found, value, rtol=0, atol=1e-3 * np.ptp(value))


def test_litert_files_are_of_built_in_operators(files):
    assert set(files) == {"energy", "density_energy", "anomaly", "features", "step"}
    assert all(built_in(path) for path in files.values())


def test_a_synthesis_by_sgd_has_no_step_of_adam(model):
    """Left out, not exported as something else."""
    adam = model.synthesis
    model.synthesis = dataclasses.replace(adam, optimizer="sgd")
    try:
        assert "step" not in forms.endpoints(model)
    finally:
        model.synthesis = adam


@pytest.mark.parametrize("name", ["energy", "density_energy", "features"])
def test_litert_scores_and_features_are_the_librarys(model, files, name):
    image = images(model, 1)
    expected = getattr(model, name)(tf.constant(image))
    (found,) = convert.run(files[name], image=image).values()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("stage", [0, 2])
def test_a_litert_step_is_one_of_adam_under_that_stages_classifier(model, files, stage):
    synthesis = model.synthesis
    x, mean = images(model, 1, canvas=True), 0.1 * images(model, 1, canvas=True)
    given = {
        "canvas": x,
        "mean": mean,
        "square": mean**2,
        "count": np.float32(3),
        "stage": np.int32(stage),
    }
    energy = lambda x: synthesis.descended(model.classifier(stage)(x))  # noqa: E731
    if synthesis.patch_size is not None:
        which = tf.zeros([synthesis.patches], tf.int32)
        at = patches.places(which, *x.shape[1:3], synthesis.patch_size, random.root(5))
        given |= {"top": at.top.numpy(), "left": at.left.numpy()}
        energy = energies.patchwork(energy, Places(*at), synthesis.patch_size)
    kernel = Adam(synthesis.step_size * 0.5**stage, synthesis.beta_1, bounds=(-1.0, 1.0))
    state = State(*(tf.constant(given[name]) for name in ("canvas", "mean", "square", "count")))
    state, info = kernel.step(energy, state, random.root(0))
    found = convert.run(files["step"], **given)
    for name, value in zip(("canvas", "mean", "square", "count"), state, strict=True):
        np.testing.assert_allclose(found[name], value, rtol=0, atol=1e-3 * max(np.ptp(value), 1e-3))
    np.testing.assert_allclose(found["objective"], info.energy, rtol=1e-4)


@pytest.mark.slow
def test_the_client_grows_a_texture_and_stylizes_a_picture(tmp_path):
    import imageio.v3 as iio

    workdir, output = tmp_path / "run", tmp_path / "out"
    command_line.train(workdir, *cascade_runs.TEXTURE)
    command_line.start(
        "export.main",
        f"--workdir={workdir}",
        "--formats=saved_model",
        "--nomeasure",
        f"--output={output}",
    )
    model = f"--saved_model={output / 'saved_model' / 'introspective'}"
    grown = tmp_path / "grown.png"
    command_line.start(
        "export.client",
        model,
        "--task=synthesize",
        "--size=70,90",
        "--count=1",
        f"--output={grown}",
    )
    assert iio.imread(grown).shape[:2] == (70, 90)
    styled = tmp_path / "styled.png"
    args = [f"--image={grown}", "--size=64,80", "--steps=2", f"--output={styled}"]
    command_line.start("export.client", model, "--task=stylize", *args)
    assert iio.imread(styled).shape[:2] == (2 * 64 + 2, 80)
    small = ["--task=stylize", f"--image={grown}", "--size=15", f"--output={styled}"]
    assert "at least 16 pixels a side and found 15" in mistake("export.client", model, *small)
    said = mistake("export.client", model, "--task=reconstruct", f"--output={styled}")
    assert "cannot reconstruct" in said
