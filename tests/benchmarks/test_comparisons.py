"""What libraries are compared on: the file that all are given, and that tfgen's own numbers are right."""

import importlib
import importlib.util
import pathlib

import numpy as np
import pytest
import tensorflow as tf

from benchmarks import against_peers, comparisons, processes
from benchmarks.comparisons import OURS, LangevinDynamics, TriangleStep
from benchmarks.peers import tfgen_nets, workload
from tfgen.nets import triangle_cifar10, triangle_digits

TINY = {
    "langevin": LangevinDynamics("digits", triangle_digits, (8, 8, 1), chains=3, times=2),
    "triangle": TriangleStep(batch=3, width=0.1, side=16),
}
PEERS = processes.ROOT / ".venv-peers" / "bin" / "python"


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """By the name of a tiny comparison, its file."""
    files = {name: tmp_path_factory.mktemp(name) / "w.npz" for name in TINY}
    for name, file in files.items():
        workload.write(file, TINY[name].work()[0])
    return files


def answered(name: str, given: dict[str, pathlib.Path]) -> dict[str, np.ndarray]:
    """What tfgen answers, in this process."""
    module, *options = TINY[name].contenders[OURS]
    return importlib.import_module(f"benchmarks.peers.{module}").entry([str(given[name]), *options]).answer()


def test_every_comparison_is_tried_and_has_modules_to_run():
    assert {type(c) for c in comparisons.ALL.values()} == {type(c) for c in TINY.values()}
    for comparison in comparisons.ALL.values():
        assert comparison.title
        assert next(iter(comparison.contenders)) == OURS
        for module, *_ in comparison.contenders.values():
            assert importlib.util.find_spec(f"benchmarks.peers.{module}"), module


@pytest.mark.parametrize("name", TINY)
def test_a_workload_is_read_as_it_was_written(name, given):
    """And as it was written before: it does not depend on chance."""
    written, operations = TINY[name].work()
    found = workload.read(given[name])
    assert found.constants == written.constants
    assert operations is None or operations > 0
    assert found.arrays.keys() == written.arrays.keys()
    for key, array in written.arrays.items():
        np.testing.assert_array_equal(found.arrays[key], array)
    for key, layers in written.nets.items():
        for layer, again in zip(layers, found.nets[key], strict=True):
            assert (layer.bias is None, layer.norm is None) == (again.bias is None, again.norm is None)
            for value, other in zip(layer, again, strict=True):
                np.testing.assert_array_equal(value, other)


def test_a_net_of_a_workloads_layers_is_the_net_they_were_taken_of():
    """A generator, which has transposed convolutions, normalizations with weights and without gradients, and a bias."""
    first, second = (triangle_cifar10.generator((16, 16, 3), width=0.1) for _ in range(2))
    first = comparisons.drawn(first, 0.3)
    z = tf.ones((2, 100))
    assert np.abs(first(z, training=False) - second(z, training=False)).max() > 0.01
    tfgen_nets.load(second, tfgen_nets.layers_of(first))
    np.testing.assert_array_equal(first(z, training=False), second(z, training=False))


def test_tfgens_langevin_answer_is_the_energy_of_the_file(given):
    """U(x) = -f(x / sigma) + |x / sigma|² / 2, with f by operations of TensorFlow alone."""
    tf_nets = importlib.import_module("benchmarks.peers.tf_nets")
    work, found = workload.read(given["langevin"]), answered("langevin", given)
    y = work.arrays["start"] / work.constants["sigma"]
    right = (y**2).sum((1, 2, 3)) / 2 - tf_nets.score(work.nets["energy"], y)
    np.testing.assert_allclose(found["energies"], right, rtol=1e-5)
    assert found["gradients"].shape == work.arrays["start"].shape


def test_tfgens_triangle_step_draws_what_the_file_says(given):
    """The energy of g(z) and the reconstruction from the posterior's noise, by nets apart from the algorithm."""
    work, found = workload.read(given["triangle"]), answered("triangle", given)
    nets = {role: getattr(triangle_cifar10, role)((16, 16, 3), width=0.1) for role in work.nets}
    for role, net in nets.items():
        tfgen_nets.load(net, work.nets[role])
    x = nets["generator"](work.arrays["z"], training=True)
    samples = nets["energy"](x).numpy().mean() / work.constants["temperature"]
    np.testing.assert_allclose(found["energy_samples"], samples, rtol=1e-4)
    mean, log_var = nets["inference"](work.arrays["images"])
    z = mean + tf.exp(log_var / 2) * work.arrays["noise1"]
    error = np.mean((work.arrays["images"] - nets["generator"](z, training=True)) ** 2)
    # after an update of the inference net by Adam's 1e-4
    np.testing.assert_allclose(found["reconstruction_error"], error, rtol=1e-2)


@pytest.mark.slow
@pytest.mark.skipif(not PEERS.exists(), reason="needs make bench-peers' environment")
@pytest.mark.parametrize("name", TINY)
def test_every_peer_agrees_with_tfgen(name, given, tmp_path):
    commands = against_peers.commands_of(TINY[name], str(given[name]), str(PEERS))
    with processes.started(commands) as contenders:
        against_peers.check(contenders, tmp_path, TINY[name].tolerance)
        assert processes.interleaved(contenders, 1, "wall").keys() == commands.keys()
