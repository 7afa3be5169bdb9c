"""Compares the divergence triangle with the models of the paper's tables, on nets that they share.

    python -m experiments.tables [--runs=DIR] [--data=digits,mnist5k] [--seeds=0,1] [--output=PAGE]

All models are trained on the same nets, data and seeds, at a scale that two CPU cores reach: with
equal updates, and with --timed also for equal time. Models with a σ are trained with several, which
gives the curve of samples against reconstructions. Run again, the command resumes: finished runs
are not trained again, and what was measured is not measured again.
"""

import pathlib
from collections.abc import Sequence

from absl import flags as absl_flags
from tqdm import tqdm

from experiments import command_flags, frontier, pages, runs, triangle_page
from experiments.runs import FLAGFILES, Run
from experiments.table_plan import DATA, WHOLE, Data, features_of, plan_of, timed_plan_of
from tfgen.data.masks import PATTERNS
from tfgen.errors import UserError
from trainers.run import commands

SIGMAS = ("0.0707", "0.2236", "0.7071")
"""Values of σ in pixel units: weights of an image's squared error of 100, 10 and 1."""


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = command_flags.place(values, "experiments.tables")
    absl_flags.DEFINE_string("runs", "runs/tables", "Where all runs are kept.", **where)
    absl_flags.DEFINE_string("output", "docs/results.md", "The page to write.", **where)
    absl_flags.DEFINE_list("data", ["digits"], f"Some of {', '.join(DATA)}.", **where)
    absl_flags.DEFINE_list("models", list(WHOLE), f"Some of {', '.join(WHOLE)}.", **where)
    absl_flags.DEFINE_list("patterns", list(PATTERNS), "Patterns of missing pixels.", **where)
    absl_flags.DEFINE_list("seeds", ["0", "1", "2"], "Seeds of runs on whole images.", **where)
    text = "Further values of σ, in pixel units, of the models that have one."
    absl_flags.DEFINE_list("sigmas", list(SIGMAS), text, **where)
    text = "Updates of each run; none takes the recipe's."
    absl_flags.DEFINE_integer("steps", None, text, lower_bound=1, **where)
    text = "Also train each model as long as the triangle takes for its updates."
    absl_flags.DEFINE_boolean("timed", False, text, **where)
    text = "Train and measure what is missing; --notrain only writes the page."
    absl_flags.DEFINE_boolean("train", True, text, **where)


def main(values: absl_flags.FlagValues) -> None:
    """Trains, measures and writes the part `triangle` of the page."""
    command_flags.require_known("data", values.data, DATA)
    command_flags.require_known("models", values.models, WHOLE)
    if values.timed and "divergence_triangle" not in values.models:
        raise UserError("--timed: expected divergence_triangle, whose time counts, in --models")
    root, page = pathlib.Path(values.runs), pathlib.Path(values.output)
    plans = {name: _plan(root, name, values) for name in values.data}
    if values.train:
        # measurements of the runs need the classifiers' features
        for name in values.data:
            export_classifier(root, DATA[name])
        _carry_out([run for plan in plans.values() for run in plan])
    timed = {name: list(timed_plan_of(plans[name])) if values.timed else [] for name in plans}
    if values.train:
        _carry_out([run for plan in timed.values() for run in plan])
    sections = []
    for name, plan in plans.items():
        found = triangle_page.section(DATA[name], plan)
        found["frontier"] = frontier.section(name, plan, page)
        found["costs"] = frontier.costs(plan)
        found["timed"] = frontier.timed_table(plan, timed[name])
        sections.append(found)
    command = _command(values)
    pages.put(page, "triangle", triangle_page.render(sections, command))
    print(page)


def _plan(root: pathlib.Path, name: str, values: absl_flags.FlagValues) -> list[Run]:
    """Returns the runs of equal updates of a data set."""
    return list(
        plan_of(
            root,
            name,
            values.seeds,
            values.patterns,
            models=values.models,
            sigmas=values.sigmas,
            steps=values.steps,
        )
    )


def _carry_out(plan: Sequence[Run]) -> None:
    """Trains and measures runs, with a bar of how many are done."""
    for run in tqdm(plan, unit="run"):
        runs.carry_out(run)


def _command(values: absl_flags.FlagValues) -> str:
    """Returns the command that wrote a page, with the flags that matter."""
    command = f"python -m experiments.tables --data={','.join(values.data)}"
    for name in ("models", "seeds", "sigmas", "patterns", "steps", "timed"):
        flag = values[name]
        if flag.value != flag.default:
            value = ",".join(flag.value) if isinstance(flag.value, list) else flag.value
            command += f" --{name}={value}"
    return command


def export_classifier(root: pathlib.Path, data: Data) -> None:
    """Trains, measures and exports the classifier of a data set, unless that was done."""
    features = features_of(root, data)
    if features.is_dir():
        return
    output = features.parents[1]
    workdir = f"--workdir={output / 'run'}"
    flagfile = f"--flagfile={FLAGFILES / data.classifier}.flags"
    dataset = [] if data.classified is None else [f"--dataset={data.classified}"]
    runs.call("trainers.main", flagfile, *dataset, workdir)
    runs.call("trainers.evaluate", workdir, "--metrics=accuracy")
    runs.call("export.main", workdir, "--formats=saved_model", f"--output={output}")


if __name__ == "__main__":
    commands.run(main, define, __doc__)
