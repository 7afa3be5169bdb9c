"""Langevin dynamics by tfgen, as its users have it.

python -m benchmarks.peers.tfgen_langevin WORKLOAD.npz
"""

import importlib
import sys

import tensorflow as tf

from benchmarks.peers import contender, workload
from tfgen import energies, random
from tfgen.samplers import Langevin, run
from tfgen.version import __version__


def net_of(work: workload.Workload):
    """The family's energy with the workload's weights."""
    net = importlib.import_module(f"tfgen.nets.{work.net}").energy(work.start.shape[1:])
    for conv, layer in zip(net.convs, work.layers, strict=True):
        conv.kernel.assign(layer.kernel)
        if layer.bias is not None:
            conv.bias.assign(layer.bias)
    if work.top is not None:
        net.top.kernel.assign(work.top)
    return net


def main() -> None:
    """Serves one workload."""
    work = workload.read(sys.argv[1])
    density = energies.tilted(energies.frozen(net_of(work)), work.sigma)
    start = tf.constant(work.start)

    @tf.function(autograph=False)
    def slope(x):
        return energies.value_and_grad(density, x)

    @tf.function(autograph=False)
    def sample(x):
        return run(Langevin(work.step_size), density, x, random.root(1), work.steps)[0]

    contender.serve(__version__, lambda: tuple(t.numpy() for t in slope(start)), lambda: sample(start).numpy())


if __name__ == "__main__":
    main()
