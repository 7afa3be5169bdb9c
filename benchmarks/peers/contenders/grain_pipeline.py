"""Batches of images by Grain's `MapDataset`, an example at a time, as its users write it.

python -m benchmarks.peers.contenders grain_pipeline WORKLOAD.npz [--threads=16]
"""

import argparse
from collections.abc import Sequence
from typing import Any

import grain
import numpy as np

from benchmarks.peers import contender, workload


class Pictures:
    """A source of pictures, uint8 [h, w, c], with their numbers.

    Args:
        pictures: uint8 [n, h, w, c].
    """

    def __init__(self, pictures: np.ndarray):
        self.pictures = pictures

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, number) -> dict[str, Any]:
        return {"image": self.pictures[number], "number": number}


class Prepared(grain.transforms.RandomMap):
    """Pictures in [-1, 1], or patches cut anew each time.

    Args:
        patch_size: side of the patches; None leaves pictures whole.
    """

    def __init__(self, patch_size: int | None):
        self.patch_size = patch_size

    def random_map(self, element: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
        """Returns one example."""
        picture, size = element["image"], self.patch_size
        if size is not None:
            top, left = (rng.integers(side - size + 1) for side in picture.shape[:2])
            picture = picture[top : top + size, left : left + size]
        return element | {"image": picture.astype(np.float32) / 127.5 - 1}


def entry(words: Sequence[str]) -> contender.Entry:
    """Returns the entry, given a workload's file and options."""
    parser = argparse.ArgumentParser()
    parser.add_argument("workload")
    parser.add_argument("--threads", type=int, default=16)
    options = parser.parse_args(words)
    work = workload.read(options.workload)
    given = work.constants
    source = grain.MapDataset.source(Pictures(work.arrays["image"])).seed(0)
    # as many batches wait as threads read: by default 500 do, more than a timed run takes, which
    # would be read while the others run
    reading = grain.ReadOptions(options.threads, prefetch_buffer_size=options.threads)

    def stream(dataset: grain.MapDataset):
        examples = dataset.random_map(Prepared(given["patch_size"]))
        batches = examples.batch(given["batch_size"], drop_remainder=True)
        return iter(batches.to_iter_dataset(reading))

    timed = stream(source.shuffle().repeat())

    def answer():
        found = list(stream(source.shuffle()))
        images = np.concatenate([batch["image"] for batch in found])
        order = np.argsort(np.concatenate([batch["number"] for batch in found]))
        return {"image": images[order]}

    def run():
        return [next(timed) for _ in range(given["batches"])]

    return contender.Entry(grain.__version__, answer, run)
