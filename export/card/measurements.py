"""Latencies and sizes of exported models, and how far LiteRT differs from the library."""

import functools
import os
import pathlib
import platform
import time
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from export.litert import convert
from export.litert.runner import runner
from export.saved_model import examples
from tfgen.models import Endpoint

BATCHES = (1, 16)
"""Rows of the requests that are timed."""


def machine() -> dict[str, str | int]:
    """Returns what latencies were measured on."""
    info = pathlib.Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.machine()}",
        "tensorflow": tf.__version__,
    }


def milliseconds(call: Callable[[], object], budget: float = 0.1, least: int = 3) -> float:
    """Returns the median time of a call, the first not counted.

    Args:
        call: what to time.
        budget: seconds after which it is not called again.
        least: calls at least.
    """
    call()
    times: list[float] = []
    start = time.perf_counter()
    while len(times) < least or time.perf_counter() - start < budget:
        before = time.perf_counter()
        call()
        times.append(time.perf_counter() - before)
    return 1000 * float(np.median(times))


def served(
    version: pathlib.Path, published: Mapping[str, Endpoint], most_rows: int = max(BATCHES)
) -> dict[str, dict[str, float]]:
    """Returns latencies of a SavedModel's endpoints, loaded again.

    Args:
        version: its directory.
        published: its endpoints, by row.
        most_rows: of a request.

    Returns:
        By name, by rows of the request, in milliseconds; one sampling step each.
    """
    signatures = tf.saved_model.load(str(version)).signatures
    return {
        name: _latencies(signatures[name], found, most_rows) for name, found in published.items()
    }


def _latencies(
    signature: Callable[..., object], endpoint: Endpoint, most_rows: int
) -> dict[str, float]:
    found = {}
    for count in (batch for batch in BATCHES if batch <= most_rows):
        rows = examples.rows(endpoint, count)
        given = {name: tf.constant(value) for name, value in rows.items()}
        found[str(count)] = milliseconds(functools.partial(signature, **given))
    return found


def lite(
    path: pathlib.Path, given: Mapping[str, np.ndarray], expected: Mapping[str, tf.Tensor]
) -> dict[str, object]:
    """Returns a LiteRT file's size, latency, and distance from the library's answer.

    Args:
        path: the file.
        given: its inputs.
        expected: the library's answer to them.

    Returns:
        `bytes`, `milliseconds`, and by output the largest difference, `error`, and the largest
        number, `range`.
    """
    model = runner(path.read_bytes())
    found = model(**given)
    error = {name: float(np.abs(found[name] - value).max()) for name, value in expected.items()}
    return {
        "bytes": path.stat().st_size,
        "milliseconds": milliseconds(lambda: model(**given)),
        "error": error,
        "range": {name: float(np.abs(value).max()) for name, value in expected.items()},
    }


def variants(
    directory: pathlib.Path,
    name: str,
    given: Mapping[str, np.ndarray],
    expected: Mapping[str, tf.Tensor],
) -> dict[str, dict[str, object]]:
    """Returns what `lite` does of all variants of an endpoint's file that a directory holds."""
    paths = {variant: directory / convert.file_name(name, variant) for variant in convert.VARIANTS}
    return {
        variant: {"file": path.name, **lite(path, given, expected)}
        for variant, path in paths.items()
        if path.exists()
    }
