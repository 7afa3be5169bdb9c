"""Linear nets on tiny images, and the triangle's divergences for them in NumPy, in float64."""

import keras
import numpy as np
import tensorflow as tf

from tfgen import random
from tfgen.nets.architectures.roles import (
    EnergyNet,
    GeneratorNet,
    InferenceNet,
    JointDiscriminatorNet,
)

SHAPE = (2, 2, 1)
DIM = 4
"""Pixels of an image."""


class Linear:
    """A net whose weights are matrices, given by name; mixed into a role."""

    def add(self, **matrices):
        """Makes the matrices weights."""
        self.named = {
            name: self.add_weight(
                shape=m.shape,
                initializer=lambda *_, m=m, **__: tf.constant(m, tf.float32),
                name=name,
            )
            for name, m in matrices.items()
        }
        self.built = True

    def __getitem__(self, name):
        return self.named[name].value


class Generator(Linear, GeneratorNet):
    """g(z) = z A."""

    def __init__(self, A):
        super().__init__(A.shape[:1], SHAPE)
        self.add(A=A)

    def call(self, z, training=False):
        return tf.reshape(z @ self["A"], [-1, *SHAPE])


class Inference(Linear, InferenceNet):
    """q(z|x) = N(x B, exp c)."""

    def __init__(self, B, c):
        super().__init__(c.shape, SHAPE)
        self.add(B=B, c=c)

    def call(self, x, training=False):
        mean = tf.reshape(x, [-1, DIM]) @ self["B"]
        return mean, self["c"] + tf.zeros_like(mean)


class Energy(Linear, EnergyNet):
    """U(x) = x S x' / 2."""

    def __init__(self, S):
        super().__init__(SHAPE)
        self.add(S=S)

    def call(self, x, training=False):
        x = tf.reshape(x, [-1, DIM])
        return tf.reduce_sum(x @ self["S"] * x, axis=1) / 2


class JointDiscriminator(Linear, JointDiscriminatorNet):
    """The log-odds x M z' + v x²."""

    def __init__(self, M, v):
        super().__init__(M.shape[1:], SHAPE)
        self.add(M=M, v=v)

    def call(self, pair, training=False):
        x, z = tf.reshape(pair[0], [-1, DIM]), pair[1]
        return tf.reduce_sum(x @ self["M"] * z, axis=1) + tf.linalg.matvec(x**2, self["v"])


def nets(latent_dim=3):
    """Returns a net for each role, whose weights are always the same."""
    rng = np.random.default_rng(0)
    return {
        "energy": Energy(S=rng.normal(size=(DIM, DIM)) / 2),
        "generator": Generator(rng.normal(size=(latent_dim, DIM)) / latent_dim**0.5),
        "inference": Inference(
            B=rng.normal(size=(DIM, latent_dim)) / DIM**0.5, c=rng.normal(size=latent_dim) / 3 - 0.5
        ),
        "joint_discriminator": JointDiscriminator(
            M=rng.normal(size=(DIM, latent_dim)), v=rng.normal(size=DIM)
        ),
    }


def build(cls, roles, rate=1.0, latent_dim=3, **options):
    """Returns an algorithm with plain gradient steps; `rate` is a number, or one a role."""
    algorithm = cls(*(nets(latent_dim)[role] for role in roles), image_shape=SHAPE, **options)
    rates = rate if isinstance(rate, dict) else dict.fromkeys(roles, rate)
    algorithm.compile({role: keras.optimizers.SGD(rates.get(role, 1.0)) for role in roles})
    return algorithm


def pictures(count=8, seed=1, hidden=None):
    """Returns a batch; where `hidden` is a row of pixels, it is missing and zero."""
    x = np.random.default_rng(seed).normal(size=(count, *SHAPE)) / 2
    found = {"index": tf.range(count, dtype=tf.int64)}
    if hidden is not None:
        mask = np.ones((count, *SHAPE[:2], 1))
        mask[:, hidden] = 0
        x, found["mask"] = x * mask, tf.constant(mask, tf.float32)
    return found | {"image": tf.constant(x, tf.float32)}


def flat(image):
    """Returns images as float64 [b, DIM]."""
    return np.reshape(image, (-1, DIM)).astype(np.float64)


def draws(count, latent_dim, seed):
    """Returns what the algorithms draw from a seed."""
    return random.normal((count, latent_dim), seed).numpy().astype(np.float64)


def weights(algorithm):
    """Returns all matrices by name, float64."""
    return {
        n: v.numpy().astype(np.float64)
        for net in algorithm.nets.values()
        for n, v in net.named.items()
    }


def change(algorithm, batch, seed):
    """Returns what one update adds to each matrix, and its logs."""
    before = weights(algorithm)
    logs = algorithm.update(batch, seed)
    return {name: value - before[name] for name, value in weights(algorithm).items()}, logs


def slope(objective, w, names):
    """Returns a function's gradient in some of the matrices, by central differences.

    It is exact to 1e-7 for these smooth functions.
    """
    found = {}
    for name in names:
        found[name] = np.zeros_like(w[name])
        for place in np.ndindex(w[name].shape):
            ends = []
            for step in (1e-4, -1e-4):
                moved = w[name].copy()
                moved[place] += step
                ends.append(objective(w | {name: moved}))
            found[name][place] = (ends[0] - ends[1]) / 2e-4
    return found


def agree(found, expected, tolerance=2e-4):
    """Asserts that float32 found what float64 expects.

    The tolerance is a factor on the largest entry of each matrix. It allows for the rounding of a
    sum of some hundred terms, and of the last digits of a weight after a step.
    """
    for name, value in expected.items():
        np.testing.assert_allclose(
            found[name], value, rtol=0, atol=tolerance * np.abs(value).max() + 1e-7, err_msg=name
        )


# the terms, of draws


def kl_to_prior(w, x):
    """Computes KL(q(z|x)‖p(z)), by dimension."""
    return ((x @ w["B"]) ** 2 + np.exp(w["c"]) - w["c"] - 1) / 2


def decoded(w, x, noise):
    """Computes g(z) for z of q(z|x)."""
    return (x @ w["B"] + np.exp(w["c"] / 2) * noise) @ w["A"]


def energy(w, x):
    """Computes U(x)."""
    return np.einsum("bi,ij,bj->b", x, w["S"], x) / 2


def log_odds(w, x, z):
    """Computes the joint discriminator's log-odds."""
    return (x @ w["M"] * z).sum(axis=1) + x**2 @ w["v"]


def latent_nll(w, z, x):
    """Computes -log q(z|x), without log 2π."""
    return (((z - x @ w["B"]) ** 2 / (np.exp(w["c"]) + 1e-6)).sum(axis=1) + w["c"].sum()) / 2


def kl_q_p(w, x, noise, sigma, mask=1.0):
    """Computes KL(Q‖P), up to the data's entropy."""
    squares = (x - decoded(w, x, noise)) ** 2 / sigma**2 + np.log(2 * np.pi * sigma**2)
    return (kl_to_prior(w, x).sum(axis=1) + (mask * squares).sum(axis=1) / 2).mean()


def adversarial(w, x, z, temperature):
    """Computes KL(P‖Π) - KL(Q‖Π), up to entropies."""
    dreamt = z @ w["A"]
    bound = latent_nll(w, z, dreamt) + z.shape[1] * np.log(2 * np.pi) / 2
    return (energy(w, dreamt) / temperature + bound).mean() - (energy(w, x) / temperature).mean()


# the same, expected over all draws


def expected_kl_q_p(w, x, sigma):
    """Computes KL(Q‖P) of observed x: the noise of q adds exp(c) |A_k|² to the squares."""
    squares = ((x - x @ w["B"] @ w["A"]) ** 2).sum(axis=1) + np.exp(w["c"]) @ (w["A"] ** 2).sum(
        axis=1
    )
    constant = DIM * np.log(2 * np.pi * sigma**2)
    return (kl_to_prior(w, x).sum(axis=1) + (squares / sigma**2 + constant) / 2).mean()


def expected_adversarial(w, x, temperature):
    """Computes KL(P‖Π) - KL(Q‖Π) of observed x: z has unit covariance."""
    dreams = np.einsum("ki,ij,kj->", w["A"], w["S"], w["A"]) / 2
    apart = np.eye(len(w["A"])) - w["A"] @ w["B"]
    bound = (
        (apart**2).sum(axis=0) / (np.exp(w["c"]) + 1e-6) + w["c"] + np.log(2 * np.pi)
    ).sum() / 2
    return dreams / temperature + bound - (energy(w, x) / temperature).mean()
