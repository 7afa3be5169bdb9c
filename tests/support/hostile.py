"""Requests that no honest client would send, each made of an honest one by one change."""

import re
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from export.clients.exported import refusal
from export.saved_model import examples
from export.saved_model.rows import RowEndpoint

Request = dict[str, np.ndarray]

SENTENCE = re.compile(r"(\w+): expected .+ and found .+", flags=re.S)


class Attack(NamedTuple):
    """A request that must be refused by the name of an input.

    Attributes:
        endpoint: to send it to.
        kind: what was changed.
        culprit: the input that was changed.
        request: rows by name.
    """

    endpoint: str
    kind: str
    culprit: str
    request: Request


def _filled(value: float) -> Callable[[np.ndarray], np.ndarray]:
    """Returns a change of one number to a value."""

    def change(rows):
        found = rows.copy()
        found.reshape(-1)[-1] = value
        return found

    return change


SHAPES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "no rows": lambda rows: rows[:0],
    "one rank more": lambda rows: rows[..., np.newaxis],
    "a scalar": lambda rows: rows.reshape(-1)[0],
    "rows of another number": lambda rows: np.concatenate([rows, rows[:1]]),
}
"""Changes of any input."""

PICTURES = {
    "nan": _filled(np.nan),
    "inf": _filled(np.inf),
    "-inf": _filled(-np.inf),
    "1e10": _filled(1e10),
    "-3e38": _filled(-3e38),
    "1.5": _filled(1.5),
    "levels": lambda rows: np.full_like(rows, 255),
    "channels": lambda rows: np.repeat(rows, 2, axis=-1),
    "a side of none": lambda rows: rows[:, :0],
    "4096 pixels wide": lambda rows: np.zeros((*rows.shape[:2], 4096, rows.shape[-1]), np.float32),
}
MASKS = PICTURES | {"0.5": _filled(0.5), "-1": _filled(-1)}
NUMBERS = {"nan": _filled(np.nan), "inf": _filled(np.inf)}
WHOLE = {"least": _filled(-(2**31)), "largest": _filled(2**31 - 1)}
FILES = {
    "empty": lambda rows: np.array([b""] * len(rows), object),
    "text": lambda rows: np.array([b"x" * 100] * len(rows), object),
    "cut": lambda rows: np.array([file[:-7] for file in rows], object),
    "a bomb": lambda rows: np.array([_bomb()] * len(rows), object),
    "postscript": lambda rows: np.array([b"%!PS-Adobe-3.0 EPSF-3.0\n"] * len(rows), object),
}


def attacks(endpoints: Mapping[str, RowEndpoint], rows: int = 2) -> list[Attack]:
    """Returns attacks on all endpoints of an export.

    Args:
        endpoints: by name; their inputs declare what must be refused.
        rows: of each honest request.
    """
    found = []
    for name, endpoint in endpoints.items():
        honest = examples.rows(endpoint, rows)
        for known in endpoint.inputs:
            for kind, change in _changes(known).items():
                # a row more than the others have; where there are no others, it is a request
                if kind == "rows of another number" and len(honest) == 1:
                    continue
                request = honest | {known.name: change(honest[known.name])}
                found.append(Attack(name, kind, known.name, request))
        many = {key: np.repeat(value[:1], 300, axis=0) for key, value in honest.items()}
        found.append(Attack(name, "300 rows", endpoint.inputs[0].name, many))
    return found


def _changes(known) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    if known.dtype == tf.string:
        return SHAPES | FILES
    if known.dtype == tf.bool:
        return SHAPES
    if known.encoding is not None:
        changes = MASKS if known.encoding == "mask" else PICTURES
        return SHAPES | changes
    if known.dtype.is_floating:
        bounds = {"beyond": _filled(1e6)} if known.check is not None else {}
        return SHAPES | NUMBERS | bounds
    return SHAPES | (WHOLE if known.check is not None else {})


def said(call: Callable, request: Request) -> tuple[str | None, str]:
    """Returns the name that a refusal names, or None for an answer, and the sentence.

    Raises:
        AssertionError: if the answer is not finite, or the refusal no sentence.
    """
    try:
        answer = call(**{name: tf.constant(value) for name, value in request.items()})
    except tf.errors.InvalidArgumentError as error:
        sentence = refusal(error.message)
        found = SENTENCE.match(sentence)
        assert found, sentence
        return found[1], sentence
    except TypeError as error:  # TensorFlow's own refusal in this process; servers have none
        found = re.search(r"Can not cast TensorSpec\(.*?name='(\w+)'\)", str(error))
        assert found, error
        return found[1], "a shape that TensorFlow refuses"
    for name, value in answer.items():
        if value.dtype.is_floating:
            assert np.isfinite(value.numpy()).all(), name
    return None, "answered"


def _bomb() -> bytes:
    """Returns a PNG file of some bytes whose header promises 60,000 x 60,000 pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"\0" * 100)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
