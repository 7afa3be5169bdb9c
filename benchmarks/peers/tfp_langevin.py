"""Langevin dynamics by TensorFlow Probability's kernel, on a net of TensorFlow's own operations.

python -m benchmarks.peers.tfp_langevin WORKLOAD.npz
"""

import sys

import tensorflow as tf
import tensorflow_probability as tfp

from benchmarks.peers import contender, workload

ACTIVATIONS = {"relu": tf.nn.relu, "swish": tf.nn.swish, "leaky_relu": tf.nn.leaky_relu}


def energy_of(work: workload.Workload):
    """U of images [b, h, w, c]."""
    activation = ACTIVATIONS[work.activation]

    def convolve(x, layer: workload.Layer):
        around = [layer.padding] * 2
        y = tf.nn.conv2d(x, layer.kernel, layer.strides, [[0, 0], around, around, [0, 0]])
        return y if layer.bias is None else y + layer.bias

    def energy(x):
        h = y = x / work.sigma
        for layer in work.layers:
            h = activation(convolve(h, layer))
        f = h if work.top is None else convolve(h, workload.Layer(work.top, None, 1, 0))
        return tf.reduce_sum(y**2, [1, 2, 3]) / 2 - tf.reduce_sum(f, [1, 2, 3])

    return energy


def main() -> None:
    """Serves one workload."""
    # which gives sums within loops a variable that is sometimes made twice (tensorflow issue 33713)
    tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})
    work = workload.read(sys.argv[1])
    energy = energy_of(work)
    kernel = tfp.mcmc.UncalibratedLangevin(lambda x: -energy(x), step_size=work.step_size**2)
    start = tf.constant(work.start)

    @tf.function(autograph=False)
    def slope(x):
        return energy(x), tf.gradients(energy(x), x)[0]

    @tf.function(autograph=False)
    def sample(x):
        return tfp.mcmc.sample_chain(1, x, kernel=kernel, num_burnin_steps=work.steps - 1, trace_fn=None, seed=[0, 1])

    def answer():
        return tuple(t.numpy() for t in slope(start))

    contender.serve(tfp.__version__, answer, lambda: sample(start).numpy())


if __name__ == "__main__":
    main()
