"""A step of the divergence triangle in JAX, compiled as a whole, with optax.

Running statistics of the generator's normalization, which training does not read, are not kept.

python -m benchmarks.peers.contenders jax_triangle WORKLOAD.npz
"""

import math
from collections.abc import Sequence

import jax
import numpy as np
import optax
from jax import numpy as jnp

from benchmarks.peers import contender, workload
from benchmarks.peers.contenders import jax_nets

ROLES = ("energy", "inference", "generator")
EPSILON = 1e-7 / (1 - 0.999) ** 0.5
"""Of Adam: Keras has 1e-7 beside the root of a mean that is not yet corrected; at the first step this is as much."""


class Triangle:
    """The three nets as functions of their weights, and the losses."""

    def __init__(self, work: workload.Workload):
        self.layers, self.known = work.nets, work.constants

    def density(self, weights, x):
        """Mean U / T."""
        score = jax_nets.applied(self.layers["energy"], weights["energy"], x).sum((1, 2, 3))
        return -score.mean() / self.known["temperature"]

    def generate(self, weights, z):
        """g(z)."""
        return jax_nets.applied(self.layers["generator"], weights["generator"], z[:, None, None, :])

    def infer(self, weights, x):
        """The mean and the log-variance of q(z|x)."""
        layers, own = self.layers["inference"], weights["inference"]
        h = jax_nets.applied(layers[:-2], own[:-2], x)
        heads = (
            jax_nets.applied(layers[i : i + 1], own[i : i + 1], h)
            for i in (len(own) - 2, len(own) - 1)
        )
        return tuple(head.reshape(len(x), -1) for head in heads)

    def q_p(self, weights, images, noise):
        """What is decoded from the posterior, and KL(Q‖P)."""
        mean, log_var = self.infer(weights, images)
        decoded = self.generate(weights, mean + jnp.exp(log_var / 2) * noise)
        prior = (mean**2 + jnp.exp(log_var) - log_var - 1).sum(1).mean() / 2
        variance = self.known["sigma"] ** 2
        error = (images - decoded) ** 2 / variance + math.log(2 * math.pi * variance)
        return decoded, prior + error.sum((1, 2, 3)).mean() / 2

    def p_q(self, weights, z, x):
        """Mean -log q(z|x)."""
        mean, log_var = self.infer(weights, x)
        quadratic = (z - mean) ** 2 / (jnp.exp(log_var) + 1e-6)
        return (quadratic + log_var + math.log(2 * math.pi)).sum(1).mean() / 2

    def losses(self, images, z, noise, dreamt):
        """By role: of all weights, the loss and what is logged of it."""
        variational, adversarial = self.known["variational"], self.known["adversarial"]

        def energy(weights):
            u, u_x = self.density(weights, images), self.density(weights, dreamt)
            return adversarial * (u - u_x), {"energy_data": u, "energy_samples": u_x}

        def inference(weights):
            (_, q_p), p_q = self.q_p(weights, images, noise[0]), self.p_q(weights, z, dreamt)
            return variational * q_p + adversarial * p_q, {"latent_nll": p_q}

        def generator(weights):
            x = self.generate(weights, z)  # XLA finds that it has this already
            decoded, q_p = self.q_p(weights, images, noise[1])
            p_pi = self.density(weights, x) + self.p_q(weights, z, x)
            error = ((images - decoded) ** 2).mean()
            return variational * q_p + adversarial * p_pi, {
                "kl_q_p": q_p,
                "reconstruction_error": error,
            }

        return {"energy": energy, "inference": inference, "generator": generator}


def step_of(triangle: Triangle, optimizer: optax.GradientTransformation):
    """A compiled step: weights and the optimizer's states before and after it, and what is logged."""

    @jax.jit
    def step(weights, states, images, z, noise):
        logs = {}
        for role, loss in triangle.losses(images, z, noise, triangle.generate(weights, z)).items():

            def of_own(own, role=role, loss=loss, weights=weights):
                return loss(weights | {role: own})

            gradient, found = jax.grad(of_own, has_aux=True)(weights[role])
            change, state = optimizer.update(gradient, states[role])
            weights = weights | {role: optax.apply_updates(weights[role], change)}
            states = states | {role: state}
            logs |= found | {f"{role}_grad_norm": optax.global_norm(gradient)}
        return weights, states, logs

    return step


def entry(words: Sequence[str]) -> contender.Entry:
    """Given a workload's file and options."""
    work = workload.read(words[0])
    known, images = work.constants, jnp.asarray(work.arrays["images"])
    adam = optax.adam(known["rate"], known["beta_1"], 0.999, EPSILON)
    optimizer = optax.chain(optax.clip_by_global_norm(known["clip_norm"]), adam)
    weights = {role: jax_nets.parameters(work.nets[role]) for role in ROLES}
    state = {
        "weights": weights,
        "states": {role: optimizer.init(own) for role, own in weights.items()},
    }
    step = step_of(Triangle(work), optimizer)
    key = jax.random.key(0)

    def update(z, noise):
        state["weights"], state["states"], logs = step(
            state["weights"], state["states"], images, z, noise
        )
        return {name: np.asarray(value) for name, value in logs.items()}

    def run():
        z, *noise = jax.random.normal(key, (3, *work.arrays["z"].shape))
        return update(z, noise)

    def answer():
        return update(work.arrays["z"], [work.arrays["noise0"], work.arrays["noise1"]])

    return contender.Entry(jax.__version__, answer, run)
