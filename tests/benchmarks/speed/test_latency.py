"""Tests of the latency of exports: the work of all contenders, the check, the table."""

import numpy as np
import pytest

from benchmarks.peers import workload
from benchmarks.speed import latency, processes
from experiments import runs
from tfgen.errors import UserError
from tfgen.models import completion


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Narrow nets for 28x28 images, and their checkpoint."""
    return latency.model(latency.CASES["digit"], 0.05, tmp_path_factory.mktemp("run") / "run")


def test_the_work_is_an_image_half_known_and_the_noise_of_each_round(trained):
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
    image, mask = given["image"], given["mask"]
    model = trained.algorithm.model

    def infer(x, i):
        mean, log_var = model.posterior.gaussian(x)
        return mean + np.exp(log_var / 2) * given["noise"][i]

    expected = model.complete(image, mask, seed=given["seed"][0])
    decode, rounds = model.generator.of_inferred, model.completion_rounds
    found = completion.filled(decode, infer, image, mask, rounds=rounds)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.std(expected[:, 14:]) > 0.01


def test_another_completion_is_refused():
    ours = np.zeros((1, 2, 2, 1))

    def outputs(**images):
        found = {latency.SAVED_MODEL: ours} | images
        return {name: {"image": image} for name, image in found.items()}

    latency.check(outputs(same=ours + 1e-5))
    with pytest.raises(UserError, match="other: expected the SavedModel's completion"):
        latency.check(outputs(other=ours + 1e-3))


def test_the_table_compares_both_exports_within_a_round():
    """A slow round for all is in the middle."""
    seconds = {
        "SavedModel": [1e-3, 3e-3, 1e-3],
        "LiteRT": [2e-3, 6e-3, 2e-3],
        "peer": [4e-3, 12e-3, 4e-3],
    }
    timed = processes.Timed(seconds, dict.fromkeys(seconds, "1"))
    assert latency.report(timed).splitlines()[-3:] == [
        "| SavedModel 1 | 1.00 | 2.60 | 1.00 | 0.50 |",
        "| LiteRT 1 | 2.00 | 5.20 | 2.00 | 1.00 |",
        "| peer 1 | 4.00 | 10.40 | 4.00 | 2.00 |",
    ]


@pytest.mark.slow
def test_both_exports_complete_alike(trained, tmp_path):
    """They run in processes of their own; the peers are checked whenever they are timed."""
    output = f"--output={tmp_path / 'export'}"
    runs.call("export.main", f"--workdir={trained.workdir}", "--nomeasure", output)
    workload.write(tmp_path / "workload.npz", latency.work_of(trained))
    commands = latency.commands_of(tmp_path, "")
    exports = {name: commands[name] for name in (latency.SAVED_MODEL, latency.LITE)}
    with processes.started(exports) as contenders:
        latency.check(processes.outputs_of(contenders))
