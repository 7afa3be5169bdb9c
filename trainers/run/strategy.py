"""Distribution strategies: how an update is spread over devices, and what compiles it."""

import json
import os
import pathlib

import tensorflow as tf

from tfgen.errors import UserError

NAMES = ("auto", "one_device", "mirrored", "multi_worker", "tpu")
"""What `build` takes."""

TF_CONFIG = "TF_CONFIG"
"""The variable of the environment that says who the workers are, and which one a process is."""

TPU_VARIABLES = ("TPU_NAME", "TPU_ACCELERATOR_TYPE", "TPU_WORKER_ID")
"""Variables of the environment that machines with TPUs, and clients of them, have."""

TPU_FILES = ("accel[0-9]*",)
"""Names under /dev that TPUs have."""

SLURM = "SLURM_STEP_NUM_TASKS"
"""A variable that processes started by srun have."""


def build(name: str, tpu: str | None = None) -> tf.distribute.Strategy:
    """Returns the distribution strategy of a name.

    That of several workers waits for them; TensorFlow must not have computed anything before.

    Args:
        name: of NAMES; `auto` takes the workers of TF_CONFIG
            where it names several, a TPU where there is one, all GPUs where there are several, else
            one device.
        tpu: name or address of the TPU; None: that of this machine.

    Raises:
        UserError: if what the name wants is not there, or a TPU is there that cannot be used.
    """
    workers = _tf_config_workers()
    if name == "multi_worker" or (name == "auto" and workers > 1):
        return tf.distribute.MultiWorkerMirroredStrategy(_cluster())
    if workers > 1:
        raise UserError(
            f"--strategy: expected multi_worker, since TF_CONFIG names {workers} workers, and "
            f"found {name}"
        )
    if name == "tpu" or (name == "auto" and (tpu or tpu_traces())):
        return _tpu(name, tpu)
    if tpu:
        raise UserError(f"--tpu: expected --strategy=tpu with it and found {name}")
    if name == "mirrored" or (name == "auto" and len(_names("GPU")) > 1):
        return tf.distribute.MirroredStrategy(_names("GPU") or _names("CPU"))
    return tf.distribute.get_strategy()


def described(built: tf.distribute.Strategy) -> str:
    """Returns which devices there are, and which of them an update uses, in words."""
    kinds = [device.device_type for device in tf.config.list_logical_devices()]
    counts = {kind: kinds.count(kind) for kind in ("TPU", "GPU", "CPU") if kind in kinds}
    found = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    replicas = built.num_replicas_in_sync
    used = max(counts, key=("CPU", "GPU", "TPU").index)
    words = "1 replica" if replicas == 1 else f"{replicas} replicas"
    if isinstance(built, tf.distribute.MultiWorkerMirroredStrategy):
        words += f" of {num_workers(built)} workers"
    return f"found {found} here; trains on {used}, {words}"


def num_workers(built: tf.distribute.Strategy) -> int:
    """Returns how many processes share an update."""
    if not isinstance(built, tf.distribute.MultiWorkerMirroredStrategy):
        return 1
    return max(1, len(built.cluster_resolver.cluster_spec().as_dict().get("worker", [])))


def tpu_traces() -> list[str]:
    """Returns what says that this machine has a TPU, or is to use one."""
    found = [name for name in TPU_VARIABLES if os.environ.get(name)]
    places = [place for name in TPU_FILES for place in pathlib.Path("/dev").glob(name)]
    return found + [str(place) for place in sorted(places)]


def check_batch(built: tf.distribute.Strategy, batch_size: int, accumulate: int = 1) -> None:
    """Raises UserError unless replicas and their micro-batches can share a batch evenly.

    Args:
        built: the strategy.
        batch_size: examples an update, over all replicas.
        accumulate: micro-batches of each replica.
    """
    shares = built.num_replicas_in_sync * accumulate
    if batch_size % shares:
        below = batch_size // shares * shares
        near = f"{below} or {below + shares}" if below else str(shares)
        who = f"the {built.num_replicas_in_sync} replicas of --strategy"
        other = "--strategy=one_device"
        if accumulate > 1:
            who, other = f"the {shares} micro-batches of all replicas", "another --accumulate"
        raise UserError(
            f"--batch_size: expected a multiple of {who} and found {batch_size}; give {near}, or "
            f"{other}"
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


def _tpu(name: str, tpu: str | None) -> tf.distribute.Strategy:
    """Returns the strategy of a TPU.

    Raises:
        UserError: if there is none to be had.
    """
    try:
        # "local" asks no other machine for an address
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver.connect(tpu or "local")
        return tf.distribute.TPUStrategy(resolver)
    except (ValueError, RuntimeError, OSError, tf.errors.OpError) as error:
        traces = tpu_traces()
        seen = f" ({', '.join(traces)} say that there is one)" if traces else ""
        raise UserError(
            f"--strategy: expected a TPU for {name} and TensorFlow found none{seen}; install "
            "tensorflow-tpu, name it with --tpu, or give --strategy=one_device to train without"
        ) from error


def _cluster() -> tf.distribute.cluster_resolver.ClusterResolver:
    """Returns who the workers are, and which of them this process is.

    Raises:
        UserError: if the environment does not say it.
    """
    resolvers = tf.distribute.cluster_resolver
    if _tf_config_workers():
        return resolvers.TFConfigClusterResolver()
    if SLURM in os.environ:
        return resolvers.SlurmClusterResolver()
    raise UserError(
        "--strategy: expected TF_CONFIG, or a process started by srun, for multi_worker and found "
        "neither; --workers=N starts N processes on this machine"
    )


def _tf_config_workers() -> int:
    """Returns how many workers TF_CONFIG names; 0 where there is none.

    Raises:
        UserError: if it is no cluster of workers.
    """
    text = os.environ.get(TF_CONFIG)
    if not text:
        return 0
    try:
        found = json.loads(text)
        task, workers = found["task"], found["cluster"]["worker"]
        whole = task["type"] == "worker" and 0 <= int(task["index"]) < len(workers)
    except (ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        raise UserError(
            'TF_CONFIG: expected {"cluster": {"worker": ["HOST:PORT", ...]}, "task": {"type": '
            f'"worker", "index": N}}}} and found {text}'
        )
    return len(workers)


def _names(kind: str) -> list[str]:
    """Returns the names of the logical devices of a kind."""
    return [device.name for device in tf.config.list_logical_devices(kind)]
