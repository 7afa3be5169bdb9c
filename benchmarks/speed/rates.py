"""Runs timed in turn, and their rates beside the machine's matrix product."""

import pathlib
import resource
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import tensorflow as tf
from tqdm import tqdm

from tfgen import files, random

Name = TypeVar("Name")

MATRIX = 2048
"""Side of the matrices of the matrix product."""
TIMES = 8
"""Products of one timed run."""
PRODUCT_OPERATIONS = 2.0 * MATRIX**3 * TIMES
"""Floating-point operations of one timed run."""
PRODUCT = "matrix product"
"""The name of the matrix product beside other runs."""


class Work(NamedTuple):
    """A run that can be timed.

    Attributes:
        run: returns when it is done.
        operations: floating-point operations of a run.
    """

    run: Callable[[], object]
    operations: float


class Timing(NamedTuple):
    """The times of a run that was timed in turn with a matrix product.

    Attributes:
        seconds: of each round.
        rate: GFLOP/s of the median round.
        share: of the matrix product's rate, the median of the ratios within a round.
    """

    seconds: list[float]
    rate: float
    share: float


def interleaved(
    runs: Mapping[Name, Callable[[], object]],
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[dict[Name, list[float]], float]:
    """Times runs in turn, A B C A B C ..., after a round to warm up.

    Args:
        runs: functions without arguments, by name.
        rounds: how often each is timed.
        clock: returns seconds since some fixed time.

    Returns:
        The seconds of each round, by name, and by how many MiB the peak memory of this process grew
        over the timed rounds.
    """
    # the first run of each also traces its graph
    for warm_up in runs.values():
        warm_up()
    before = peak_memory()
    seconds: dict[Name, list[float]] = {name: [] for name in runs}
    for _ in tqdm(range(rounds), unit="round", leave=False, dynamic_ncols=True):
        for name, timed in runs.items():
            start = clock()
            timed()
            seconds[name].append(clock() - start)
    return seconds, peak_memory() - before


def beside_product(
    cases: Mapping[str, Work], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, Timing]:
    """Times runs beside the machine's float32 matrix product.

    Args:
        cases: by name.
        rounds: how often each is timed.
        clock: returns seconds since some fixed time.
    """
    product = matrix_product("float32")
    runs = {PRODUCT: product.run} | {name: case.run for name, case in cases.items()}
    seconds, _ = interleaved(runs, rounds, clock)
    found = {}
    for name, case in cases.items():
        rate = case.operations / statistics.median(seconds[name]) / 1e9
        # of times in place of rates, since these are inversely proportional
        relative = median_ratio(seconds[PRODUCT], seconds[name])
        share = relative * case.operations / product.operations
        found[name] = Timing(seconds[name], rate, share)
    return found


def median_ratio(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """Returns the median of the ratios within a round, which a slow round for all leaves alone."""
    return statistics.median(a / b for a, b in zip(numerators, denominators, strict=True))


def matrix_product(dtype: str) -> Work:
    """Returns products of two matrices in a dtype, one after the other."""
    a, b = (tf.cast(random.normal((MATRIX, MATRIX), random.root(i)), dtype) for i in range(2))

    @tf.function(autograph=False)
    def multiply(a, b):
        def product(i, c):
            # the factor keeps the entries from growing with every product
            return i + 1, c @ b / 64

        return tf.while_loop(lambda i, c: i < TIMES, product, (0, a))[1]

    # reading the result waits until it is there
    return Work(lambda: multiply(a, b).numpy().sum(), PRODUCT_OPERATIONS)


def show(table: str, output: str | None) -> None:
    """Prints a table, and writes it to a file if one is given."""
    print(table)
    if output:
        with files.written_aside(pathlib.Path(output)) as aside:
            aside.write_text(table + "\n")


def peak_memory() -> float:
    """Returns the most memory that this process has held so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
