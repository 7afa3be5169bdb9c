"""A step of the divergence triangle in JAX, compiled as a whole, with optax.

The running statistics of the generator's normalization are not kept: training does not read them.

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
"""Adam's epsilon that equals Keras's at the first step.

Keras adds 1e-7 to the root of a second moment that is not bias-corrected.
"""


class Triangle:
    """The three nets as functions of their weights, and the losses.

    Args:
        work: holds the nets' layers and the objective's constants.
    """

    def __init__(self, work: workload.Workload):
        self.layers, self.known = work.nets, work.constants

    def energy(self, weights, x):
        """Computes the mean of U / T."""
        score = jax_nets.applied(self.layers["energy"], weights["energy"], x).sum((1, 2, 3))
        return -score.mean() / self.known["temperature"]

    def generate(self, weights, z):
        """Computes g(z)."""
        return jax_nets.applied(self.layers["generator"], weights["generator"], z[:, None, None, :])

    def infer(self, weights, x):
        """Computes the mean and the log-variance of q(z|x)."""
        layers, own = self.layers["inference"], weights["inference"]
        h = jax_nets.applied(layers[:-2], own[:-2], x)
        found = []
        for layer, weight in zip(layers[-2:], own[-2:], strict=True):
            found.append(jax_nets.applied([layer], [weight], h).reshape(len(x), -1))
        return tuple(found)

    def kl_q_p(self, weights, images, noise):
        """Computes what is decoded from the posterior, and KL(Q‖P)."""
        mean, log_var = self.infer(weights, images)
        decoded = self.generate(weights, mean + jnp.exp(log_var / 2) * noise)
        prior = (mean**2 + jnp.exp(log_var) - log_var - 1).sum(1).mean() / 2
        variance = self.known["sigma"] ** 2
        error = (images - decoded) ** 2 / variance + math.log(2 * math.pi * variance)
        return decoded, prior + error.sum((1, 2, 3)).mean() / 2

    def latent_nll(self, weights, z, x):
        """Computes the mean of -log q(z|x)."""
        mean, log_var = self.infer(weights, x)
        quadratic = (z - mean) ** 2 / (jnp.exp(log_var) + 1e-6)
        return (quadratic + log_var + math.log(2 * math.pi)).sum(1).mean() / 2

    def losses(self, images, z, noise, generated):
        """Returns by role a function of all weights: its loss, and what is logged of it.

        Args:
            images: of the data.
            z: latents of the prior.
            noise: of the posterior, for the inference net and for the generator.
            generated: g(z), a constant.
        """
        variational, adversarial = self.known["variational"], self.known["adversarial"]

        def energy(weights):
            u, u_x = self.energy(weights, images), self.energy(weights, generated)
            return adversarial * (u - u_x), {"energy_data": u, "energy_samples": u_x}

        def inference(weights):
            _, kl = self.kl_q_p(weights, images, noise[0])
            nll = self.latent_nll(weights, z, generated)
            return variational * kl + adversarial * nll, {"latent_nll": nll}

        def generator(weights):
            x = self.generate(weights, z)  # XLA finds that it has this already
            decoded, kl = self.kl_q_p(weights, images, noise[1])
            kl_p_pi = self.energy(weights, x) + self.latent_nll(weights, z, x)
            error = ((images - decoded) ** 2).mean()
            logs = {"kl_q_p": kl, "reconstruction_error": error}
            return variational * kl + adversarial * kl_p_pi, logs

        return {"energy": energy, "inference": inference, "generator": generator}


def step_of(triangle: Triangle, optimizer: optax.GradientTransformation):
    """Returns a compiled step: weights and optimizer states before and after it, and the logs."""

    @jax.jit
    def step(weights, states, images, z, noise):
        logs = {}
        generated = triangle.generate(weights, z)
        for role, loss in triangle.losses(images, z, noise, generated).items():
            # defaults bind what the loop changes
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
    """Returns the entry, given a workload's file."""
    work = workload.read(words[0])
    known, images = work.constants, jnp.asarray(work.arrays["images"])
    adam = optax.adam(known["rate"], known["beta_1"], 0.999, EPSILON)
    optimizer = optax.chain(optax.clip_by_global_norm(known["clip_norm"]), adam)
    weights = {role: jax_nets.parameters(work.nets[role]) for role in ROLES}
    states = {role: optimizer.init(own) for role, own in weights.items()}
    step = step_of(Triangle(work), optimizer)
    key = jax.random.key(0)

    def update(z, noise):
        nonlocal weights, states
        # both change from call to call, as in a training
        weights, states, logs = step(weights, states, images, z, noise)
        return {name: np.asarray(value) for name, value in logs.items()}

    def run():
        z, *noise = jax.random.normal(key, (3, *work.arrays["z"].shape))
        return update(z, noise)

    def answer():
        return update(work.arrays["z"], [work.arrays["noise0"], work.arrays["noise1"]])

    return contender.Entry(jax.__version__, answer, run)
