"""What a role's optimizer flags do to its net: one step against the one computed by hand."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import command_line, latent_runs
from support.command_line import TOY, values

import tfgen
from tfgen.algorithms.generative_convnet import GenerativeConvNet
from tfgen.nets.families import toy
from trainers.run import experiment, optimizers

RATE = 0.01


def flags(*more, algorithm="generative_convnet"):
    """Returns the toy's flags, with others."""
    rest = [flag for flag in TOY if not flag.startswith("--algorithm")]
    return values("trainers.main", f"--algorithm={algorithm}", *rest, *more)


def compiled(*more):
    """Returns an algorithm with a role's flags, and gradients of length 5 for its weights."""
    keras.utils.set_random_seed(0)
    algorithm = GenerativeConvNet(
        toy.energy((1, 1, 2), width=0.1), image_shape=(1, 1, 2), image_mean=[0.0] * 2
    )
    found = optimizers.build(flags(*more), "energy")
    algorithm.compile(
        {"energy": found.optimizer},
        clip_norms={"energy": found.clip_norm} if found.clip_norm else None,
        transforms={"energy": found.transform} if found.transform else None,
    )
    rng = np.random.default_rng(0)
    gradients = [rng.normal(size=w.shape) for w in algorithm.nets["energy"].trainable_variables]
    length = np.sqrt(sum(np.sum(g**2) for g in gradients))
    return algorithm, [5 * g / length for g in gradients]


def moved(algorithm, gradients, num_steps=1):
    """Returns the weights before and after a number of steps by the same gradients."""
    before = algorithm.nets["energy"].get_weights()
    for _ in range(num_steps):
        algorithm.apply_gradients("energy", [tf.constant(g, tf.float32) for g in gradients])
        algorithm.step.assign_add(1)
    return before, algorithm.nets["energy"].get_weights()


@pytest.mark.parametrize("l2", [0.0, 100.0])
@pytest.mark.parametrize(("clip_norm", "scale"), [(0.0, 1.0), (2.0, 0.4), (7.0, 1.0)])
def test_sgd_follows_the_clipped_gradient_plus_l2_times_the_weights(clip_norm, scale, l2):
    """The step is w - η (g min(1, c / |g|) + λ w).

    λ w is added after clipping and never clipped, however large.
    """
    algorithm, gradients = compiled(
        "--energy.optimizer=sgd", f"--energy.clip_norm={clip_norm}", f"--energy.l2={l2}"
    )
    before, after = moved(algorithm, gradients)
    for old, new, g in zip(before, after, gradients, strict=True):
        np.testing.assert_allclose(new, old - RATE * (scale * g + l2 * old), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("l2", [0.0, 100.0])
@pytest.mark.parametrize(("clip_norm", "scale"), [(0.0, 1.0), (2.0, 0.4)])
def test_adam_counts_l2_in_its_moments_as_the_released_script_does(clip_norm, scale, l2):
    """In two steps, m and v are the unbiased running means of h = g + λ w and of h²."""
    algorithm, gradients = compiled(
        f"--energy.clip_norm={clip_norm}",
        f"--energy.l2={l2}",
        "--energy.beta_1=0.5",
        "--energy.beta_2=0.9",
    )
    before, after = moved(algorithm, gradients, num_steps=2)
    for w, new, g in zip(before, after, gradients, strict=True):
        w, m, v = np.float64(w), 0.0, 0.0
        for step in (1, 2):
            h = scale * g + l2 * w
            m, v = 0.5 * m + 0.5 * h, 0.9 * v + 0.1 * h**2
            w = w - RATE * (m / (1 - 0.5**step)) / (np.sqrt(v / (1 - 0.9**step)) + 1e-7)
        np.testing.assert_allclose(new, w, rtol=1e-4, atol=1e-6)


def test_no_bound_and_no_l2_are_the_default():
    found = optimizers.build(flags(), "energy")
    assert found.clip_norm == 0
    assert found.transform is None


def test_the_schedule_is_the_one_that_the_optimizer_follows():
    algorithm, gradients = compiled(
        "--energy.optimizer=sgd", "--energy.decay=0.5", "--energy.decay_steps=1"
    )
    before, after = moved(algorithm, gradients, num_steps=3)
    for old, new, g in zip(before, after, gradients, strict=True):
        np.testing.assert_allclose(new, old - RATE * (1 + 0.5 + 0.25) * g, rtol=1e-5, atol=1e-7)


def test_each_role_has_flags_of_its_own():
    given = flags(
        "--energy.clip_norm=3",
        "--generator.l2=0.0005",
        "--inference.optimizer=sgd",
        algorithm="divergence_triangle",
    )
    found = {role: optimizers.build(given, role) for role in ("energy", "generator", "inference")}
    assert [u.clip_norm for u in found.values()] == [3.0, 0.0, 0.0]
    assert [u.transform is not None for u in found.values()] == [False, True, False]
    assert [type(u.optimizer) for u in found.values()] == [
        keras.optimizers.Adam,
        keras.optimizers.Adam,
        keras.optimizers.SGD,
    ]


def test_an_experiment_gives_its_roles_what_their_flags_say(tmp_path):
    """Without a gradient, l2 alone moves the weights by η λ w."""
    given = flags(
        f"--workdir={tmp_path}", "--energy.optimizer=sgd", "--energy.clip_norm=2", "--energy.l2=0.3"
    )
    algorithm = experiment.Experiment(given).algorithm
    zeros = [np.zeros(w.shape) for w in algorithm.nets["energy"].trainable_variables]
    before, after = moved(algorithm, zeros)
    assert max(np.abs(w).max() for w in before) > 0.01
    for old, new in zip(before, after, strict=True):
        np.testing.assert_allclose(new, old - RATE * 0.3 * old, rtol=1e-6)


def test_a_schedule_counts_updates_and_not_the_steps_of_an_optimizer(tmp_path, monkeypatch):
    """Two optimizer steps an update: the rate falls to 0 over 4 updates, and not over 2."""
    update = GenerativeConvNet.update

    def twice(self, batch, seed):
        update(self, batch, seed)
        return update(self, batch, seed)

    monkeypatch.setattr(GenerativeConvNet, "update", twice)
    run = (*TOY, "--energy.constant_fraction=0", "--log_every=1", "--save_every=1", "--keep=5")
    command_line.train(tmp_path / "run", *run)
    found = [row["energy_learning_rate"] for row in command_line.rows(tmp_path / "run", "train")]
    # a row has the rate of the update that comes next
    assert found == pytest.approx([0.75 * RATE, 0.5 * RATE, 0.25 * RATE, 0.0])
    nets = [tfgen.load(tmp_path / "run", step=step).energy_net for step in range(5)]
    for before, after in itertools.pairwise(nets):
        pairs = zip(before.get_weights(), after.get_weights(), strict=True)
        assert max(np.abs(new - old).max() for old, new in pairs) > 0


@pytest.mark.parametrize("name", ["adversarial_weight", "variational_weight"])
def test_a_weight_of_zero_is_zero_and_not_the_presets(tmp_path, name):
    flag = f"--divergence_triangle.{name}=0"
    zero, preset = (
        experiment.Experiment(
            values("trainers.main", *latent_runs.TRIANGLE, *given, f"--workdir={tmp_path}")
        ).algorithm
        for given in ([flag], [])
    )
    assert vars(zero)[name] == 0
    assert vars(preset)[name] > 0
