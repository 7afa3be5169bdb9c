"""Annealed importance sampling by TensorFlow Probability, on a net of TensorFlow's own operations.

python -m benchmarks.peers.contenders tfp_annealing WORKLOAD.npz
"""

import math
from collections.abc import Callable, Sequence

import tensorflow as tf
import tensorflow_probability as tfp

from benchmarks.peers import contender, workload
from benchmarks.peers.contenders import tf_nets


def log_volume(y: tf.Tensor) -> tf.Tensor:
    """Computes log |dx / dy| of x = tanh(y / 2), [b]."""
    return tf.reduce_sum(math.log(2.0) - y - 2 * tf.nn.softplus(-y), [1, 2, 3])


def first_log_density(y: tf.Tensor) -> tf.Tensor:
    """Computes the log-density of uniform images in [-1, 1], [b]."""
    return log_volume(y) - math.prod(y.shape[1:]) * math.log(2.0)


def annealed(count: int, last_log_density, kernel) -> Callable[[tf.Tensor], tf.Tensor]:
    """Returns a compiled chain from uniform images: points to their log-weights.

    Args:
        count: temperatures.
        last_log_density: where the chain ends.
        kernel: makes the kernel of a temperature, given its log-density.
    """

    @tf.function(autograph=False)
    def anneal(y):
        return tfp.mcmc.sample_annealed_importance_chain(
            num_steps=count,
            proposal_log_prob_fn=first_log_density,
            target_log_prob_fn=last_log_density,
            current_state=y,
            make_kernel_fn=kernel,
            seed=[0, 1],
        )[1]

    return anneal


def entry(words: Sequence[str]) -> contender.Entry:
    """Returns the entry, given a workload's file."""
    tf_nets.avoid_duplicated_loop_variables()
    work = workload.read(words[0])
    known, start = work.constants, tf.constant(work.arrays["start"])

    def last_log_density(y):
        return log_volume(y) + tf_nets.score(work.nets["energy"], tf.tanh(y / 2))

    def kernel(log_density):
        step_size, steps = known["step_size"], known["leapfrog_steps"]
        return tfp.mcmc.HamiltonianMonteCarlo(log_density, step_size, steps)

    anneal = annealed(known["temperatures"], last_log_density, kernel)

    @tf.function(autograph=False)
    def value_and_grad(y):
        u = -last_log_density(y)
        return u, tf.gradients(u, y)[0]

    def answer():
        u, gradient = value_and_grad(start)
        return {"energies": u.numpy(), "gradients": gradient.numpy()}

    return contender.Entry(tfp.__version__, answer, lambda: anneal(start).numpy())
