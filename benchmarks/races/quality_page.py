"""The page of races: seconds until a value is reached, values at milestones, a picture of both."""

import pathlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import jinja2
import numpy as np
from matplotlib.figure import Figure

from benchmarks.races.race import Race
from benchmarks.speed import machine
from benchmarks.speed.options import OURS
from experiments import pages
from tfgen import files

SAME, PAPER = "PyTorch", "PyTorch, the paper's constants"
"""Contenders beside tfgen: by the same recipe, and by the paper's or its released code's."""

PART = """\
## Time to quality: {{ race.title }}

Command: `{{ command }}`; {{ machine }}. tfgen trains by
`{{ race.flagfile }}.flags`. PyTorch trains with the same nets, start, data and batches, and also
with the constants of the paper where they differ. The goal: {{ race.measure }}, at most
{{ "%g" | format(race.goal) }}, which is 1.1 times the value that the docs report for it. It is
reached at the first milestone where the mean over seeds ({{ seeds }}) and over the last milestones
({{ race.window }}) is so low. Seconds include starting and compiling, and no sampling.

{{ summary }}

Values at milestones, and seconds:

{{ values }}
{%- if picture %}

![]({{ picture }})
{% endif -%}
"""

COLUMNS = (
    "",
    "start, s",
    "first update, s",
    "then ms an update",
    "updates to the goal",
    "seconds to the goal",
    "tfgen's speed relative to it",
    "best value",
)


class Curves(NamedTuple):
    """One race.

    Attributes:
        versions: of the libraries, by contender.
        startup: seconds until each contender was ready to train.
        rows: of the keys contender, update, seconds (so far) and value.
    """

    versions: dict[str, str]
    startup: dict[str, float]
    rows: list[dict[str, Any]]


class Arrival(NamedTuple):
    """The first milestone at the goal.

    Attributes:
        updates: until then.
        seconds: until then.
    """

    updates: int
    seconds: float


class Curve(NamedTuple):
    """A contender's way, means over seeds.

    Attributes:
        updates: at the milestones.
        seconds: until each of them.
        values: at each of them.
    """

    updates: np.ndarray
    seconds: np.ndarray
    values: np.ndarray

    def smooth(self, window: int) -> np.ndarray:
        """Computes at each milestone the mean over the last ones; NaN before there are so many."""
        sums = np.convolve(self.values, np.ones(window))[: len(self.values)]
        return np.where(np.arange(len(sums)) < window - 1, np.nan, sums / window)

    def arrival(self, race: Race) -> Arrival | None:
        """Returns the first milestone at the goal; None if there is none."""
        reached = np.flatnonzero(self.smooth(race.window) <= race.goal)
        if not len(reached):
            return None
        first = reached[0]
        return Arrival(int(self.updates[first]), float(self.seconds[first]))


def mean_curve(races: Sequence[Curves], contender: str) -> Curve:
    """Returns a contender's means over races, at the milestones that all of them have."""
    by_update = []
    for race in races:
        own = [row for row in race.rows if row["contender"] == contender]
        by_update.append({row["update"]: row for row in own})
    updates = sorted(set.intersection(*(set(rows) for rows in by_update)))
    means = []
    for key in ("seconds", "value"):
        found = np.array([[rows[update][key] for update in updates] for rows in by_update])
        means.append(found.mean(axis=0))
    return Curve(np.array(updates), *means)


def curves_of(races: Sequence[Curves]) -> dict[str, Curve]:
    """Returns the mean curve of each contender."""
    return {name: mean_curve(races, name) for name in races[0].versions}


def render(race: Race, races: Sequence[Curves], *, command: str, picture: str | None) -> str:
    """Returns the part of the page, in Markdown.

    Args:
        race: what was run.
        races: one of each seed.
        command: that was run.
        picture: the link to the picture, or None.
    """
    curves, versions = curves_of(races), races[0].versions
    ours = curves[OURS].arrival(race)
    summary = []
    for name, curve in curves.items():
        startup = float(np.mean([each.startup[name] for each in races]))
        cells = _summary(curve, race, startup=startup, ours=ours)
        summary.append([f"{name} {versions[name]}", *cells])
    values = []
    for update in race.milestones:
        values.append([update, *(_value(curve, update) for curve in curves.values())])
    return jinja2.Template(PART).render(
        race=race,
        command=command,
        machine=machine.summary(),
        seeds=len(races),
        summary=pages.table(COLUMNS, summary),
        values=pages.table(["updates", *curves], values),
        picture=picture,
    )


def _summary(curve: Curve, race: Race, *, startup: float, ours: Arrival | None) -> list[str]:
    """Returns the cells of a contender in the first table.

    Args:
        curve: the contender's.
        race: what was run.
        startup: seconds until it was ready.
        ours: when tfgen reached the goal.
    """
    first = curve.seconds[0] - startup
    updates = max(curve.updates[-1] - curve.updates[0], 1)
    each = 1e3 * (curve.seconds[-1] - curve.seconds[0]) / updates
    arrival = curve.arrival(race)
    updates_cell, seconds, over = "not reached", curve.seconds[-1], "over "
    seconds_cell = f"over {seconds:.0f}"
    if arrival is not None:
        updates_cell, seconds, over = f"{arrival.updates}", arrival.seconds, ""
        seconds_cell = f"{seconds:.1f}"
    relative = f"{over}{seconds / ours.seconds:.2f}" if ours else ""
    best = np.nanmin(curve.smooth(race.window), initial=np.inf)
    costs = [f"{startup:.1f}", f"{first:.1f}", f"{each:.1f}"]
    return [*costs, updates_cell, seconds_cell, relative, f"{best:.1f}"]


def _value(curve: Curve, update: int) -> str:
    """Returns a cell of the second table."""
    place = np.flatnonzero(curve.updates == update)
    if not len(place):
        return ""
    return f"{curve.values[place[0]]:.1f} ({curve.seconds[place[0]]:.0f} s)"


def draw(race: Race, races: Sequence[Curves], path: pathlib.Path) -> None:
    """Draws the values over the seconds.

    Args:
        race: what was run.
        races: one of each seed.
        path: of the picture.
    """
    figure = Figure(figsize=(6, 3.2), layout="constrained")
    axes = figure.add_subplot()
    for name, curve in curves_of(races).items():
        (line,) = axes.plot(curve.seconds[1:], curve.values[1:], ".")
        # a milestone counts by the mean over the last ones
        axes.plot(curve.seconds, curve.smooth(race.window), color=line.get_color(), label=name)
    axes.axhline(race.goal, color="grey", linestyle=":", label=f"goal: {race.goal:g}")
    measured = race.measure.partition(" of ")[0]
    axes.set(xlabel="seconds", ylabel=measured, yscale="log", title=race.title)
    axes.legend()
    with files.written_aside(path) as aside:
        figure.savefig(aside, dpi=100)
