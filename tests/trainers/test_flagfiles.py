"""Every flagfile describes an experiment that runs.

What a flagfile says is asked in tests/conformance/test_every_flagfile_is_a_lab_note.py, and that
updates trace in test_every_algorithm_traces.py there.
"""

import os
import pathlib

import imageio.v3 as iio
import numpy as np
import pytest
from support import command_line
from support.command_line import rows

from trainers.run import catalogue, checkpoints

pytestmark = pytest.mark.eager

ROOT = pathlib.Path(__file__).parents[2]
FLAGFILES = sorted((ROOT / "trainers" / "flagfiles").glob("*.flags"))


def shrunk(values) -> list[str]:
    """Returns flags that make an experiment small: its code is run, not its numbers."""
    name = values.algorithm
    wanted = {
        "batch_size": 4,
        "max_images": 40,
        "log_every": 1,
        "save_every": 1000,
        "sample_every": 1000,
        **{
            f"{name}.{count}": 1
            for count in (
                "langevin_steps",
                "sample_steps",
                "denoising_steps",
                "inference_steps",
                "completion_rounds",
            )
        },
        f"{name}.chains": 4,
    }
    for role in catalogue.roles(name):
        wanted |= {f"{role}.warmup_steps": 1}
        if "width" in catalogue.hyperparameters(catalogue.net_function(values.nets, role)):
            wanted |= {f"{role}.width": 0.1}
    return [f"--{flag}={value}" for flag, value in wanted.items() if flag in values]


def data(values, tmp_path: pathlib.Path) -> list[str]:
    """Returns the flags of the data: made-up pictures where they are the user's to choose.

    Skips the test where the data are not here.
    """
    if values.dataset is None:
        for number in range(10):
            picture = np.random.default_rng(number).integers(0, 256, (48, 48, 3), np.uint8)
            (tmp_path / "pictures").mkdir(exist_ok=True)
            iio.imwrite(tmp_path / "pictures" / f"{number}.png", picture)
        return [f"--dataset=folder:{tmp_path / 'pictures'}"]
    kind, _, path = values.dataset.partition(":")
    archive = path.partition(".zip/")[0] + ".zip" if ".zip/" in path else path
    if path and not (ROOT / archive).exists():
        pytest.skip(f"{path} is not here")
    if needs_tfds(values) and not prepared(kind):
        if not (values.manual_dir and (ROOT / values.manual_dir).is_dir()):
            pytest.skip(f"{kind} is not here")
        return [f"--data_dir={tmp_path.parent / 'prepared'}"]  # once for all tests
    return []


def needs_tfds(values) -> bool:
    """Returns whether TensorFlow Datasets must fetch the data."""
    name = values.dataset or "digits"
    return ":" not in name and name != "digits" and not name.startswith(("textures/", "toy/"))


def prepared(name: str) -> bool:
    """Returns whether TensorFlow Datasets has a data set on this machine."""
    directory = os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")
    return (pathlib.Path(directory).expanduser() / name).exists()


def run(flagfile: pathlib.Path, tmp_path: pathlib.Path, monkeypatch) -> None:
    """Makes two updates of a flagfile's experiment."""
    monkeypatch.chdir(ROOT)
    values = command_line.recipe(flagfile)
    workdir = tmp_path / "run"
    given = [*shrunk(values), *data(values, tmp_path), "--jit_compile=false"]
    layers = f"{values.algorithm}.layer_iterations"
    if layers in values and values[layers].value:
        given.append(f"--{layers}=1")  # the second update is the second layer's
    command_line.train(workdir, f"--flagfile={flagfile}", *given, "--steps=2")
    assert [row["step"] for row in rows(workdir, "train")] == [1, 2]
    assert 2 in checkpoints.steps(workdir / "checkpoints")
    assert list((workdir / "samples").iterdir())


def is_quick(path: pathlib.Path) -> bool:
    """Returns whether an experiment is small, and its data need no preparation."""
    values = command_line.recipe(path)
    large = values.nets in (
        "triangle_cifar10",
        "triangle_mnist",
        "triangle_texture",
    )  # slow to trace, even when narrow
    large |= (values.dataset or "").startswith("cifar10")  # slow to read
    return path.stem.endswith(("_cpu", "prototype")) and not large and not needs_tfds(values)


QUICK = [path for path in FLAGFILES if is_quick(path)]
FIRST = {command_line.recipe(path).algorithm: path for path in reversed(QUICK)}
"""One of each algorithm, run every time; its others with the slow tests."""


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(p, marks=() if p in FIRST.values() else pytest.mark.slow, id=p.stem)
        for p in QUICK
    ],
)
def test_a_small_experiment_runs(path, tmp_path, monkeypatch):
    run(path, tmp_path, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", [path for path in FLAGFILES if path not in QUICK], ids=lambda path: path.stem
)
def test_an_experiment_of_a_larger_scale_runs(path, tmp_path, monkeypatch):
    run(path, tmp_path, monkeypatch)
