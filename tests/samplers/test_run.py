"""The loops that run kernels: trajectories, summaries, seeds, and when a run ends."""

from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf

from tfgen import random
from tfgen.data.toy import Gaussian, Mixture
from tfgen.samplers import HMC, MALA, Descent, Info, Kernel, Langevin, Until, run, run_sequence

ENERGY = Mixture(components=3, radius=0.3, scale=0.2).energy
KERNELS = {
    "langevin": Langevin(0.1),
    "mala": MALA(0.2),
    "hmc": HMC(0.1, 3),
    "descent": Descent(0.01),
}
every_kernel = pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)


@pytest.fixture
def start():
    """Five points."""
    return random.normal([5, 1, 1, 2], random.root(0)) * 0.5


@every_kernel
def test_a_run_is_its_steps_with_seeds_folded_from_the_runs_seed(kernel, start):
    seed = random.root(3)
    state = kernel.init(ENERGY, start)
    for i in range(4):
        state, _ = kernel.step(ENERGY, state, random.fold_in(seed, i))
    np.testing.assert_allclose(
        run(kernel, ENERGY, start, seed, 4)[0], state.x, rtol=1e-5, atol=1e-6
    )


@every_kernel
def test_the_trajectory_ends_at_the_last_x(kernel, start):
    x, summary = run(kernel, ENERGY, start, random.root(0), 6, keep_every=1)
    assert summary.kept.shape == (6, *start.shape)
    np.testing.assert_array_equal(summary.kept[-1], x)


@every_kernel
def test_keeping_every_third_keeps_the_third_and_sixth_and_ninth(kernel, start):
    thirds = run(kernel, ENERGY, start, random.root(0), 10, keep_every=3)[1].kept
    whole = run(kernel, ENERGY, start, random.root(0), 10, keep_every=1)[1].kept
    np.testing.assert_array_equal(thirds, whole[2::3])


@every_kernel
def test_nothing_is_kept_unless_asked_for(kernel, start):
    assert run(kernel, ENERGY, start, random.root(0), 10)[1].kept.shape == (0, *start.shape)


@every_kernel
def test_no_steps_leave_the_batch_where_it_was(kernel, start):
    x, summary = run(kernel, ENERGY, start, random.root(0), 0)
    np.testing.assert_array_equal(x, start)
    assert summary.num_steps == 0


@every_kernel
def test_the_number_of_steps_may_be_a_tensor(kernel, start):
    traced = tf.function(
        lambda n: run(kernel, ENERGY, start, random.root(0), n)[0], autograph=False
    )
    np.testing.assert_allclose(
        traced(tf.constant(4)),
        run(kernel, ENERGY, start, random.root(0), 4)[0],
        rtol=1e-5,
        atol=1e-6,
    )
    traced(tf.constant(7))
    assert traced.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("kernel", [MALA(0.2), HMC(0.1, 3)], ids=["mala", "hmc"])
def test_summaries_of_adjusted_kernels_equal_those_of_the_kept_trajectory(kernel, start):
    """Such a kernel reports the energy of the point after the step."""
    _, summary = run(kernel, ENERGY, start, random.root(0), 8, keep_every=1)
    u = np.stack([ENERGY(x).numpy() for x in summary.kept])
    np.testing.assert_allclose(summary.mean.energy, u.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(summary.max.energy, u.max(axis=0), rtol=1e-5)
    np.testing.assert_allclose(summary.last.energy, u[-1], rtol=1e-5)


def test_summaries_of_langevin_equal_those_of_the_kept_trajectory(start):
    """Langevin reports the energy of the point before the step."""
    _, summary = run(Langevin(0.1), ENERGY, start, random.root(0), 8, keep_every=1)
    before = [start, *summary.kept[:-1]]
    with tf.GradientTape(persistent=True) as tape:
        x = tf.stack(before)
        tape.watch(x)
        u = tf.stack([ENERGY(point) for point in tf.unstack(x)])
    norm = np.linalg.norm(tape.gradient(u, x).numpy().reshape(8, 5, 2), axis=2)
    np.testing.assert_allclose(summary.mean.energy, u.numpy().mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(summary.mean.grad_norm, norm.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(summary.max.grad_norm, norm.max(axis=0), rtol=1e-5)
    np.testing.assert_allclose(summary.last.energy, u[-1], rtol=1e-5)


@every_kernel
def test_no_gradient_flows_through_a_run(kernel, start):
    weight = tf.Variable(1.0)
    with tf.GradientTape() as tape:
        tape.watch(start)
        x, summary = run(
            kernel, lambda x: weight * ENERGY(x), start, random.root(0), 3, keep_every=1
        )
        loss = tf.reduce_sum(x) + tf.reduce_sum(summary.kept) + tf.reduce_sum(summary.mean.energy)
    assert tape.gradient(loss, [weight, start]) == [None, None]


@every_kernel
def test_examples_of_a_batch_do_not_touch_each_other(kernel, start):
    """Moving the last example's start changes no other's path."""
    other = tf.concat([start[:-1], start[-1:] + 0.3], axis=0)
    paths = [run(kernel, ENERGY, x, random.root(0), 5)[0].numpy() for x in (start, other)]
    np.testing.assert_array_equal(paths[0][:-1], paths[1][:-1])


@every_kernel
def test_the_batchs_shape_stays_known_inside_a_function(kernel, start):
    traced = tf.function(
        lambda x: run(kernel, ENERGY, x, random.root(0), 3)[0],
        autograph=False,
        input_signature=[tf.TensorSpec((None, 1, 1, 2))],
    )
    assert traced.get_concrete_function().outputs[0].shape.as_list()[1:] == [1, 1, 2]
    assert traced(start).shape == start.shape


@pytest.mark.parametrize(
    "kernel", [Langevin(0.1), MALA(0.2), HMC(0.1, 3)], ids=["langevin", "mala", "hmc"]
)
def test_another_seed_gives_another_path(kernel, start):
    paths = [run(kernel, ENERGY, start, random.root(seed), 5)[0].numpy() for seed in (0, 0, 1)]
    np.testing.assert_array_equal(paths[0], paths[1])
    assert not np.array_equal(paths[0], paths[2])


def test_no_two_steps_of_a_run_draw_the_same_noise(start):
    """Without slope, steps are the noise."""
    _, summary = run(
        Langevin(1.0), lambda x: 0 * x[:, 0, 0, 0], start, random.root(0), 50, keep_every=1
    )
    noise = np.diff(summary.kept.numpy(), axis=0, prepend=start[None]).reshape(50, -1)
    assert np.abs(noise[:, None] - noise[None])[~np.eye(50, dtype=bool)].max(axis=-1).min() > 1e-3


class Countdown(Kernel):
    """Counts up to three and has then finished."""

    class State(NamedTuple):
        """The batch is the count."""

        x: tf.Tensor

    def init(self, energy, x):
        return self.State(x)

    def step(self, energy, state, seed):
        one = tf.ones(tf.shape(state.x)[:1])
        return self.State(state.x + 1), Info(one, one, one)

    def finished(self, state):
        return tf.reduce_all(state.x >= 3)


def test_a_run_ends_when_its_kernel_has_finished():
    x, summary = run(Countdown(), lambda x: x[:, 0], tf.zeros([2, 1]), random.root(0), 100)
    assert summary.num_steps == 3
    np.testing.assert_array_equal(x, [[3], [3]])
    np.testing.assert_array_equal(summary.mean.energy, [1, 1])


def test_langevins_memory_does_not_depend_on_the_number_of_steps():
    """The loop's only list is the trajectory that was asked for: no stack of past states."""

    def ops(keep_every):
        walk = tf.function(
            lambda x: run(Langevin(0.1), Gaussian().energy, x, random.root(0), 1000, keep_every),
            autograph=False,
        )
        graph = walk.get_concrete_function(tf.TensorSpec((4, 1, 1, 2))).graph
        names = [op.type for op in graph.get_operations()]
        for function in graph.as_graph_def().library.function:
            names += [node.op for node in function.node_def]
        return names

    assert not [op for op in ops(0) if op in ("TensorListPushBack", "TensorListSetItem")]
    assert "TensorListSetItem" in ops(1)


# sequences of kernels and energies


def bowl(centre):
    """|x - centre|² / 2."""
    return lambda x: tf.reduce_sum((x - centre) ** 2, axis=[1, 2, 3]) / 2


def stage(number):
    """Langevin steps towards 0, 1, 2, ..., of lengths that differ too."""
    number = tf.cast(number, tf.float32)
    return Langevin(0.3 / (1 + number)), bowl(number)


def test_a_sequence_is_run_after_run_with_seeds_folded_from_the_stage(start):
    seed, x = random.root(3), start
    for number in range(3):
        x, _ = run(*stage(number), x, random.fold_in(seed, number), 4)
    found, taken = run_sequence(stage, start, seed, 3, 4)
    np.testing.assert_allclose(found, x, rtol=1e-5, atol=1e-6)
    assert taken == 12


def test_a_sequence_counts_the_steps_that_were_taken(start):
    """The first step leads to the centre, and the next finds no energy left: two steps a stage."""

    def quick(number):
        return Until(Langevin(2**0.5, temperature=0.0), 1e-9), bowl(tf.cast(number, tf.float32))

    found, taken = run_sequence(quick, start, random.root(0), 5, 100)
    assert taken == 2 * 5
    np.testing.assert_array_equal(found, tf.fill(start.shape, 4.0))


def test_the_stages_are_told_their_numbers_in_order(start):
    """x ← 10 x + number + 1, in base ten."""

    def write(number):
        change = tf.cast(number, tf.float32) + 1
        return Langevin(
            2**0.5, temperature=0.0
        ), lambda x: -tf.reduce_sum(9 * x**2 / 2 + change * x, axis=[1, 2, 3])

    found, _ = run_sequence(write, tf.zeros_like(start), random.root(0), 4, 1)
    np.testing.assert_array_equal(found, tf.fill(start.shape, 1234.0))


def test_no_stages_leave_the_batch_where_it_was(start):
    found, taken = run_sequence(stage, start, random.root(0), 0, 4)
    np.testing.assert_array_equal(found, start)
    assert taken == 0


def test_one_trace_runs_any_number_of_stages_and_steps(start):
    traced = tf.function(
        lambda x, stages, steps: run_sequence(stage, x, random.root(0), stages, steps)[0],
        autograph=False,
        input_signature=[
            tf.TensorSpec((None, 1, 1, 2)),
            tf.TensorSpec((), tf.int32),
            tf.TensorSpec((), tf.int32),
        ],
    )
    for stages, steps in ((1, 4), (3, 2)):
        expected, _ = run_sequence(stage, start, random.root(0), stages, steps)
        np.testing.assert_allclose(traced(start, stages, steps), expected, rtol=1e-5, atol=1e-6)
    assert traced.experimental_get_tracing_count() == 1
    assert traced.get_concrete_function().outputs[0].shape.as_list()[1:] == [1, 1, 2]


def test_no_gradient_flows_through_a_sequence(start):
    weight = tf.Variable(1.0)
    with tf.GradientTape() as tape:
        tape.watch(start)
        x, _ = run_sequence(
            lambda a: (Langevin(0.1), lambda x: weight * ENERGY(x)), start, random.root(0), 2, 2
        )
        loss = tf.reduce_sum(x)
    assert tape.gradient(loss, [weight, start]) == [None, None]


@pytest.mark.parametrize("kernel", [KERNELS["langevin"], KERNELS["mala"]], ids=["langevin", "mala"])
def test_examples_with_steps_and_seeds_of_their_own_move_as_they_would_alone(kernel, start):
    steps, seeds = tf.constant([0, 3, 7, 1, 4]), tf.stack([random.root(i) for i in range(5)])
    found, summary = run(kernel, ENERGY, start, seeds, steps)
    assert summary.num_steps == 7
    for i in range(5):
        alone, _ = run(kernel, ENERGY, start[i : i + 1], seeds[i], steps[i])
        np.testing.assert_allclose(found[i : i + 1], alone, rtol=1e-4, atol=1e-5)


@every_kernel
def test_a_start_may_be_an_array_or_a_variable(kernel, start):
    expected, _ = run(kernel, ENERGY, start, random.root(0), 3)
    for given in (start.numpy(), tf.Variable(start)):
        found, _ = run(kernel, ENERGY, given, random.root(0), 3)
        np.testing.assert_array_equal(found, expected)
