"""Tests of what libraries are compared on: the file that all are given, and tfgen's own numbers."""

import dataclasses
import importlib
import importlib.util
import pathlib
from collections.abc import Sequence

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.peers import comparisons, side_by_side, workload
from benchmarks.peers.comparisons import (
    AnnealedImportance,
    DescentToMinima,
    LangevinDynamics,
    LearningIteration,
    SynthesisSteps,
    TriangleStep,
)
from benchmarks.peers.contenders import tf_nets, tfgen_nets
from benchmarks.speed import processes
from benchmarks.speed.options import OURS
from benchmarks.speed.triangle_step import BUILDERS
from tfgen import energies, random
from tfgen.analysis import annealed_importance
from tfgen.nets.families import triangle_cifar10, triangle_digits

TINY = {
    "langevin": LangevinDynamics("digits", triangle_digits, (8, 8, 1), chains=3, times=2),
    "triangle": TriangleStep(batch=3, width=0.1, side=16),
    "learning": LearningIteration(side=24, chains=2, langevin_steps=2, width=0.1),
    "synthesis": SynthesisSteps(side=48, seen=32, number=2, width=0.1, times=2),
    "annealing": AnnealedImportance(side=8, chains=3, width=0.2, times=4),
    "descent": DescentToMinima(side=8, batch=3, width=0.2, times=8),
}
PEERS = processes.ROOT / ".venv-peers" / "bin" / "python"
PACKAGE = "benchmarks.peers.contenders"


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """The file of each tiny comparison."""
    files = {name: tmp_path_factory.mktemp(name) / "w.npz" for name in TINY}
    for name, file in files.items():
        workload.write(file, TINY[name].work()[0])
    return files


def answered(name: str, given: dict[str, pathlib.Path]) -> dict[str, np.ndarray]:
    """Returns tfgen's answer, computed in this process."""
    module, *options = TINY[name].contenders[OURS]
    found = importlib.import_module(f"{PACKAGE}.{module}")
    return found.entry([str(given[name]), *options]).answer()


def tilted(work: workload.Workload, layers: Sequence[workload.Layer], x: np.ndarray) -> np.ndarray:
    """Computes U(x) = -f(x / sigma) + |x / sigma|² / 2 by operations of TensorFlow alone."""
    y = x / work.constants["sigma"]
    return (y**2).sum((1, 2, 3)) / 2 - tf_nets.score(layers, y).numpy()


def test_every_comparison_is_tried_and_has_modules_to_run():
    assert {type(c) for c in comparisons.ALL.values()} == {type(c) for c in TINY.values()}
    for comparison in comparisons.ALL.values():
        assert comparison.title
        assert next(iter(comparison.contenders)) == OURS
        for module, *_ in comparison.contenders.values():
            assert importlib.util.find_spec(f"{PACKAGE}.{module}"), module


@pytest.mark.parametrize("name", TINY)
def test_a_workload_is_read_as_it_was_written(name, given):
    """The file was written from other draws of the same comparison, which do not differ."""
    written, operations = TINY[name].work()
    found = workload.read(given[name])
    assert found.constants == written.constants
    assert operations > 0
    assert found.arrays.keys() == written.arrays.keys()
    for key, array in written.arrays.items():
        np.testing.assert_array_equal(found.arrays[key], array)
    for key, layers in written.nets.items():
        for layer, again in zip(layers, found.nets[key], strict=True):
            assert (layer.bias is None) == (again.bias is None)
            assert (layer.norm is None) == (again.norm is None)
            for value, other in zip(layer, again, strict=True):
                np.testing.assert_array_equal(value, other)


def test_a_net_of_a_workloads_layers_is_the_net_they_were_taken_of():
    """A generator has transposed convolutions, normalizations of four arrays each, and a bias."""
    shape = (16, 16, 3)
    first, second = (triangle_cifar10.generator(shape, width=0.1) for _ in range(2))
    tfgen_nets.draw("generator", first, 0.3)
    z = tf.ones((2, 100))
    assert np.abs(first(z, training=False) - second(z, training=False)).max() > 0.01
    tfgen_nets.load("generator", second, tfgen_nets.layers_of("generator", first))
    np.testing.assert_array_equal(first(z, training=False), second(z, training=False))


def test_tfgens_langevin_answer_is_the_energy_of_the_file(given):
    work, found = workload.read(given["langevin"]), answered("langevin", given)
    right = tilted(work, work.nets["energy"], work.arrays["start"])
    np.testing.assert_allclose(found["energies"], right, rtol=1e-5)
    assert found["gradients"].shape == work.arrays["start"].shape


@pytest.mark.slow
def test_tfgens_triangle_step_draws_what_the_file_says(given):
    """The energy of g(z) and the reconstruction, by nets apart from the algorithm."""
    work, found = workload.read(given["triangle"]), answered("triangle", given)
    nets = {role: BUILDERS[role]((16, 16, 3), width=0.1) for role in work.nets}
    for role, net in nets.items():
        tfgen_nets.load(role, net, work.nets[role])
    x = nets["generator"](work.arrays["z"], training=True)
    samples = nets["energy"](x).numpy().mean() / work.constants["temperature"]
    np.testing.assert_allclose(found["energy_samples"], samples, rtol=1e-4)
    mean, log_var = nets["inference"](work.arrays["images"])
    z = mean + tf.exp(log_var / 2) * work.arrays["noise1"]
    error = np.mean((work.arrays["images"] - nets["generator"](z, training=True)) ** 2)
    # after an update of the inference net by Adam's 1e-4
    np.testing.assert_allclose(found["reconstruction_error"], error, rtol=1e-2)


def test_tfgens_learning_grows_and_its_chains_are_moved_by_the_noise_of_the_file(given):
    """The first energies are those of the first layer; the chains follow the noise."""
    work, found = workload.read(given["learning"]), answered("learning", given)
    first, observed = work.nets["energy"][:1], work.arrays["observed"]
    right = tilted(work, first, observed).mean()
    np.testing.assert_allclose(found["energy_data"][0], right, rtol=1e-5)
    x = np.zeros_like(work.arrays["noise"][0])
    step, sigma = work.constants["step_size"], work.constants["sigma"]
    for noise in work.arrays["noise"]:
        x += -(step**2) / 2 * x / sigma**2 + step * noise  # all but the score's small gradient
    np.testing.assert_allclose(found["chains"], x, atol=0.1 * x.std())


def test_tfgens_synthesis_sees_the_patches_of_the_file(given):
    """Pixels outside of them stay, those inside move."""
    work, found = workload.read(given["synthesis"]), answered("synthesis", given)
    seen = np.zeros(work.arrays["start"].shape[1:3], bool)
    for top, left in work.arrays["places"].reshape(-1, 2):
        seen[top : top + 32, left : left + 32] = True
    moved = (found["textures"] != work.arrays["start"]).any(axis=(0, 3))
    assert not moved[~seen].any()
    assert (~seen).any()
    assert moved[seen].mean() > 0.9


def test_tfgens_annealing_draws_what_the_file_says(given):
    """Momenta and acceptances of Hamiltonian Monte Carlo by the first seed, under |y|² / 2."""
    arrays, step_size = workload.read(given["annealing"]).arrays, 1.5
    energy, y = energies.white_noise(1.0), np.float64(arrays["start"])
    kernel = annealed_importance.AnnealedImportance(
        energy, tf.ones([2]), tf.constant([step_size]), 1
    )
    seed = random.fold_in(random.root(TINY["annealing"].seed), 0)
    state, _ = kernel.step(energy, kernel.init(energy, tf.constant(arrays["start"])), seed)
    first = np.float64(arrays["momenta"][0])
    momentum = first - step_size / 2 * y
    there = y + step_size * momentum
    momentum -= step_size / 2 * there
    gained = (y**2 + first**2 - there**2 - momentum**2).sum((1, 2, 3)) / 2
    accepted = (np.log(arrays["levels"][0]) < gained)[:, None, None, None]
    np.testing.assert_allclose(state.x, np.where(accepted, there, y), atol=1e-5)


def test_tfgens_annealing_weighs_by_the_energies_of_the_file(tmp_path):
    """With one temperature the weight is U₀ - U₁ at the start: |box| in nats, and the score."""
    file = tmp_path / "w.npz"
    work, _ = dataclasses.replace(TINY["annealing"], times=1).work()
    workload.write(file, work)
    found = answered("annealing", {"annealing": file})
    start = work.arrays["start"]
    score = tf_nets.score(work.nets["energy"], np.tanh(start / 2)).numpy()
    np.testing.assert_allclose(found["log_weights"], score + 64 * np.log(2), rtol=1e-5)
    volume = np.log((1 - np.tanh(start / 2) ** 2) / 2).sum((1, 2, 3))
    np.testing.assert_allclose(found["energies"], -score - volume, rtol=1e-4)


def test_tfgens_descent_ends_lower_and_says_how_low(given):
    work, found = workload.read(given["descent"]), answered("descent", given)
    layers = work.nets["energy"]
    at_start = -tf_nets.score(layers, work.arrays["start"]).numpy()
    at_end = -tf_nets.score(layers, found["ends"]).numpy()
    np.testing.assert_allclose(found["energies"], at_end, rtol=1e-4, atol=1e-5)
    assert (at_end < at_start).all()
    assert np.abs(found["ends"]).max() <= 1


@pytest.mark.slow
@pytest.mark.skipif(not PEERS.exists(), reason="needs make bench-peers' environment")
@pytest.mark.parametrize("name", TINY)
def test_every_peer_agrees_with_tfgen(name, given):
    commands = side_by_side.commands_of(TINY[name], str(given[name]), str(PEERS))
    with processes.started(commands) as contenders:
        side_by_side.check(processes.outputs_of(contenders), TINY[name].tolerance)
        assert processes.interleaved(contenders, 1, "wall").keys() == commands.keys()
