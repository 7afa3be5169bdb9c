"""Serves what a module of this package enters.

python -m benchmarks.peers.contenders MODULE [WORKLOAD.npz] [--OPTION]
"""

import importlib
import sys

from benchmarks.peers import contender


def main() -> None:
    """Serves until stdin ends."""
    stream = contender.answers()  # before the library is imported, which may print
    name, *words = sys.argv[1:]
    module = importlib.import_module(f"benchmarks.peers.contenders.{name}")
    contender.serve(module.entry(words), stream)


if __name__ == "__main__":
    main()
