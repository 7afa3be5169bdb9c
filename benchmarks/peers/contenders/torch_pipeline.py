"""Batches of images by PyTorch's DataLoader, an example at a time, as its users write it.

python -m benchmarks.peers.contenders torch_pipeline WORKLOAD.npz [--workers=0]
"""

import argparse
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from benchmarks.peers import contender, workload


class Pictures(Dataset):
    """Pictures [c, h, w] in [-1, 1], or patches cut anew each time, with their numbers.

    Args:
        pictures: uint8 [n, h, w, c].
        patch_size: side of the patches; None leaves pictures whole.
    """

    def __init__(self, pictures: np.ndarray, patch_size: int | None):
        self.pictures = torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous()
        self.patch_size = patch_size

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, number):
        picture, size = self.pictures[number], self.patch_size
        if size is not None:
            top, left = (int(torch.randint(side - size + 1, ())) for side in picture.shape[1:])
            picture = picture[:, top : top + size, left : left + size]
        return picture.float() / 127.5 - 1, number


def endless(loader: DataLoader) -> Iterator:
    """Yields its batches, epoch after epoch."""
    while True:
        yield from loader


def entry(words: Sequence[str]) -> contender.Entry:
    """Returns the entry, given a workload's file and options."""
    parser = argparse.ArgumentParser()
    parser.add_argument("workload")
    parser.add_argument("--workers", type=int, default=0)
    options = parser.parse_args(words)
    work = workload.read(options.workload)
    given = work.constants
    loader = DataLoader(
        Pictures(work.arrays["image"], given["patch_size"]),
        given["batch_size"],
        shuffle=True,
        drop_last=True,
        num_workers=options.workers,
        persistent_workers=options.workers > 0,
    )
    # workers stay alive between runs
    batches = endless(loader)

    def answer():
        images, numbers = map(torch.cat, zip(*loader, strict=True))
        return {"image": images[numbers.argsort()].permute(0, 2, 3, 1).numpy()}

    def run():
        return [next(batches) for _ in range(given["batches"])]

    return contender.Entry(torch.__version__, answer, run)
