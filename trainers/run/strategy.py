"""Distribution strategies: how an update is spread over devices, and what compiles it."""

import tensorflow as tf

from tfgen.errors import UserError


def build(name: str) -> tf.distribute.Strategy:
    """Returns the distribution strategy of a name.

    Args:
        name: `one_device`, `mirrored`, `tpu`, or `auto`: a TPU where there is one, all GPUs where
            there are several, else one device.

    Raises:
        UserError: if there is no TPU to be had.
    """
    if name == "tpu" or (name == "auto" and tf.config.list_logical_devices("TPU")):
        try:
            resolver = tf.distribute.cluster_resolver.TPUClusterResolver.connect()
        except (ValueError, tf.errors.OpError) as error:
            raise UserError("--strategy: expected a TPU for tpu and found none") from error
        return tf.distribute.TPUStrategy(resolver)
    if name == "mirrored" or (name == "auto" and len(_names("GPU")) > 1):
        return tf.distribute.MirroredStrategy(_names("GPU") or _names("CPU"))
    return tf.distribute.get_strategy()


def check_batch(built: tf.distribute.Strategy, batch_size: int) -> None:
    """Raises UserError unless the replicas can share a batch evenly.

    Args:
        built: the strategy.
        batch_size: examples an update, over all replicas.
    """
    replicas = built.num_replicas_in_sync
    if batch_size % replicas:
        raise UserError(
            f"--batch_size: expected a multiple of the {replicas} replicas of --strategy and found "
            f"{batch_size}; give {replicas * max(1, batch_size // replicas)}, or "
            "--strategy=one_device"
        )


def jit_compile(name: str) -> bool:
    """Returns whether XLA compiles an update.

    Args:
        name: `true`, `false`, or `auto`: on accelerators alone, since XLA slows convolutions on a
            CPU.
    """
    if name == "auto":
        return bool(_names("GPU") or _names("TPU"))
    return name == "true"


def _names(kind: str) -> list[str]:
    """Returns the names of the logical devices of a kind."""
    return [device.name for device in tf.config.list_logical_devices(kind)]
