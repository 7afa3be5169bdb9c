"""Completions of exports beside other libraries: what all are given, that a wrong one is refused, the table."""

import numpy as np
import pytest

from benchmarks.peers import workload
from benchmarks.speed import latency, processes
from tfgen.errors import UserError


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Narrow nets for 28x28 images and their checkpoint."""
    return latency.model(latency.CASES["digit"], 0.05, tmp_path_factory.mktemp("run") / "run")


def test_all_are_given_an_image_half_of_which_is_known_and_noise_of_each_round(trained):
    work = latency.work_of(trained)
    shapes = {name: array.shape for name, array in work.arrays.items()}
    assert shapes == {
        "image": (1, 28, 28, 1),
        "mask": (1, 28, 28, 1),
        "noise": (4, 50),
        "seed": (1, 2),
    }
    assert work.arrays["mask"].mean() == 0.5
    assert [layer.transposed for layer in work.nets["generator"]] == [True] * 3
    assert len(work.nets["inference"]) == 4


def test_the_noise_is_what_the_model_draws_from_the_seed(trained):
    """Filled with it by hand, missing pixels are as `complete` makes them."""
    given = latency.work_of(trained).arrays
    tasks = trained.algorithm.tasks

    def infer(x, i):
        mean, log_var = tasks.posterior.gaussian(x)
        return mean + np.exp(log_var / 2) * given["noise"][i]

    expected = tasks.complete(given["image"], given["mask"], given["seed"])
    np.testing.assert_allclose(
        tasks.filled(given["image"], given["mask"], infer), expected, atol=1e-5
    )
    assert np.std(expected[:, 14:]) > 0.01


def test_another_completion_is_refused():
    ours = np.zeros((1, 2, 2, 1))
    latency.check({latency.OURS: ours, "same": ours + 1e-5})
    with pytest.raises(UserError, match="other: expected the SavedModel's completion"):
        latency.check({latency.OURS: ours, "other": ours + 1e-3})


def test_the_table_compares_both_exports_within_a_round():
    """A slow round for all in the middle."""
    seconds = {
        "SavedModel": [1e-3, 3e-3, 1e-3],
        "LiteRT": [2e-3, 6e-3, 2e-3],
        "peer": [4e-3, 12e-3, 4e-3],
    }
    lines = latency.report("x", seconds, dict.fromkeys(seconds, "1")).splitlines()
    assert lines[-3:] == [
        "| SavedModel 1 | 1.00 | 2.60 | 1.00 | 0.50 |",
        "| LiteRT 1 | 2.00 | 5.20 | 2.00 | 1.00 |",
        "| peer 1 | 4.00 | 10.40 | 4.00 | 2.00 |",
    ]


@pytest.mark.slow
def test_both_exports_complete_alike(trained, tmp_path):
    """In processes of their own; the peers are checked so whenever they are timed."""
    latency.call(
        "export.main",
        f"--workdir={trained.workdir}",
        "--nomeasure",
        f"--output={tmp_path / 'export'}",
    )
    workload.write(tmp_path / "workload.npz", latency.work_of(trained))
    commands = latency.commands_of(tmp_path, "")
    with processes.started(
        {name: commands[name] for name in ("SavedModel", "LiteRT")}
    ) as contenders:
        latency.check(
            {name: c.outputs(tmp_path / "answer.npz")["image"] for name, c in contenders.items()}
        )
