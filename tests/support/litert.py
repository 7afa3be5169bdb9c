"""What is asked of every LiteRT file."""

import pathlib

import tensorflow as tf


def built_in(path: pathlib.Path) -> bool:
    """Returns whether a file has operators, and built-in ones alone."""
    # without the Flex delegate: an interpreter that has none allocates the tensors
    interpreter = tf.lite.Interpreter(
        str(path),
        experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    names = {op["op_name"] for op in interpreter._get_ops_details()}
    others = [name for name in names if "Flex" in name or "CUSTOM" in name.upper()]
    return bool(names) and not others and b"Flex" not in path.read_bytes()
