"""What exported models cost here, and how far the answers of LiteRT files are from the library's."""

import os
import pathlib
import platform
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from export.litert import convert
from export.saved_model import examples
from tfgen.types import Endpoint

BATCHES = (1, 16)
"""Rows of the requests that are timed."""


def machine() -> dict[str, str | int]:
    """What latencies were measured on."""
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
    """The median time of a call, the first not counted.

    Args:
        call: what to time.
        budget: seconds after which it is not called again.
        least: calls at least.
    """
    call()
    times, start = [], time.perf_counter()
    while len(times) < least or time.perf_counter() - start < budget:
        before = time.perf_counter()
        call()
        times.append(time.perf_counter() - before)
    return 1000 * float(np.median(times))


def served(
    version: pathlib.Path, published: Mapping[str, Endpoint], image_shape: Sequence[int]
) -> dict[str, dict]:
    """Latencies of a SavedModel's endpoints, loaded again: by name, by rows of the request, one sampling step each.

    Args:
        version: its directory.
        published: its endpoints.
        image_shape: height, width, channels.
    """
    signatures = tf.saved_model.load(str(version)).signatures
    found = {}
    for name, endpoint in published.items():
        found[name] = {}
        for count in BATCHES:
            given = {
                n: tf.constant(v) for n, v in examples.rows(endpoint, image_shape, count).items()
            }
            found[name][str(count)] = milliseconds(
                lambda ask=signatures[name], given=given: ask(**given)
            )
    return found


def lite(
    path: pathlib.Path, given: Mapping[str, np.ndarray], expected: Mapping[str, tf.Tensor]
) -> dict[str, object]:
    """A LiteRT file's size, latency, and the largest difference of each output from the library's answer.

    Args:
        path: the file.
        given: its inputs.
        expected: the library's answer to them.
    """
    runner = tf.lite.Interpreter(str(path)).get_signature_runner()
    found = runner(**given)
    return {
        "bytes": path.stat().st_size,
        "milliseconds": milliseconds(lambda: runner(**given)),
        "error": {
            name: float(np.abs(found[name] - value).max()) for name, value in expected.items()
        },
        "range": {name: float(np.abs(value).max()) for name, value in expected.items()},
    }


def variants(
    directory: pathlib.Path,
    name: str,
    given: Mapping[str, np.ndarray],
    expected: Mapping[str, tf.Tensor],
) -> dict[str, dict[str, object]]:
    """All variants of an endpoint's file that a directory holds; see `lite`."""
    paths = {variant: directory / convert.file_name(name, variant) for variant in convert.VARIANTS}
    found = {variant: path for variant, path in paths.items() if path.exists()}
    return {
        variant: {"file": path.name} | lite(path, given, expected)
        for variant, path in found.items()
    }
