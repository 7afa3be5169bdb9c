"""The forms of endpoints that take and return PNG files instead of arrays.

Names that end in `_bytes` are those that the REST API sends and takes as {"b64": ...}.
"""

import io
from collections.abc import Mapping

import imageio.v3 as iio
import numpy as np
import tensorflow as tf

from export.saved_model.rows import RowEndpoint
from tfgen.data import preprocess
from tfgen.models import Model
from tfgen.models.inputs import Input

SIGNATURE = b"\x89PNG\r\n\x1a\n"
END = b"IEND\xaeB`\x82"
ENCODINGS = ("image", "mask")
"""What a PNG file can hold, of the kinds of `Input`."""

CHANNELS = (1, 3)
"""Numbers of channels that PNG files have here: grey, or red, green and blue."""

Pictures = Mapping[str, Input]
"""The inputs that are pictures, by name. An output with such a name is a picture too."""


def pictures(model: Model) -> dict[str, Input]:
    """Returns a model's inputs that a PNG file can hold."""
    return {
        name: known
        for name, known in model.inputs().items()
        if known.encoding in ENCODINGS and known.shape[-1] in CHANNELS
    }


def name_of(endpoint: str) -> str:
    """Returns the name of an endpoint's form for files."""
    return f"{endpoint}_png"


def bytes_of(name: str) -> str:
    """Returns the name of the files in the place of an input or output."""
    return f"{name}_bytes"


def has_form(endpoint: RowEndpoint, pictures: Pictures) -> bool:
    """Tells whether an endpoint has a form for files.

    It has one if some input or output is a picture, and its inputs are only pictures of a known
    size and whole numbers. Then people can write a request by hand.

    Args:
        endpoint: by row.
        pictures: of its model.
    """

    def simple(known: Input) -> bool:
        if known.name in pictures:
            return None not in known.shape
        return known.dtype.is_integer

    some = {*endpoint.input_names, *endpoint.outputs} & pictures.keys()
    return bool(some) and all(simple(known) for known in endpoint.inputs)


def form(endpoint: RowEndpoint, pictures: Pictures) -> RowEndpoint:
    """Returns the form of an endpoint for files.

    Args:
        endpoint: by row.
        pictures: of its model. `image` becomes `image_bytes`, [b]; white pixels of a mask are
            known.
    """

    def answer(**given):
        arrays = {}
        for known in endpoint.inputs:
            if known.name in pictures:
                arrays[known.name] = _decoded(given[bytes_of(known.name)], known)
            else:
                arrays[known.name] = given[known.name]
        # the endpoint's own graph, which is not traced a second time
        found = endpoint.graph(*arrays.values())
        drawn = {bytes_of(name): _encoded(found[name]) for name in found if name in pictures}
        return drawn | {name: found[name] for name in found if name not in pictures}

    names = (bytes_of(name) if name in pictures else name for name in endpoint.outputs)
    inputs = (_files(known) if known.name in pictures else known for known in endpoint.inputs)
    name = name_of(endpoint.name)
    return RowEndpoint(name, answer, tuple(inputs), tuple(names), endpoint.meaning)


def _files(known: Input) -> Input:
    """Returns the input of files in the place of an input of pictures."""
    unit = np.asarray(known.example, np.float32)
    if known.encoding == "mask":
        unit = 2 * unit - 1
    levels = preprocess.to_uint8(unit)
    file = io.BytesIO()
    iio.imwrite(file, levels.squeeze(-1) if levels.shape[-1] == 1 else levels, extension=".png")
    meaning = f"PNG files: {known.meaning}"
    if known.encoding == "mask":
        meaning = "PNG files, white where a pixel is known, black where it is missing"
    return Input(bytes_of(known.name), (), tf.string, meaning, example=file.getvalue())


def _decoded(files: tf.Tensor, known: Input) -> tf.Tensor:
    """Decodes files, [b], to pictures in [-1, 1] or masks of 0 and 1."""
    with tf.control_dependencies(_tests(files, known)):
        files = tf.identity(files)
    name = bytes_of(known.name)

    def decode(file):
        levels = tf.io.decode_png(file, known.shape[-1], name=name)
        return tf.ensure_shape(levels, known.shape)

    spec = tf.TensorSpec(known.shape, tf.uint8)
    levels = tf.map_fn(decode, files, fn_output_signature=spec)
    if known.encoding == "mask":
        return tf.cast(levels >= 128, tf.float32)
    return tf.cast(levels, tf.float32) / 127.5 - 1


def _encoded(image: tf.Tensor) -> tf.Tensor:
    """Encodes pictures as files, [b]."""
    levels = tf.cast(tf.round((tf.clip_by_value(image, -1.0, 1.0) + 1) * 127.5), tf.uint8)
    return tf.map_fn(tf.io.encode_png, levels, fn_output_signature=tf.string)


def _tests(files: tf.Tensor, known: Input) -> list[tf.Operation]:
    """Returns tests that files are PNG, whole, and of the right size.

    The decoder's own errors do not name the input.
    """
    height, width, _ = known.shape
    sides = tf.cast(tf.reshape(_bytes_at(files, 16, 8), [-1, 2, 4]), tf.int64)
    # the header holds width and height, the highest byte first
    found = tf.reduce_sum(sides * [2**24, 2**16, 2**8, 1], axis=-1)
    # a file that was cut off lacks the end mark; zeros make files long enough to look for it
    last = tf.strings.substr(tf.strings.join(["\0" * len(END), files]), -len(END), len(END))
    tests = {
        "PNG files": _bytes_at(files, 0, len(SIGNATURE)) == list(SIGNATURE),
        "whole files": last == END,
        f"pictures of {height}x{width} pixels": found == [width, height],
    }
    return [_test(passed, bytes_of(known.name), words) for words, passed in tests.items()]


def _test(passed: tf.Tensor, name: str, words: str) -> tf.Operation:
    said = [f"{name}: expected {words} and found", "others"]
    return tf.debugging.Assert(tf.reduce_all(passed), said)


def _bytes_at(files: tf.Tensor, start: int, length: int) -> tf.Tensor:
    """Returns some bytes of each file, uint8 [b, length]: zeros beyond its end."""
    padded = tf.strings.join([files, "\0" * (start + length)])
    return tf.io.decode_raw(tf.strings.substr(padded, start, length), tf.uint8)
