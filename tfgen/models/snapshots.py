"""Snapshots of one net's weights at the stages of its training, stacked."""

from collections.abc import Callable

import keras
import tensorflow as tf

from tfgen import hoisting
from tfgen.types import Image


class Snapshots(keras.layers.Layer):
    """The weights of a net at several stages, stacked, so that the stage may be a tensor.

    Args:
        net: whose weights are kept, built; the net itself is not.
        stages: how many there is room for; memory and checkpoints grow in proportion.

    Attributes:
        kept: how many there are, int32.

    Source: INNg, sections 3.2.3 and 3.6.
    """

    def __init__(self, net: keras.Model, stages: int):
        super().__init__(name="snapshots", dtype="float32")
        options = {
            "trainable": False,
            "initializer": "zeros",
            "aggregation": "only_first_replica",
        }
        self.stacks = [
            self.add_weight(
                shape=(stages, *variable.shape),
                dtype=variable.dtype,
                name=f"{number}_{variable.name}",  # "kernel" alone is not unique within a net
                **options,
            )
            for number, variable in enumerate(_variables(net))
        ]
        self.kept = self.add_weight(shape=(), dtype="int32", name="kept", **options)
        self.built = True

    @property
    def num_kept(self) -> int:
        """How many snapshots there are, as a number, also where a graph is traced."""
        with tf.init_scope():
            return int(tf.convert_to_tensor(self.kept.value).numpy())

    def keep(self, net: keras.Model, stage: tf.Tensor) -> None:
        """Copies the net as it is now into a stage, which is the last from now on."""
        # a scatter, since a stage that is a tensor cannot index an assignment
        for stack, variable in zip(self.stacks, _variables(net), strict=True):
            row = tf.IndexedSlices(variable.value[tf.newaxis], stage[tf.newaxis])
            stack.value.scatter_update(row)
        self.kept.assign(stage + 1)

    def net_at(self, net: keras.Model, stage: int | tf.Tensor) -> Callable[[Image], tf.Tensor]:
        """Returns the net as it was at a stage, in inference mode."""
        weights = [stack.value[stage] for stack in self.stacks]  # read once for all calls
        split = len(net.trainable_variables)  # in `_variables`, these come first

        def call(x):
            # the function itself is the key: the net's layers are the same for every stage
            with hoisting.of_weights(call):
                answer, _ = net.stateless_call(weights[:split], weights[split:], x, training=False)
            return answer

        return call


def _variables(net: keras.Model) -> list[keras.Variable]:
    return [*net.trainable_variables, *net.non_trainable_variables]
