"""What the replicas and micro-batches of an update tell each other, whatever the machines."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from tfgen import microbatches

PACK = 2**25
"""Bytes that are sent together: many small tensors cost the time of one."""


class Mean(keras.metrics.Mean):
    """A mean of numbers that are alike on all replicas.

    Each worker keeps and reads it alone: a checkpoint that one worker writes waits for no other.
    """

    def add_variable(
        self, shape, initializer, dtype=None, aggregation="only_first_replica", name=None
    ):
        """Makes a variable of the state; see Keras."""
        return super().add_variable(
            shape, initializer, dtype=dtype, aggregation=aggregation, name=name
        )


def count() -> int:
    """Returns the number of replicas that share an update."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def mean(values: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """Returns the means of tensors over the replicas and micro-batches, within an update.

    Args:
        values: this one's, of the shapes that all have.
    """
    return microbatches.mean(values, _mean)


def _mean(values: list[tf.Tensor]) -> list[tf.Tensor]:
    if count() == 1:
        return values
    context = tf.distribute.get_replica_context()
    packed = tf.distribute.experimental.CommunicationOptions(bytes_per_pack=PACK)
    return list(context.all_reduce(tf.distribute.ReduceOp.MEAN, values, packed))


def gathered(value: tf.Tensor) -> tf.Tensor:
    """Returns the rows of all replicas in their order, within an update.

    Args:
        value: this replica's or micro-batch's rows, [b, ...], of the shape that all have.

    Returns:
        [b * replicas * micro-batches, ...].
    """
    return microbatches.gathered(value, _gathered)


def _gathered(value: tf.Tensor) -> tf.Tensor:
    if count() == 1:
        return value
    # an input of a graph has no device, which a single replica of a worker must have
    return tf.distribute.get_replica_context().all_gather(tf.identity(value), axis=0)


def first(value: tf.Tensor) -> tf.Tensor:
    """Returns the first replica's tensor on all replicas, within an update.

    Replicas that compute the same on different machines may differ by rounding.

    Args:
        value: this replica's, of the shape that all have.
    """
    if count() == 1:
        return value
    context = tf.distribute.get_replica_context()
    is_first = tf.equal(context.replica_id_in_sync_group, 0)
    only = tf.where(is_first, value, tf.zeros_like(value))
    return context.all_reduce(tf.distribute.ReduceOp.SUM, only)


def has_workers(strategy: tf.distribute.Strategy) -> bool:
    """Returns whether several processes share an update, each of which runs its own program."""
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def train_function(
    strategy: tf.distribute.Strategy,
    step: Callable[[Any], dict[str, tf.Tensor]],
    num_steps: int,
    jit_compile: bool,
) -> Callable[[Any], dict[str, tf.Tensor]]:
    """Returns what `fit` calls under several workers, in place of Keras's own.

    Keras reduces each logged scalar over the workers along an axis that it does not have.

    Args:
        strategy: that has workers.
        step: an update of a batch, which returns numbers that are alike on all replicas.
        num_steps: updates a call.
        jit_compile: whether XLA compiles an update.
    """

    @tf.function(jit_compile=jit_compile, autograph=False)
    def update(data):
        logs = strategy.run(step, args=(data,))
        return {name: strategy.experimental_local_results(v)[0] for name, v in logs.items()}

    def updates(iterator):
        logs = {}
        for _ in range(num_steps):
            logs = update(next(iterator))
        return logs

    return updates
