"""Trains recipes at rates that are too high, with and without the guard, and counts what survives.

    python -m experiments.robustness [--steps=300] [--seeds=0,1,2,3,4] [--output=PAGE]

Each recipe is trained at 1, 3, 10 and 30 times its learning rates. A run has survived if it reaches
its end with a final number within 1.2 times the median of the healthy runs', those at the recipe's
own rates without the guard. Run again, the command resumes.
"""

import contextlib
import json
import os
import pathlib
import shutil
import statistics
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from absl import flags as absl_flags
from tqdm import tqdm

from experiments import command_flags, pages
from experiments.runs import FLAGFILES
from tfgen.errors import UserError
from trainers import main as training
from trainers.run import commands, flags, guard, parsing
from trainers.run.metrics import Metrics
from trainers.run.trained import Trained, restored

FACTORS = (1, 3, 10, 30)
"""On the recipe's learning rates."""

WITHIN = 1.2
"""Factor on a healthy run's final number up to which a run has survived."""

GOAL = 0.95
"""The share of runs with the guard that should survive."""

DIRECTIONS = 64
"""Along which images are compared."""


class Recipe(NamedTuple):
    """A recipe of the table.

    Attributes:
        flagfile: of trainers/flagfiles.
        roles: whose rates are raised.
        number: what tells whether a run went well: a logged number, averaged over its last rows,
            or `distance` of its chains, or samples, from the data. Lower is better.
    """

    flagfile: str
    roles: tuple[str, ...]
    number: str


RECIPES = {
    "divergence_triangle": Recipe(
        "divergence_triangle_digits_cpu",
        ("energy", "generator", "inference"),
        "reconstruction_error",
    ),
    "generative_convnet": Recipe("generative_convnet_digits_cpu", ("energy",), "distance"),
    "vae": Recipe("vae_digits_cpu", ("generator", "inference"), "reconstruction_error"),
    "introspective": Recipe("introspective_digits_cpu", ("discriminator",), "distance"),
}


class Cell(NamedTuple):
    """One run of the table."""

    recipe: str
    factor: int
    seed: int
    guard: bool
    steps: int

    @property
    def name(self) -> str:
        """Names the run's directory."""
        kind = "guarded" if self.guard else "alone"
        return f"{self.recipe}-x{self.factor}-seed{self.seed}-{kind}-{self.steps}"


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = command_flags.place(values, "experiments.robustness")
    absl_flags.DEFINE_string("runs", "runs/robustness", "Where runs are kept.", **where)
    absl_flags.DEFINE_string("output", "docs/robustness.md", "The page to write.", **where)
    absl_flags.DEFINE_list("recipes", list(RECIPES), f"Some of {', '.join(RECIPES)}.", **where)
    absl_flags.DEFINE_list("factors", [str(f) for f in FACTORS], "On learning rates.", **where)
    absl_flags.DEFINE_list("seeds", ["0", "1", "2", "3", "4"], "Of the runs.", **where)
    absl_flags.DEFINE_integer("steps", 300, "Updates of a run.", lower_bound=20, **where)


def main(values: absl_flags.FlagValues) -> None:
    """Trains what is missing, and writes the page."""
    command_flags.require_known("recipes", values.recipes, RECIPES)
    root = pathlib.Path(values.runs)
    cells = list(plan(values))
    for cell in tqdm(cells, unit="run"):
        carry_out(root, cell)
    found = {cell: outcome for cell, outcome in outcomes(root).items() if cell in set(cells)}
    page = pathlib.Path(values.output)
    pages.put(page, "robustness", render(found, values.steps))
    print(page)


def plan(values: absl_flags.FlagValues) -> Iterable[Cell]:
    """Yields the runs of the table: healthy ones first, seed by seed."""
    for seed in map(int, values.seeds):
        for factor in map(int, values.factors):
            for recipe in values.recipes:
                for guarded in (False, True):
                    yield Cell(recipe, factor, seed, guarded, values.steps)


def carry_out(root: pathlib.Path, cell: Cell) -> None:
    """Trains one run and writes down how it ended, if that was not done."""
    if cell in outcomes(root):
        return
    workdir = root / cell.name
    ended, reason, number = True, "", None
    try:
        with pathlib.Path(os.devnull).open("w") as nowhere, contextlib.redirect_stderr(nowhere):
            training.main(flags_of(cell, workdir))
    except UserError as error:  # the guard gave up, or there was no number to save
        ended, reason = False, str(error)
    rows = Metrics(workdir / "metrics.jsonl").rows("guard")
    with contextlib.suppress(UserError):
        number = final_number(workdir, RECIPES[cell.recipe]) if ended else None
    row = cell._asdict() | {
        "ended": ended,
        "number": number,
        "rollbacks": len(rows),
        "reason": reason,
    }
    with (root / "outcomes.jsonl").open("a", encoding="utf-8") as file:
        # a line of its own also after one that a kill cut short; empty lines are passed over
        file.write("\n" + json.dumps(row) + "\n")
    shutil.rmtree(workdir)


def flags_of(cell: Cell, workdir: pathlib.Path) -> absl_flags.FlagValues:
    """Returns the flags of a run."""
    recipe = RECIPES[cell.recipe]
    flagfile = f"--flagfile={FLAGFILES / recipe.flagfile}.flags"
    given = guard.rates_of(parsed([flagfile]))
    rates = [
        f"--{role}.learning_rate={given[f'{role}.learning_rate'] * cell.factor}"
        for role in recipe.roles
    ]
    short = ["--log_every=10", "--save_every=20", f"--sample_every={cell.steps * 10}"]
    return parsed(
        [
            flagfile,
            *rates,
            *short,
            f"--steps={cell.steps}",
            f"--seed={cell.seed}",
            f"--guard={str(cell.guard).lower()}",
            "--jit_compile=false",
            f"--workdir={workdir}",
        ]
    )


def parsed(words: Sequence[str]) -> absl_flags.FlagValues:
    """Returns parsed flags of `trainers.main`."""
    values = absl_flags.FlagValues()
    parsing.define_shared(values)
    flags.define(values)
    return flags.parse(["", *words], values)


def final_number(workdir: pathlib.Path, recipe: Recipe) -> float:
    """Returns what tells whether a run went well; lower is better."""
    if recipe.number != "distance":
        rows = Metrics(workdir / "metrics.jsonl").newest("train", 5)
        return statistics.fmean(row[recipe.number] for row in rows)
    trained = restored(workdir)
    return sliced_distance(samples_of(trained), trained.images.train.as_float())


def samples_of(trained: Trained) -> np.ndarray:
    """Returns a model's persistent chains, or images that it generates: [n, h, w, c]."""
    if trained.values.algorithm == "generative_convnet":
        return np.array(trained.model.persistent_chains.state)
    return np.array(trained.model.generate(count=100, seed=0))


def sliced_distance(images: np.ndarray, others: np.ndarray) -> float:
    """Returns the Wasserstein distance of two sets of images, averaged over random directions.

    Args:
        images: [n, h, w, c].
        others: [m, h, w, c].
    """
    flat = [x.reshape(len(x), -1).astype(np.float64) for x in (images, others)]
    directions = np.random.default_rng(0).standard_normal((flat[0].shape[1], DIRECTIONS))
    directions /= np.linalg.norm(directions, axis=0)
    levels = (np.arange(200) + 0.5) / 200
    quantiles = [np.quantile(x @ directions, levels, axis=0) for x in flat]
    return float(np.mean(np.abs(quantiles[0] - quantiles[1])))


def outcomes(root: pathlib.Path) -> dict[Cell, dict[str, Any]]:
    """Returns how the runs ended that were carried out."""
    root.mkdir(parents=True, exist_ok=True)
    path, found = root / "outcomes.jsonl", {}
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    for line in lines:
        with contextlib.suppress(json.JSONDecodeError):  # a kill may have cut the last one
            row = json.loads(line)
            found[Cell(*(row[name] for name in Cell._fields))] = row
    return found


def survived(found: dict[Cell, dict[str, Any]]) -> dict[Cell, bool]:
    """Returns of each run whether it reached its end as well as the healthy ones."""
    healthy = {
        recipe: [
            row["number"]
            for cell, row in found.items()
            if cell.recipe == recipe and cell.factor == 1 and not cell.guard and row["number"]
        ]
        for recipe in {cell.recipe for cell in found}
    }
    bound = {r: WITHIN * statistics.median(numbers) for r, numbers in healthy.items() if numbers}
    return {
        cell: row["number"] is not None and row["number"] <= bound.get(cell.recipe, -1.0)
        for cell, row in found.items()
    }


def render(found: dict[Cell, dict[str, Any]], steps: int) -> str:
    """Returns the page's part."""
    good = survived(found)
    factors = sorted({cell.factor for cell in found})
    columns = ["Recipe", "Guard", *(f"rates x{factor}" for factor in factors), "roll-backs a run"]
    rows = []
    for recipe in sorted({cell.recipe for cell in found}):
        for guarded in (False, True):
            mine = [c for c in found if c.recipe == recipe and c.guard == guarded]
            shares = [share(good, [c for c in mine if c.factor == f]) for f in factors]
            rollbacks = statistics.fmean(found[c]["rollbacks"] for c in mine) if mine else 0
            rows.append([recipe, "yes" if guarded else "no", *shares, f"{rollbacks:.1f}"])
    with_guard = [good[c] for c in good if c.guard]
    without = [good[c] for c in good if not c.guard]
    reached = statistics.fmean(with_guard) if with_guard else 0.0
    verdict = "reached" if reached >= GOAL else "missed"
    return (
        "# Robustness against learning rates that are too high\n\n"
        f"`python -m experiments.robustness --steps={steps}`: share of runs that reach update "
        f"{steps} with a final number within {WITHIN} times the median of the healthy runs'. The "
        "number is the reconstruction error, or the sliced Wasserstein distance of chains or "
        f"samples from the data. {len(found)} runs.\n\n"
        f"{pages.table(columns, rows)}\n\n"
        f"In all: with the guard {reached:.2f}, without "
        f"{statistics.fmean(without) if without else 0.0:.2f}. "
        f"The goal of {GOAL} with the guard is {verdict}.\n\n{_missed(found, good)}"
    )


def share(good: dict[Cell, bool], cells: Sequence[Cell]) -> str:
    """Returns how many of some runs have survived."""
    return f"{sum(good[c] for c in cells)} of {len(cells)}" if cells else "-"


def _missed(found: dict[Cell, dict[str, Any]], good: dict[Cell, bool]) -> str:
    """Returns a list of the runs with the guard that did not survive, and why."""
    lines = []
    for cell in sorted(c for c in good if c.guard and not good[c]):
        row = found[cell]
        number = row["number"]
        why = row["reason"].split(";")[0] or (
            "no number" if number is None else f"reached its end with {number:.3g}"
        )
        lines.append(
            f"- {cell.recipe}, rates x{cell.factor}, seed {cell.seed}: {why}; "
            f"{row['rollbacks']} roll-backs"
        )
    return "\n".join(["Runs with the guard that did not survive:\n", *lines]) if lines else ""


if __name__ == "__main__":
    commands.run(main, define, __doc__)
