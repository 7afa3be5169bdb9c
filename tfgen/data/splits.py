"""Which images of a data set are taken, trained on and held out: never a matter of a run's seed."""

import dataclasses
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from tfgen.data.contents import ALL, TEST, TRAIN, VALIDATION, Contents
from tfgen.errors import UserError

if TYPE_CHECKING:
    from tfgen.data.examples import Examples

Item = TypeVar("Item")
Read = Callable[[str, int | None], "Examples"]
"""Returns the pictures of a split: all, or at most so many, drawn by `reservoir`."""

OWN = "its own test split"
FROM_VALIDATION = "its validation split, since it has no test split"
CHOSEN = "drawn from its validation split"
RANDOM = "held out at random"
ASIDE = "set aside of the training pictures"
RIGHT = "the right part of the picture"
END = "the end of each film"
SAME = "test is train"
"""Where the test images come from, in words; `SAME`: nothing is held out."""

UNLABELLED = "; its test split has no labels"


class Parts(NamedTuple):
    """The images to train on and those held out."""

    train: "Examples"
    test: "Examples"
    held_out: str
    """Where the test images come from, in words."""
    used: tuple[str, ...]
    """The source's splits that they are taken from."""


def divide(found: Contents, read: Read, *, most: int | None, fraction: float) -> Parts:
    """Returns the images to train on and those held out, by the source's own splits if it has any.

    Args:
        found: what the source holds.
        read: reads the pictures of a split.
        most: take at most so many training pictures, at random, and hold images out of these.
        fraction: share held out where the source has no test split, in [0, 1).

    Raises:
        UserError: if no image is left to train on.
    """
    whole = TRAIN if TRAIN in found.splits else ALL
    train = read(whole, most)
    note = ""
    if most is None and TEST in found.splits:
        test = read(TEST, None)
        if test.label is not None or train.label is None:
            return Parts(train, test, OWN, (whole, TEST))
        note = UNLABELLED
    if most is None and VALIDATION in found.splits:
        test = read(VALIDATION, None)
        words = FROM_VALIDATION.partition(",")[0] if note else FROM_VALIDATION
        return Parts(train, test, words + note, (whole, VALIDATION))
    parts = _hold_out(train, fraction, found.texture)
    return parts._replace(held_out=parts.held_out + note, used=(whole,))


def _hold_out(examples: "Examples", fraction: float, texture: bool) -> Parts:
    """Holds images out at random, or the right part of a texture."""
    if not fraction:
        return Parts(examples, examples, f"{SAME}, since test_fraction is 0", ())
    if len(examples) > 1:
        train, test = map(examples.select, held_out(len(examples), fraction))
        return Parts(train, test, RANDOM, ())
    if not texture:
        return Parts(examples, examples, f"{SAME}, since there is one picture alone", ())
    image = examples.image
    column = middle(image.shape[-2], fraction)
    train, test = (
        dataclasses.replace(examples, image=part)
        for part in (image[..., :column, :], image[..., column:, :])
    )
    return Parts(train, test, RIGHT, ())


def set_aside(parts: Parts, found: Contents, read: Read, count: int) -> Parts:
    """Returns parts whose test images are others, so that choices are made without these.

    Args:
        parts: of a data set.
        found: what its source holds; images are drawn from its validation split if it has one,
            else from the training images.
        read: reads the pictures of a split.
        count: number of images that take the test images' place.

    Raises:
        UserError: if there are not so many.
    """
    if VALIDATION in found.splits:
        own = parts.test if VALIDATION in parts.used else read(VALIDATION, None)
        if count > len(own):
            raise UserError(
                f"validation: expected at most the {len(own)} images of the validation split and "
                f"found {count}"
            )
        chosen = np.sort(np.random.default_rng(7).permutation(len(own))[:count])
        return Parts(parts.train, own.select(chosen), CHOSEN, (parts.used[0], VALIDATION))
    train = parts.train
    if count >= len(train):
        raise UserError(
            f"validation: expected fewer than the {len(train)} training images and found {count}"
        )
    stay, aside = map(train.select, _aside(len(train), count))
    # of what is measured no pixel is hidden
    return Parts(stay, dataclasses.replace(aside, mask=None), ASIDE, parts.used[:1])


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
        count: number of images, at least 2.
        fraction: share held out, in (0, 1); at least one image is.

    Raises:
        UserError: if no image is left to train on.
    """
    # a fixed seed: what is held out must not change from run to run
    order = np.random.default_rng(0).permutation(count)
    num_test = _share(count, fraction, "images")
    return np.sort(order[num_test:]), np.sort(order[:num_test])


def middle(width: int, fraction: float) -> int:
    """Returns the column at which the held-out right part of a texture begins.

    Args:
        width: columns of the texture.
        fraction: share held out, in (0, 1); at least one column is.

    Raises:
        UserError: if no column is left to train on.
    """
    return width - _share(width, fraction, "columns")


def _share(count: int, fraction: float, what: str) -> int:
    """Returns how many of some things are held out."""
    found = max(1, round(count * fraction))
    if found >= count:
        raise UserError(
            f"test_fraction: expected a share that leaves some of {count} {what} to train on and "
            f"found {fraction:g}, which holds out {found}"
        )
    return found


def _aside(count: int, num_aside: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the numbers of the images that stay, in rising order, and of those set aside."""
    # another seed than `held_out` has, so that the two draws are independent
    order = np.random.default_rng(7).permutation(count)
    return np.sort(order[num_aside:]), order[:num_aside]
