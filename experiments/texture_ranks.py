"""Asks which distance between textures orders spoilt pictures as people do.

    python -m experiments.texture_ranks [--textures=brick,grass,pebbles] [--output=docs/results.md]

One half of each texture is the reference. The other half is spoilt in several ways, mildly and
strongly. People would not dispute the order of the pairs that are asked for: the untouched half is
better than a mildly spoilt one, that is better than the same spoilt strongly, and better than noise
of the same spectrum, small pieces in a random order, or white noise.
"""

import pathlib
from collections.abc import Iterator
from typing import NamedTuple

import jinja2
import numpy as np
from absl import flags as absl_flags
from scipy import ndimage
from tqdm import tqdm

from experiments import command_flags, pages
from experiments.textures import CROPS
from experiments.textures import TEXTURES as ARCHIVED
from tfgen.analysis import pyramid_patches, texture_statistics
from tfgen.data import examples
from tfgen.version import __version__
from trainers.run import commands

EMBEDDED = {name: f"textures/{name}" for name in ("brick", "grass", "gravel")}
TEXTURES = ARCHIVED | EMBEDDED
PIECE = 8
"""Side of the pieces that are put in a random order, in pixels."""

DESTROYED = ("phase noise", "shuffled", "white noise")
"""Ways of spoiling that leave no element of the texture whole."""

PART = """\
## Texture distances and the eye

The right half of each texture was spoilt in eleven ways; the left half is the reference. The table
gives the share of {{ pairs }} pairs that a distance orders as people do: an untouched half before a
mildly spoilt one, and both before strong grain or blur, noise of the same spectrum, shuffled pieces
of {{ piece }} pixels, and white noise. The orders are stated, not polled. One seed, written by
`{{ command }}` with tfgen {{ version }}.

{{ table }}
"""

DISTANCES = {
    "sliced Wasserstein": lambda reference, image: float(
        np.mean(
            pyramid_patches.sliced_wasserstein(
                reference, image, levels=3, count=65536, projections=256, seed=0
            )
        )
    ),
    "texture statistics": lambda reference, image: texture_statistics.distances(
        reference, image, scales=3
    )["all"],
}


class Spoilt(NamedTuple):
    """A spoilt picture.

    Attributes:
        kind: what was done to it.
        rank: 0 untouched, 1 mildly, 2 strongly spoilt.
        image: [h, w, c].
    """

    kind: str
    rank: int
    image: np.ndarray


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = command_flags.place(values, "experiments.texture_ranks")
    absl_flags.DEFINE_string("output", "docs/results.md", "The page to write a part of.", **where)
    text = f"Some of {', '.join(TEXTURES)}."
    absl_flags.DEFINE_list("textures", list(EMBEDDED), text, **where)


def main(values: absl_flags.FlagValues) -> None:
    """Measures all pairs and writes the part `texture_ranks` of the page."""
    command_flags.require_known("textures", values.textures, TEXTURES)
    rows, pairs = [], 0
    for texture in tqdm(values.textures, unit="texture"):
        agreed = agreements(whole(texture)[:256, :256])
        pairs = len(next(iter(agreed.values())))
        rows.append([texture, *(f"{np.mean(agreed[name]):.2f}" for name in DISTANCES)])
    command = f"python -m experiments.texture_ranks --textures={','.join(values.textures)}"
    text = jinja2.Template(PART).render(
        pairs=pairs,
        piece=PIECE,
        command=command,
        version=__version__,
        table=pages.table(["texture", *DISTANCES], rows),
    )
    pages.put(pathlib.Path(values.output), "texture_ranks", text)
    print(values.output)


def whole(texture: str) -> np.ndarray:
    """Returns a texture's picture without its caption, float32 [h, w, c].

    Args:
        texture: a key of `TEXTURES`.
    """
    crop = None
    if texture in CROPS:
        left, top, right, bottom = map(int, CROPS[texture].split(","))
        crop = (left, top, right, bottom)
    return examples.load(TEXTURES[texture], crop=crop, test_fraction=0).train.as_float()[0]


def agreements(picture: np.ndarray) -> dict[str, list[bool]]:
    """Returns for each distance whether it orders each pair as people do.

    Args:
        picture: a texture [h, w, c].
    """
    half = picture.shape[1] // 2
    reference, kept = picture[None, :, :half], picture[:, half : 2 * half]
    pictures = list(spoilt(kept, np.random.default_rng(0)))
    agreed = {}
    for name, distance in DISTANCES.items():
        found = [distance(reference, one.image[None].astype(np.float32)) for one in pictures]
        agreed[name] = [found[better] < found[worse] for better, worse in ordered(pictures)]
    return agreed


def ordered(pictures: list[Spoilt]) -> list[tuple[int, int]]:
    """Returns pairs of indices, the better picture first.

    Args:
        pictures: where two are spoilt in different ways, a mild spoiling is better than those that
            destroy the texture, and nothing is said of the others.
    """
    pairs = []
    for better, one in enumerate(pictures):
        for worse, other in enumerate(pictures):
            comparable = one.rank == 0 or one.kind == other.kind or other.kind in DESTROYED
            if one.rank < other.rank and comparable:
                pairs.append((better, worse))
    return pairs


def spoilt(kept: np.ndarray, rng: np.random.Generator) -> Iterator[Spoilt]:
    """Yields a picture [h, w, c] untouched, and spoilt in all ways."""
    yield Spoilt("untouched", 0, kept)
    grain = rng.standard_normal(kept.shape)
    for rank, (deviation, blur, contrast) in enumerate([(0.03, 0.7, 0.85), (0.2, 3, 0.3)], 1):
        yield Spoilt("grain", rank, np.clip(kept + deviation * grain, -1, 1))
        yield Spoilt("blur", rank, ndimage.gaussian_filter(kept, (blur, blur, 0)))
        yield Spoilt("contrast", rank, contrast * kept + (1 - contrast) * kept.mean((0, 1)))
        yield Spoilt("lattice", rank, np.clip(kept + deviation * _lattice(kept.shape), -1, 1))
    yield Spoilt("phase noise", 2, np.clip(pyramid_patches.phase_randomised(kept, rng), -1, 1))
    yield Spoilt("shuffled", 2, _shuffled(kept, rng))
    noise = kept.mean((0, 1)) + kept.std((0, 1)) * rng.standard_normal(kept.shape)
    yield Spoilt("white noise", 2, np.clip(noise, -1, 1))


def _lattice(shape: tuple[int, ...]) -> np.ndarray:
    """Returns a pattern of period 3, as filters of stride 3 leave it; its deviation is 1."""
    pattern = np.zeros(shape)
    pattern[::3, ::3] = 1
    return (pattern - pattern.mean()) / pattern.std()


def _shuffled(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Puts square pieces of an image [h, w, c] in a random order."""
    rows, columns = (side // PIECE for side in image.shape[:2])
    cut = image[: rows * PIECE, : columns * PIECE]
    pieces = cut.reshape(rows, PIECE, columns, PIECE, -1).swapaxes(1, 2)
    mixed = rng.permutation(pieces.reshape(rows * columns, PIECE, PIECE, -1))
    mixed = mixed.reshape(rows, columns, PIECE, PIECE, -1).swapaxes(1, 2)
    return mixed.reshape(cut.shape)


if __name__ == "__main__":
    commands.run(main, define, __doc__)
