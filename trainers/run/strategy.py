"""How an update is spread over devices, and what compiles it."""

import tensorflow as tf

from tfgen.errors import UserError


def build(name: str) -> tf.distribute.Strategy:
    """The distribution strategy of a name.

    Args:
        name: `one_device`, `mirrored`, `tpu`, or `auto`: a TPU where there is one, all GPUs where they are
            several, else one device.

    Returns:
        The strategy.

    Raises:
        UserError: if there is no TPU to be had.
    """
    if name == "tpu" or (name == "auto" and tf.config.list_logical_devices("TPU")):
        try:
            resolver = tf.distribute.cluster_resolver.TPUClusterResolver.connect()
        except (ValueError, tf.errors.OpError) as error:
            raise UserError("--strategy: expected a TPU for tpu and found none") from error
        return tf.distribute.TPUStrategy(resolver)
    if name == "mirrored" or (name == "auto" and len(tf.config.list_logical_devices("GPU")) > 1):
        return tf.distribute.MirroredStrategy(_accelerators() or _processors())
    return tf.distribute.get_strategy()


def jit_compile(name: str) -> bool:
    """Whether XLA compiles an update; `auto` is for accelerators alone: it slows convolutions on a CPU."""
    return (
        bool(_accelerators() or tf.config.list_logical_devices("TPU"))
        if name == "auto"
        else name == "true"
    )


def _accelerators() -> list[str]:
    return [device.name for device in tf.config.list_logical_devices("GPU")]


def _processors() -> list[str]:
    return [device.name for device in tf.config.list_logical_devices("CPU")]
