"""The machine's float32 matrix product, which rates are compared with.

python -m benchmarks.peers.contenders matrix_product
"""

from collections.abc import Sequence

import tensorflow as tf

from benchmarks.peers import contender
from benchmarks.speed import rates


def entry(words: Sequence[str]) -> contender.Entry:
    """Returns the entry; it takes no words, and has nothing to compare."""
    del words
    return contender.Entry(tf.__version__, None, rates.matrix_product("float32").run)
