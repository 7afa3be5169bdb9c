"""Which images of a data set are taken, trained on and held out: never a matter of a run's seed."""

from collections.abc import Iterable
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")


def reservoir(items: Iterable[Item], most: int) -> list[Item]:
    """Draws items without replacement from a stream of unknown length.

    Args:
        items: a stream.
        most: how many to draw, at least 1; a shorter stream is taken whole, in its order.

    Source: Vitter, Random sampling with a reservoir, 1985, Algorithm R.
    """
    rng = np.random.default_rng(0)
    kept: list[Item] = []
    for number, item in enumerate(items):
        if number < most:
            kept.append(item)
        # item number n stays with probability most / (n + 1), as all before it
        elif (place := rng.integers(number + 1)) < most:
            kept[place] = item
    return kept


def held_out(count: int, fraction: float) -> tuple[np.ndarray, np.ndarray]:
    """Returns the numbers of the images to train on and of those held out, each in rising order.

    Args:
        count: number of images.
        fraction: share held out, in [0, 1).
    """
    # a fixed seed: what is held out must not change from run to run
    order = np.random.default_rng(0).permutation(count)
    num_test = round(count * fraction)
    return np.sort(order[num_test:]), np.sort(order[:num_test])


def set_aside(count: int, num_aside: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the numbers of the images that stay, in rising order, and of those set aside.

    Args:
        count: number of images.
        num_aside: number of those set aside, below `count`.
    """
    # another seed than `held_out` has, so that the two draws are independent
    order = np.random.default_rng(7).permutation(count)
    return np.sort(order[num_aside:]), order[:num_aside]
