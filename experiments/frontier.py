"""Samples against reconstructions over σ, and models at equal training time: parts of the tables.

A model with a σ trades one for the other. So its FID is drawn against its reconstruction error, as
one curve over σ, and no model is beaten by a choice of σ.
"""

import io
import pathlib
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from experiments import pages
from experiments.runs import Run
from experiments.table_plan import WITH_SIGMA, seconds_per_update
from tfgen import files
from trainers import compare
from trainers.run import identity

FID, MSE = "fid/distance", "reconstruction/test_mse"


class Point(NamedTuple):
    """A model at one σ.

    Attributes:
        sigma: in pixel units; None where the model has none.
        fid: of each seed.
        mse: of each seed; none where the model does not reconstruct.
    """

    sigma: float | None
    fid: list[float]
    mse: list[float]


def section(name: str, plan: Sequence[Run], page: pathlib.Path) -> dict[str, str]:
    """Draws the curves of a data set, and returns their table and the picture's link.

    Args:
        name: of the data set.
        plan: its runs, all measured.
        page: the Markdown file; the picture is written beside it.
    """
    curves = points(plan)
    path, link = pages.picture(page, f"frontier_{name}.png")
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn = io.BytesIO()
    figure(curves).savefig(drawn, format="png", dpi=100)
    with files.written_aside(path) as aside:
        aside.write_bytes(drawn.getvalue())
    rows = []
    for model, found in curves.items():
        for point in found:
            sigma = "" if point.sigma is None else f"{point.sigma:.4g}"
            rows.append([model, sigma, _stated(point.fid), _stated(point.mse)])
    return {"cells": pages.table(["model", "sigma", FID, MSE], rows), "picture": link}


def points(plan: Sequence[Run]) -> dict[str, list[Point]]:
    """Returns each model's points, in the order of σ.

    Args:
        plan: measured runs; those on incomplete images are left out.
    """
    found: dict[str, dict[float | None, Point]] = {}
    for run in plan:
        if "fid" not in run.metrics:
            continue
        model, sigma = described(run)
        point = found.setdefault(model, {}).setdefault(sigma, Point(sigma, [], []))
        point.fid.append(compare.newest(FID, run.workdir)["value"])
        if "reconstruction" in run.metrics:
            point.mse.append(compare.newest(MSE, run.workdir)["value"])
    return {m: [of[s] for s in sorted(of, key=lambda s: s or 0)] for m, of in found.items()}


def described(run: Run) -> tuple[str, float | None]:
    """Returns a run's model and its σ; None where it has none, or its preset's."""
    values = identity.flags_of(run.workdir)
    if values.algorithm not in WITH_SIGMA:
        return values.algorithm, None
    return values.algorithm, values[f"{values.algorithm}.sigma"].value


def figure(curves: Mapping[str, Sequence[Point]]) -> Figure:
    """Draws FID against reconstruction error: a curve of each model, and levels of those without.

    Args:
        curves: the points of each model.
    """
    drawn = Figure(figsize=(8, 5), layout="constrained")
    axes = drawn.subplots()
    for number, (model, found) in enumerate(curves.items()):
        colour = f"C{number % 10}"
        fid = [statistics.mean(point.fid) for point in found]
        if not found[0].mse:
            axes.axhline(fid[0], color=colour, linestyle=":", label=f"{model} (samples alone)")
            continue
        mse = [statistics.mean(point.mse) for point in found]
        marker = "o-" if number < 10 else "s-"
        axes.plot(mse, fid, marker, color=colour, label=model)
        for x, y, point in zip(mse, fid, found, strict=True):
            if point.sigma is not None:
                axes.annotate(f"{point.sigma:.2g}", (x, y), fontsize=7)
    axes.set(xlabel="MSE of held-out images on [-1, 1]", ylabel="FID", xscale="log", yscale="log")
    axes.legend(fontsize=7)
    return drawn


def timed_table(plan: Sequence[Run], timed: Sequence[Run]) -> str | None:
    """Returns the table of models that were trained as long as the triangle, the best first.

    Args:
        plan: the runs of equal updates, of which the triangle's count.
        timed: those of equal time; none gives no table.
    """
    if not timed:
        return None
    ours = [run for run in plan if run.workdir.name.startswith("divergence_triangle-")]
    whole = [run for run in ours if "fid" in run.metrics]
    groups: dict[str, list[Run]] = {}
    for run in [*whole, *timed]:
        groups.setdefault(identity.flags_of(run.workdir).algorithm, []).append(run)
    rows: list[tuple[float, list[Any]]] = []
    for model, group in groups.items():
        fid = [compare.newest(FID, run.workdir)["value"] for run in group]
        mse = [
            compare.newest(MSE, run.workdir)["value"]
            for run in group
            if "reconstruction" in run.metrics
        ]
        steps = round(statistics.mean(identity.flags_of(run.workdir).steps for run in group))
        rows.append((statistics.mean(fid), [model, steps, _stated(fid), _stated(mse)]))
    ranked = [cells for _, cells in sorted(rows, key=lambda row: row[0])]
    return pages.table(["model", "updates", FID, MSE], ranked)


def costs(plan: Sequence[Run]) -> str:
    """Returns the median time of an update of each model, in milliseconds, the quickest first.

    Args:
        plan: finished runs.
    """
    found: dict[str, list[float]] = {}
    for run in plan:
        model = identity.flags_of(run.workdir).algorithm
        found.setdefault(model, []).append(1000 * seconds_per_update(run.workdir))
    medians = {model: statistics.median(each) for model, each in found.items()}
    ranked = sorted(medians, key=lambda model: medians[model])
    return ", ".join(f"{model} {medians[model]:.3g}" for model in ranked)


def _stated(values: Sequence[float]) -> str:
    """Returns mean ± standard deviation, or nothing of no values."""
    if not values:
        return ""
    mean = f"{statistics.mean(values):.4g}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.2g}"
