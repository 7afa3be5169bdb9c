"""Langevin dynamics by TensorFlow Probability's kernel, on a net of TensorFlow's own operations.

python -m benchmarks.peers.contenders tfp_langevin WORKLOAD.npz
"""

from collections.abc import Callable, Sequence

import tensorflow as tf
import tensorflow_probability as tfp

from benchmarks.peers import contender, workload
from benchmarks.peers.contenders import tf_nets


def energy_of(work: workload.Workload) -> Callable[[tf.Tensor], tf.Tensor]:
    """Returns U of images [b, h, w, c]."""

    def energy(x):
        y = x / work.constants["sigma"]
        return tf.reduce_sum(y**2, [1, 2, 3]) / 2 - tf_nets.score(work.nets["energy"], y)

    return energy


def entry(words: Sequence[str]) -> contender.Entry:
    """Returns the entry, given a workload's file."""
    tf_nets.avoid_duplicated_loop_variables()
    work = workload.read(words[0])
    energy, burn_in = energy_of(work), work.constants["steps"] - 1
    kernel = tfp.mcmc.UncalibratedLangevin(
        lambda x: -energy(x), step_size=work.constants["step_size"] ** 2
    )
    start = tf.constant(work.arrays["start"])

    @tf.function(autograph=False)
    def value_and_grad(x):
        return energy(x), tf.gradients(energy(x), x)[0]

    @tf.function(autograph=False)
    def sample(x):
        return tfp.mcmc.sample_chain(
            1, x, kernel=kernel, num_burnin_steps=burn_in, trace_fn=None, seed=[0, 1]
        )

    def answer():
        u, gradient = value_and_grad(start)
        return {"energies": u.numpy(), "gradients": gradient.numpy()}

    return contender.Entry(tfp.__version__, answer, lambda: sample(start).numpy())
