"""The page of races: seconds until a value is reached, values at milestones, a picture of both."""

import os
import pathlib
import platform
from collections.abc import Sequence
from typing import NamedTuple

import jinja2
import numpy as np
from matplotlib.figure import Figure

from benchmarks.races import Race
from tfgen import files

OURS, SAME, PAPER = "tfgen", "PyTorch", "PyTorch, the paper's constants"
"""Contenders: the flagfile; the same recipe; what the paper or its released code says."""

PART = """\
## Time to quality: {{ race.title }}

Command: `{{ command }}`; {{ machine }}. `{{ race.flagfile }}.flags`, which PyTorch trains with
the same nets, start, data and batches; or with the constants of the paper where they differ. The goal:
{{ race.measure }}, {{ "%g" | format(race.goal) }} at most, 1.1 times what
the docs say that the flagfile ends with. It is reached at the first milestone where the mean over seeds ({{ seeds }})
and over the last milestones ({{ race.window }}) is so low. Seconds include starting and compiling, and no sampling.

| {{ columns | join(" | ") }} |
|{{ "---|" * (columns | length) }}
{% for row in summary -%}
| {{ row | join(" | ") }} |
{% endfor %}
Values at milestones, and seconds:

| updates | {{ contenders | join(" | ") }} |
|---|{{ "---|" * (contenders | length) }}
{% for row in values -%}
| {{ row | join(" | ") }} |
{% endfor %}
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
)
COLUMNS += ("tfgen's speed relative to it", "best value")


class Curves(NamedTuple):
    """One race."""

    versions: dict[str, str]
    startup: dict[str, float]
    """Seconds until a contender was ready to train."""
    rows: list[dict]
    """contender, update, seconds so far, value."""


class Curve(NamedTuple):
    """A contender's way, means over seeds."""

    updates: np.ndarray
    seconds: np.ndarray
    values: np.ndarray

    def smooth(self, window: int) -> np.ndarray:
        """At each milestone the mean over the last ones; NaN before there are so many."""
        sums = np.convolve(self.values, np.ones(window))[: len(self.values)]
        return np.where(np.arange(len(sums)) < window - 1, np.nan, sums / window)

    def arrival(self, race: Race) -> tuple[int, float] | None:
        """Updates and seconds to the first milestone at the goal; None if there is none."""
        reached = np.flatnonzero(self.smooth(race.window) <= race.goal)
        return (
            (int(self.updates[reached[0]]), float(self.seconds[reached[0]]))
            if len(reached)
            else None
        )


def mean_curve(races: Sequence[Curves], contender: str) -> Curve:
    """Over the milestones that all races have."""
    rows = [{r["update"]: r for r in race.rows if r["contender"] == contender} for race in races]
    updates = sorted(set.intersection(*(set(each) for each in rows)))
    found = {
        key: np.array([[each[u][key] for u in updates] for each in rows])
        for key in ("seconds", "value")
    }
    return Curve(np.array(updates), found["seconds"].mean(axis=0), found["value"].mean(axis=0))


def curves_of(races: Sequence[Curves]) -> dict[str, Curve]:
    """By contender."""
    return {name: mean_curve(races, name) for name in races[0].versions}


def render(race: Race, races: Sequence[Curves], command: str, picture: str | None) -> str:
    """The part of the page, in Markdown.

    Args:
        race: what was run.
        races: one of each seed.
        command: that was run.
        picture: the name of the file beside the page, or None.
    """
    curves = curves_of(races)
    versions = races[0].versions
    ours = curves[OURS].arrival(race)
    summary = [
        [
            f"{name} {versions[name]}",
            *_summary(curve, np.mean([r.startup[name] for r in races]), race, ours),
        ]
        for name, curve in curves.items()
    ]
    return jinja2.Template(PART).render(
        race=race,
        command=command,
        machine=f"{platform.machine()}, {len(os.sched_getaffinity(0))} processors",
        columns=COLUMNS,
        seeds=len(races),
        summary=summary,
        contenders=list(curves),
        values=[
            [update, *(_value(curve, update) for curve in curves.values())]
            for update in race.milestones
        ],
        picture=picture,
    )


def _summary(curve: Curve, startup: float, race: Race, ours: tuple[int, float] | None) -> list[str]:
    """Cells of the first table."""
    first = curve.seconds[0] - startup
    each = (curve.seconds[-1] - curve.seconds[0]) / max(curve.updates[-1] - curve.updates[0], 1)
    there = curve.arrival(race)
    cells = [f"{startup:.1f}", f"{first:.1f}", f"{1e3 * each:.1f}"]
    if there is None:
        relative = f"over {curve.seconds[-1] / ours[1]:.2f}" if ours else ""
        cells += ["not reached", f"over {curve.seconds[-1]:.0f}", relative]
    else:
        cells += [f"{there[0]}", f"{there[1]:.1f}", f"{there[1] / ours[1]:.2f}" if ours else ""]
    return [*cells, f"{np.nanmin(curve.smooth(race.window), initial=np.inf):.1f}"]


def _value(curve: Curve, update: int) -> str:
    """A cell of the second table."""
    place = np.flatnonzero(curve.updates == update)
    return f"{curve.values[place[0]]:.1f} ({curve.seconds[place[0]]:.0f} s)" if len(place) else ""


def draw(race: Race, races: Sequence[Curves], path: pathlib.Path) -> None:
    """A picture of the values over the seconds."""
    figure = Figure(figsize=(6, 3.2), layout="constrained")
    axes = figure.add_subplot()
    for name, curve in curves_of(races).items():
        (line,) = axes.plot(curve.seconds[1:], curve.values[1:], ".")
        axes.plot(curve.seconds, curve.smooth(race.window), color=line.get_color(), label=name)
    axes.axhline(race.goal, color="grey", linestyle=":", label=f"goal: {race.goal:g}")
    axes.set(
        xlabel="seconds", ylabel=race.measure.partition(" of ")[0], yscale="log", title=race.title
    )
    axes.legend()
    with files.written_aside(path) as aside:
        figure.savefig(aside, dpi=100)
