"""Batches of images by tfgen's data pipeline.

python -m benchmarks.peers.contenders tfgen_pipeline WORKLOAD.npz
"""

from collections.abc import Sequence

import numpy as np

from benchmarks.peers import contender, workload
from tfgen import random
from tfgen.data.examples import Examples
from tfgen.version import __version__


def entry(words: Sequence[str]) -> contender.Entry:
    """Returns the entry, given a workload's file."""
    work = workload.read(words[0])
    pictures, given = work.arrays["image"], work.constants
    size = given["batch_size"]
    examples = Examples(pictures, np.arange(len(pictures)), given["patch_size"])

    def batches(count: int, stream):
        return [next(stream) for _ in range(count)]

    def answer():
        # a stream of its own, so that the timed one starts where it would
        stream = iter(examples.batches(size, random.root(1)))
        found = batches(len(pictures) // size, stream)
        images = np.concatenate([batch["image"] for batch in found])
        order = np.argsort(np.concatenate([batch["label"] for batch in found]))
        return {"image": images[order]}

    stream = iter(examples.batches(size, random.root(0)))
    return contender.Entry(__version__, answer, lambda: batches(given["batches"], stream))
