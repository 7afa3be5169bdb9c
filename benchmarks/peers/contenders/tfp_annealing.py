"""Annealed importance sampling by TensorFlow Probability, on a net of TensorFlow's own operations.

python -m benchmarks.peers.contenders tfp_annealing WORKLOAD.npz
"""

import math
from collections.abc import Sequence

import tensorflow as tf
import tensorflow_probability as tfp

from benchmarks.peers import contender, workload
from benchmarks.peers.contenders import tf_nets


def log_volume(y: tf.Tensor) -> tf.Tensor:
    """log |dx / dy| of x = tanh(y / 2), [b]."""
    return tf.reduce_sum(math.log(2.0) - y - 2 * tf.nn.softplus(-y), [1, 2, 3])


def entry(words: Sequence[str]) -> contender.Entry:
    """Given a workload's file."""
    # which gives sums within loops a variable that is sometimes made twice (tensorflow issue 33713)
    tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})
    work = workload.read(words[0])
    known, start = work.constants, tf.constant(work.arrays["start"])

    def first(y):
        return log_volume(y) - math.prod(y.shape[1:]) * math.log(2.0)

    def last(y):
        return log_volume(y) + tf_nets.score(work.nets["energy"], tf.tanh(y / 2))

    def kernel(log_density):
        return tfp.mcmc.HamiltonianMonteCarlo(
            log_density, known["step_size"], known["leapfrog_steps"]
        )

    @tf.function(autograph=False)
    def anneal(y):
        return tfp.mcmc.sample_annealed_importance_chain(
            known["temperatures"], first, last, y, kernel, seed=[0, 1]
        )[1]

    @tf.function(autograph=False)
    def slope(y):
        return -last(y), -tf.gradients(last(y), y)[0]

    def answer():
        u, gradient = slope(start)
        return {"energies": u.numpy(), "gradients": gradient.numpy()}

    return contender.Entry(tfp.__version__, answer, lambda: anneal(start).numpy())
