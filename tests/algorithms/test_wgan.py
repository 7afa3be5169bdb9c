"""Wasserstein GANs on linear nets: each step's gradient, the penalty, clipping, several steps."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import linear_gaussian as lg
from support.linear_gaussian import agree, build, change, draws, flat, pictures, slope, weights

from tfgen import random
from tfgen.algorithms.dcgan import DCGAN
from tfgen.algorithms.wgan import WGAN
from tfgen.errors import UserError
from tfgen.nets.families import triangle_digits

SEED = random.root(5)
ROLES = ("energy", "generator")
RATE = 0.1


def wgan(**options):
    """Returns a WGAN of linear nets, whose critic makes one step unless told otherwise."""
    return build(WGAN, ROLES, RATE, **{"critic_steps": 1} | options)


def noise(seed, number):
    """Returns the latents and the shares of samples that a critic step draws."""
    latents, mixing = random.split(random.fold_in(random.split(seed)[0], number))
    return draws(8, 3, latents), flat(random.uniform((8, 1, 1, 1), mixing).numpy().repeat(4))


def critic_loss(w, x, drawn, penalty_weight):
    """Computes a critic step's loss: the gap of energies, and the penalty between both ends."""
    z, share = drawn
    samples = z @ w["A"]
    gap = lg.energy(w, x).mean() - lg.energy(w, samples).mean()
    mixed = x + share * (samples - x)
    slopes = mixed @ (w["S"] + w["S"].T) / 2
    norms = np.sqrt((slopes**2).sum(axis=1) + 1e-12)
    return gap + penalty_weight * ((norms - 1) ** 2).mean()


def by_hand(w, x, steps, penalty_weight=0.0, clip=np.inf):
    """Returns all weights after an update, and the last critic step's loss."""
    for number in range(steps):
        drawn = noise(SEED, number)
        loss = critic_loss(w, x, drawn, penalty_weight)
        s = slope(lambda v, d=drawn: critic_loss(v, x, d, penalty_weight), w, ["S"])["S"]
        w = w | {"S": np.clip(w["S"] - RATE * s, -clip, clip)}
    z = draws(8, 3, random.split(SEED)[1])
    a = slope(lambda v: lg.energy(v, z @ v["A"]).mean(), w, ["A"])["A"]
    return w | {"A": w["A"] - RATE * a}, loss


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("weight", [0.0, 2.0])
def test_an_update_is_some_critic_steps_then_a_generators_against_the_new_critic(steps, weight):
    algorithm, batch = wgan(critic_steps=steps, penalty_weight=weight), pictures()
    before = weights(algorithm)
    after, loss = by_hand(before, flat(batch["image"]), steps, weight)
    found, logs = change(algorithm, batch, SEED)
    agree(found, {name: after[name] - before[name] for name in after})
    assert float(weight * logs["gradient_penalty"] - logs["wasserstein_distance"]) == (
        pytest.approx(loss, rel=1e-4)
    )


def test_clipped_weights_stay_within_the_bound_and_have_no_penalty():
    algorithm, batch = wgan(constraint="weight_clipping", clip=0.3, critic_steps=2), pictures()
    before = weights(algorithm)
    after, _ = by_hand(before, flat(batch["image"]), 2, clip=0.3)
    found, logs = change(algorithm, batch, SEED)
    agree(found, {name: after[name] - before[name] for name in after})
    assert np.abs(weights(algorithm)["S"]).max() == pytest.approx(0.3)
    assert float(logs["gradient_penalty"]) == 0


def test_a_critic_of_slope_one_has_no_penalty_and_estimates_the_distance_of_shifted_images():
    """Between x and x + shift the Wasserstein distance is the length of the shift."""
    algorithm = wgan()
    shift = tf.constant([0.3, -0.4, 0.0, 0.0])
    unit = shift / tf.norm(shift)

    class Slope(lg.Energy):
        def call(self, x, training=False):
            return 0 * super().call(x) - tf.linalg.matvec(tf.reshape(x, [-1, lg.DIM]), unit)

    algorithm.nets["energy"] = Slope(S=np.zeros((lg.DIM, lg.DIM)))
    algorithm.compile({role: keras.optimizers.SGD(RATE) for role in ROLES})
    z = random.normal((8, 3), random.split(random.fold_in(random.split(SEED)[0], 0))[0])
    samples = algorithm.model.generator(z)
    batch = pictures() | {"image": samples + tf.reshape(shift, lg.SHAPE)}
    logs = algorithm.update(batch, SEED)
    assert float(logs["wasserstein_distance"]) == pytest.approx(0.5, rel=1e-4)
    assert float(logs["gradient_penalty"]) == pytest.approx(0, abs=1e-8)


@pytest.mark.parametrize("cls", [DCGAN, WGAN])
def test_adversarial_models_train_on_the_triangles_nets(cls):
    """The discriminator has the energy's layers, and a bias on top."""
    roles = ("discriminator" if cls is DCGAN else "energy", "generator")
    nets = [getattr(triangle_digits, role)((8, 8, 1), width=0.1) for role in roles]
    algorithm = cls(*nets, image_shape=(8, 8, 1))
    algorithm.compile({role: keras.optimizers.SGD(RATE) for role in roles})
    image = tf.tanh(random.normal((6, 8, 8, 1), random.root(1)))
    logs = algorithm.update({"image": image, "index": tf.range(6)}, SEED)
    assert all(np.isfinite(value) for value in logs.values())
    energy = triangle_digits.energy((8, 8, 1), width=0.1)
    scores = triangle_digits.discriminator((8, 8, 1), width=0.1)
    shapes = [tuple(w.shape) for w in scores.trainable_variables if w.name == "kernel"]
    assert shapes == [tuple(w.shape) for w in energy.trainable_variables]


@pytest.mark.parametrize(
    ("option", "value"),
    [("constraint", "none"), ("penalty_weight", -1.0), ("clip", 0.0), ("critic_steps", 0)],
)
def test_a_constant_out_of_its_range_is_named(option, value):
    with pytest.raises(UserError, match=option):
        wgan(**{option: value})
