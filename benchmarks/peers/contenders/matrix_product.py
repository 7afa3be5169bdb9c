"""The machine's float32 matrix product rate.

python -m benchmarks.peers.contenders matrix_product
"""

from collections.abc import Sequence

import tensorflow as tf

from benchmarks.peers import contender
from benchmarks.speed import rates


def entry(words: Sequence[str]) -> contender.Entry:
    """It takes no words, and has nothing to compare."""
    del words
    return contender.Entry(tf.__version__, None, rates.matrix_product("float32")[0])
