"""The trial of a user's own net on a batch of zeros, and the errors that tell its result."""

import re
from typing import Any

import keras
import tensorflow as tf

from tfgen.errors import UserError

COUNT = 2
"""Examples in the batch that a net is tried on; with 1, a lost batch axis might pass."""


Shape = tuple[int, ...] | tuple[tuple[int, ...], tuple[int, ...]]
"""Of one example: of an image, of latents, or of a pair of an image and its latents."""


def outputs(role: str, net: keras.Model, shape: Shape, wanted: str) -> Any:
    """Returns what a net makes of a batch of zeros, and so builds it.

    Args:
        role: of the net, for errors.
        net: takes batches [b, *shape], or a pair of them.
        shape: of one example.
        wanted: what it should return, for errors.

    Raises:
        UserError: if it is no Keras model, or fails.
    """
    if not isinstance(net, keras.Model):
        raise UserError(f"{role}: expected a keras.Model and found a {type(net).__name__}")
    try:
        zeros = [tf.zeros((COUNT, *part)) for part in parts(shape)]
        return net(zeros if len(zeros) > 1 else zeros[0], training=False)
    except Exception as error:  # of the user's code, so of any kind
        raise UserError(
            f"{role}: expected a net from {inputs(role, shape)} to {wanted}, and "
            f"{type(net).__name__} failed on zeros of that shape: {_first_line(error)}"
        ) from error


def mismatch(role: str, shape: Shape, wanted: str, found: Any) -> UserError:
    """Returns the error of a net that returns something else.

    Args:
        role: of the net.
        shape: of one example that it takes.
        wanted: what it should return.
        found: what it returned.
    """
    sizes = " and ".join(str(list(size)) for size in shapes(found))
    return UserError(
        f"{role}: expected a net from {inputs(role, shape)} to {wanted}, and found outputs of "
        f"shape {sizes or 'none'}"
    )


def shapes(found: Any) -> list[tuple[int, ...]]:
    """Returns the shapes of all tensors that a net returned."""
    return [tuple(tensor.shape) for tensor in tf.nest.flatten(found) if tf.is_tensor(tensor)]


def parts(shape: Shape) -> list[tuple]:
    """Returns the shape of one example, or those of both parts of a pair."""
    return list(shape) if isinstance(shape[0], tuple) else [shape]


def inputs(role: str, shape: Shape) -> str:
    """Describes the batches that a net of a role takes, given the shape of one example."""
    kinds = ["latents"] if role == "generator" else ["images", "latents"]
    pairs = zip(kinds, parts(shape), strict=False)
    return " and ".join(f"{kind} {batch(part)}" for kind, part in pairs)


def batch(shape: tuple[int, ...]) -> str:
    """Writes the shape of a batch, given that of one example."""
    return f"[b, {', '.join(map(str, shape))}]"


def is_batch(found: Any) -> bool:
    """Says whether a net returned one tensor with an entry for each example."""
    return tf.is_tensor(found) and found.shape.rank > 0 and found.shape[0] == COUNT


def declared_shape(net: keras.Model) -> tuple[int | None, ...] | None:
    """Returns the input shape that a net declares, the batch first; None if it declares none."""
    try:
        return tuple(net.input_shape)
    except AttributeError:  # of a subclass, and of a Sequential that is not built
        return None


def declared_latents(net: keras.Model) -> tuple[int, ...] | None:
    """Returns the shape of the latents that a generator declares; None if it does not."""
    declared = declared_shape(net)
    if declared is None:
        return None
    sides = [side for side in declared[1:] if side is not None]
    return tuple(sides) if sides and len(sides) == len(declared) - 1 else None


def takes_any_size(net: keras.Model) -> bool:
    """Says whether a net declares inputs of any height and width."""
    declared = declared_shape(net)
    return declared is not None and len(declared) == 4 and declared[1:3] == (None, None)


def _first_line(error: Exception) -> str:
    """Returns the first line of an error that says something."""
    plain = re.sub(r"\x1b\[\d*m", "", str(error))  # Keras prints in bold
    lines = [line.strip() for line in plain.splitlines() if line.strip()]
    # Keras puts a header above the message of the layer that failed
    told = [line for line in lines if not line.startswith("Exception encountered when calling")]
    return told[0] if told else type(error).__name__
