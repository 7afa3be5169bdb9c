"""Endpoints in bytes of PNG files: pictures in and out, for those who hold files and not arrays.

Names that end in `_bytes` are those that the REST API sends and takes as {"b64": ...}.
"""

from collections.abc import Mapping

import tensorflow as tf

from tfgen.types import Endpoint

NAMES = ("complete", "reconstruct", "energy", "generate")
"""Endpoints that have a twin in bytes, NAME_png."""

SIGNATURE = b"\x89PNG\r\n\x1a\n"
END = b"IEND\xaeB`\x82"


def endpoints(rows: Mapping[str, Endpoint], channels: int) -> dict[str, Endpoint]:
    """The twins.

    Args:
        rows: endpoints whose inputs have the same leading dimension.
        channels: of the model's images; none has a twin unless these are grey or coloured.

    Returns:
        By name. `image` and `mask` are `image_bytes` and `mask_bytes` in them, [b]; white pixels of a mask are known.
    """
    return {
        f"{name}_png": _twin(rows[name]) for name in NAMES if name in rows and channels in (1, 3)
    }


def _twin(endpoint: Endpoint) -> Endpoint:
    signature = [_bytes(spec) if _pictured(spec) else spec for spec in endpoint.signature]

    def answer(*given):
        values = [
            _decoded(v, s) if _pictured(s) else v
            for s, v in zip(endpoint.signature, given, strict=True)
        ]
        found = endpoint.fn(*values)
        return {
            f"{n}_bytes" if n == "image" else n: _encoded(v) if n == "image" else v
            for n, v in found.items()
        }

    return Endpoint(answer, signature)


def _pictured(spec: tf.TensorSpec) -> bool:
    return spec.name in ("image", "mask")


def _bytes(spec: tf.TensorSpec) -> tf.TensorSpec:
    return tf.TensorSpec((None,), tf.string, f"{spec.name}_bytes")


def _decoded(files: tf.Tensor, spec: tf.TensorSpec) -> tf.Tensor:
    """Pictures in [-1, 1], or masks of 0 and 1, of files, [b]."""
    shape = spec.shape[1:]
    with tf.control_dependencies(_tests(files, spec)):
        files = tf.identity(files)

    def decode(file):
        return tf.ensure_shape(tf.io.decode_png(file, shape[-1], name=f"{spec.name}_bytes"), shape)

    levels = tf.map_fn(decode, files, fn_output_signature=tf.TensorSpec(shape, tf.uint8))
    if spec.name == "mask":
        return tf.cast(levels >= 128, tf.float32)
    return tf.cast(levels, tf.float32) / 127.5 - 1


def _encoded(image: tf.Tensor) -> tf.Tensor:
    """Files of pictures, [b]."""
    levels = tf.cast(tf.round((tf.clip_by_value(image, -1.0, 1.0) + 1) * 127.5), tf.uint8)
    return tf.map_fn(tf.io.encode_png, levels, fn_output_signature=tf.string)


def _tests(files: tf.Tensor, spec: tf.TensorSpec) -> list[tf.Operation]:
    """That files are PNG, whole, and of the right size; the decoder's own errors do not name the input."""
    height, width = spec.shape[1:3]
    sides = tf.cast(tf.reshape(_bytes_at(files, 16, 8), [-1, 2, 4]), tf.int64)
    found = tf.reduce_sum(
        sides * [2**24, 2**16, 2**8, 1], axis=-1
    )  # width and height, the highest byte first
    last = tf.strings.substr(tf.strings.join(["\0" * len(END), files]), -len(END), len(END))
    tests = {
        "PNG files": _bytes_at(files, 0, len(SIGNATURE)) == list(SIGNATURE),
        "whole files": last == END,
        f"pictures of {height}x{width} pixels": found == [width, height],
    }
    return [
        tf.debugging.Assert(
            tf.reduce_all(passed), [f"{spec.name}_bytes: expected {words} and found", "others"]
        )
        for words, passed in tests.items()
    ]


def _bytes_at(files: tf.Tensor, start: int, length: int) -> tf.Tensor:
    """Some bytes of each file, zeros beyond its end: uint8 [b, length]."""
    padded = tf.strings.join([files, "\0" * (start + length)])
    return tf.io.decode_raw(tf.strings.substr(padded, start, length), tf.uint8)
