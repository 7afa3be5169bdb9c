"""The machine's float32 matrix product rate.

python -m benchmarks.peers.matrix_product
"""

import tensorflow as tf

from benchmarks import rates
from benchmarks.peers import contender


def main() -> None:
    """Serves it."""
    contender.serve(tf.__version__, None, rates.matrix_product("float32")[0])


if __name__ == "__main__":
    main()
