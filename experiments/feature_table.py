"""The table of features: its arithmetic and its page."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import jinja2
import numpy as np

from experiments import pages
from tfgen.version import __version__

INNG, DCGAN = "INNg", "DCGAN"
PIXELS, UNTRAINED, SUPERVISED = "pixels", "an untrained net", "a supervised classifier"
MODELS = (INNG, DCGAN, PIXELS, UNTRAINED, SUPERVISED)
"""The rows, in their order."""

PART = """\
## Features

Test error of linear SVMs on features, in percent: the mean over draws of labels and over seeds.
`over seeds` is the standard error of that mean over seeds, and `over images` over test images.
Where the seeds hold out other images, `over images` is that of a single seed, which is too large
rather than too small. All models of a seed are measured on the same draws and test images, so the
last row is a paired difference. DCGAN makes as many updates as INNg. `an untrained net` is the
discriminator of both as it is drawn, with running statistics of 200 batches. `a supervised
classifier` is another net, which saw all training labels. Written by `{{ command }}` with tfgen
{{ version }}.
{% for section in sections %}
{{ section }}
{% endfor -%}
"""


class Measured(NamedTuple):
    """What the SVMs on one model's features did, of one seed.

    Attributes:
        misled: share of the draws whose SVM each test image misleads, [n].
        updates: of the model.
        draws: number of SVMs.
        images: checksum of the test images.
    """

    misled: np.ndarray
    updates: int
    draws: int
    images: int


class Value(NamedTuple):
    """A mean over seeds and its standard errors.

    Attributes:
        mean: of shares.
        over_seeds: standard error over seeds; None of a single one.
        over_images: standard error over test images.
    """

    mean: float
    over_seeds: float | None
    over_images: float


def value(found: Sequence[Measured]) -> Value:
    """Computes the mean of what was measured, one for each seed, and its standard errors."""
    means = [float(one.misled.mean()) for one in found]
    over_seeds = None
    if len(means) > 1:
        over_seeds = float(np.std(means, ddof=1)) / math.sqrt(len(means))
    if len({one.images for one in found}) == 1:
        over_images = _standard_error(np.mean([one.misled for one in found], axis=0))
    else:  # the same images may be in several: as if all were
        squares = [_standard_error(one.misled) ** 2 for one in found]
        over_images = math.sqrt(float(np.mean(squares)))
    return Value(float(np.mean(means)), over_seeds, over_images)


def difference(first: Sequence[Measured], second: Sequence[Measured]) -> Value:
    """Computes the paired difference of two models that were measured with the same seeds."""
    pairs = zip(first, second, strict=True)
    return value([one._replace(misled=one.misled - other.misled) for one, other in pairs])


def section(title: str, found: Mapping[str, Sequence[Measured]]) -> str:
    """Returns the table of one data set, in Markdown.

    Args:
        title: of the data set.
        found: by model, what was measured with each seed; none where nothing was.
    """
    measured = {model: of_model for model, of_model in found.items() if of_model}
    rows = [[model, *_cells(value(many)), _about(many)] for model, many in measured.items()]
    pair = found.get(INNG, ()), found.get(DCGAN, ())
    if pair[0] and len(pair[0]) == len(pair[1]):
        rows.append([f"{INNG} − {DCGAN}", *_cells(difference(*pair)), ""])
    columns = ["features", "error, %", "over seeds", "over images", "updates by seed"]
    (draws,) = {one.draws for of_model in found.values() for one in of_model}
    sizes = {len(one.misled) for of_model in found.values() for one in of_model}
    note = f"{draws} draws; {', '.join(map(str, sorted(sizes)))} test images."
    return f"### {title}: features\n\n{pages.table(columns, rows)}\n\n{note}"


def render(sections: Sequence[str], command: str) -> str:
    """Returns the part of the page, in Markdown.

    Args:
        sections: a table of each data set.
        command: that writes the part.
    """
    template = jinja2.Template(PART)
    return template.render(sections=sections, command=command, version=__version__)


def _standard_error(shares: np.ndarray) -> float:
    return float(np.std(shares)) / math.sqrt(len(shares))


def _cells(shown: Value) -> list[str]:
    seeds = "" if shown.over_seeds is None else f"{100 * shown.over_seeds:.2f}"
    return [f"{100 * shown.mean:.2f}", seeds, f"{100 * shown.over_images:.2f}"]


def _about(found: Sequence[Measured]) -> str:
    return ", ".join(f"{one.updates:,}" for one in found)
