"""A cascade of classifiers: copies of one net at the stages of its training."""

from collections.abc import Callable

import keras
import tensorflow as tf

from tfgen import hoisting
from tfgen.types import Image


class Cascade(keras.layers.Layer):
    """The weights of a net at up to so many stages, stacked, so that the stage may be a tensor.

    Args:
        net: whose weights are kept, built; the net itself is not.
        stages: how many there is room for; memory and checkpoints grow in proportion.

    Attributes:
        kept: how many there are, int32.

    Source: INNg, sections 3.2.3 and 3.6.
    """

    def __init__(self, net: keras.Model, stages: int):
        super().__init__(name="cascade", dtype="float32")
        options = {"trainable": False, "initializer": "zeros", "aggregation": "only_first_replica"}
        self.stacks = [
            self.add_weight(shape=(stages, *v.shape), dtype=v.dtype, name=v.name, **options)
            for v in _variables(net)
        ]
        self.kept = self.add_weight(shape=(), dtype="int32", name="kept", **options)
        self.built = True

    @property
    def num_kept(self) -> int:
        """How many classifiers there are, as a number, also where a graph is traced."""
        with tf.init_scope():
            return int(tf.convert_to_tensor(self.kept.value).numpy())

    def keep(self, net: keras.Model, stage: tf.Tensor) -> None:
        """Copies the net as it is now into a stage, which is the last from now on."""
        for stack, variable in zip(self.stacks, _variables(net), strict=True):
            stack.value.scatter_update(
                tf.IndexedSlices(variable.value[tf.newaxis], stage[tf.newaxis])
            )
        self.kept.assign(stage + 1)

    def classifier(self, net: keras.Model, stage: int | tf.Tensor) -> Callable[[Image], tf.Tensor]:
        """The net as it was at a stage, in inference mode."""

        weights = [
            stack.value[stage] for stack in self.stacks
        ]  # here, for all steps under this classifier
        split = len(net.trainable_variables)

        def call(x):
            with hoisting.of_weights(call):
                answer, _ = net.stateless_call(weights[:split], weights[split:], x, training=False)
            return answer

        return call


def _variables(net: keras.Model) -> list[keras.Variable]:
    return [*net.trainable_variables, *net.non_trainable_variables]
