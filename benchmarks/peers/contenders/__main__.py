"""Serves what a module of this package enters.

python -m benchmarks.peers.contenders MODULE [WORKLOAD.npz] [--OPTION]
"""

import importlib
import sys

from benchmarks.peers import contender


def main() -> None:
    """Until stdin ends."""
    said = contender.answers()  # before the library is imported, which may print
    module, *words = sys.argv[1:]
    contender.serve(
        importlib.import_module(f"benchmarks.peers.contenders.{module}").entry(words), said
    )


if __name__ == "__main__":
    main()
