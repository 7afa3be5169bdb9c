"""Measures seconds of training until samples reach a quality, beside PyTorch.

    python -m benchmarks.races.time_to_quality [--workloads=brick,digits,pebbles] [--seeds=0]
        [--page=benchmarks/results.md]

What is trained is in `benchmarks/races`, a module each: by tfgen, in PyTorch by the same recipe,
and in PyTorch by the paper's constants. Each library trains in a process of its own, from the same
weights, in turn from one milestone to the next; `make bench-peers` sets up PyTorch's environment.
Sampling and measuring are not timed. The first update of the same recipe is checked to be the same.
Samples are kept under --runs, and tfgen's evaluation measures all of them. Run again, the command
resumes.
"""

import contextlib
import pathlib
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from absl import flags as absl_flags
from tqdm import tqdm

from benchmarks import races
from benchmarks.peers import workload
from benchmarks.peers.contenders import tfgen_training
from benchmarks.races import quality_page, race_files
from benchmarks.races.quality_page import PAPER, SAME
from benchmarks.speed import options, processes
from benchmarks.speed.options import OURS
from experiments import command_flags, pages
from tfgen.errors import UserError
from trainers.run import commands
from trainers.run.experiment import Experiment

TFGEN = "tfgen_training"
TOLERANCE = 1e-3
"""Relative difference of what the first update logs."""


class Entrant(NamedTuple):
    """A contender of a race.

    Attributes:
        module: of `benchmarks.peers.contenders`, which trains.
        flags: beside the flagfile's.
    """

    module: str
    flags: Sequence[str] = ()


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    place = command_flags.place(values, "benchmarks.races.time_to_quality")
    text = f"Some of {','.join(races.ALL)}."
    absl_flags.DEFINE_list("workloads", list(races.ALL), text, **place)
    text = "Seeds of the trainings; curves are means over them."
    absl_flags.DEFINE_list("seeds", ["0"], text, **place)
    text = "Seconds of training after which a library stops."
    absl_flags.DEFINE_float("budget", 600, text, lower_bound=0, **place)
    text = "Train in PyTorch with the paper's constants too."
    absl_flags.DEFINE_boolean("paper", True, text, **place)
    text = "Train what was not trained; --norace only measures and writes."
    absl_flags.DEFINE_boolean("race", True, text, **place)
    options.define_python(place)
    absl_flags.DEFINE_string("runs", "runs/quality", "Where samples and times are kept.", **place)
    options.define_page(place)


def main(values: absl_flags.FlagValues) -> None:
    """Trains, measures and writes."""
    command_flags.require_known("workloads", values.workloads, races.ALL)
    if not all(seed.isdigit() for seed in values.seeds):
        raise UserError(f"--seeds: expected numbers and found {','.join(values.seeds)}")
    if values.race:
        options.require_python(values, "bench-peers")
    for name in values.workloads:
        curves = []
        for seed in values.seeds:
            kept = pathlib.Path(values.runs) / name / seed
            if values.race:
                run(races.ALL[name], int(seed), values, kept=kept)
            curves.append(judged(races.ALL[name], int(seed), kept))
        show(name, curves, values)


def show(name: str, curves: list[quality_page.Curves], values: absl_flags.FlagValues) -> None:
    """Prints a race's part, and writes it to the page with its picture if one is given.

    Args:
        name: of the race.
        curves: one of each seed.
        values: the flags.
    """
    seeds = ",".join(values.seeds)
    words = [f"--workloads={name}", f"--seeds={seeds}", f"--budget={values.budget:g}"]
    if not values.paper:
        words.append("--nopaper")
    command = f"python -m benchmarks.races.time_to_quality {' '.join(words)}"
    picture = f"quality_{name}.png" if values.page else None
    text = quality_page.render(races.ALL[name], curves, command=command, picture=picture)
    pages.publish(f"quality_{name}", text, values.page)
    if picture is not None:
        quality_page.draw(races.ALL[name], curves, pathlib.Path(values.page).parent / picture)


def run(race: races.Race, seed: int, values: absl_flags.FlagValues, *, kept: pathlib.Path) -> None:
    """Trains the contenders that were not trained, and keeps samples and times.

    Args:
        race: what is trained.
        seed: of the training.
        values: the flags, with `paper`, `python` and `budget`.
        kept: the directory of this race.
    """
    found = race_files.read(kept) or {"versions": {}, "startup": {}, "rows": []}
    with contextlib.ExitStack() as stack:
        contenders = {}
        for name, entrant in entrants(race, values.paper).items():
            if name in found["versions"]:
                continue
            given, file = race.flags(seed, entrant.flags), race_files.place(kept, name)
            command = command_of(race, entrant.module, given, file=file, python=values.python)
            start = time.perf_counter()
            contender = stack.enter_context(contextlib.closing(processes.Contender(command)))
            found["versions"][name] = contender.version  # waits until it is ready
            found["startup"][name] = time.perf_counter() - start
            contenders[name] = contender
        if contenders:
            startup, budget = found["startup"], values.budget
            found["rows"] += raced(race, contenders, startup, kept=kept, budget=budget)
            race_files.write(kept, found)


def entrants(race: races.Race, paper: bool) -> dict[str, Entrant]:
    """Returns the contenders of a race, by name; with `paper`, the paper's constants too."""
    found = {OURS: Entrant(TFGEN), SAME: Entrant(race.peer)}
    if paper:
        found[PAPER] = Entrant(race.peer, race.paper)
    return found


def command_of(
    race: races.Race, module: str, flags: Sequence[str], *, file: pathlib.Path, python: str
) -> list[str]:
    """Writes a contender's workload, and returns the command that starts it.

    Args:
        race: what is trained.
        module: that trains.
        flags: of the training.
        file: of the workload.
        python: the peers' interpreter.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    workload.write(file, race.work(flags, experiment_of(flags)))
    return processes.command_of(module, str(file), python=None if module == TFGEN else python)


def raced(
    race: races.Race,
    contenders: Mapping[str, processes.Contender],
    startup: Mapping[str, float],
    *,
    kept: pathlib.Path,
    budget: float,
) -> list[dict[str, Any]]:
    """Trains contenders in turn from milestone to milestone.

    Args:
        race: what is trained.
        contenders: by name.
        startup: seconds until each was ready.
        kept: the directory for their samples.
        budget: seconds after which a contender stops.

    Returns:
        A row for each milestone that was reached: contender, update, seconds with start-up.
    """
    seconds, rows = dict(startup), []
    for milestone in tqdm(race.milestones, unit="milestone"):
        is_first = milestone == race.milestones[0]
        for name, contender in contenders.items():
            # the first milestone shows what starting costs, whatever the budget
            if seconds[name] < budget or is_first:
                seconds[name] += contender.seconds("wall")
                contender.outputs(race_files.place(kept, name, milestone))
                rows.append({"contender": name, "update": milestone, "seconds": seconds[name]})
        if is_first:
            check(
                race,
                {
                    name: race_files.samples(race_files.place(kept, name, milestone))
                    for name in (OURS, SAME)
                },
            )
    return rows


def check(race: races.Race, outputs: Mapping[str, Mapping[str, np.ndarray]]) -> None:
    """Raises UserError unless the same recipe's first update was tfgen's.

    Args:
        race: what is trained.
        outputs: of tfgen and of PyTorch after the first update.
    """
    for name in race.compared:
        ours, found = (float(outputs[contender][f"log/{name}"]) for contender in (OURS, SAME))
        if not abs(found - ours) <= TOLERANCE * abs(ours):
            raise UserError(
                f"{SAME}: expected a first update of {name} {ours:.7g}, as tfgen's, and found "
                f"{found:.7g}"
            )


def judged(race: races.Race, seed: int, kept: pathlib.Path) -> quality_page.Curves:
    """Measures all samples of a race that were not measured, and returns the race.

    Raises:
        UserError: if it was not run.
    """
    found = race_files.read(kept)
    if found is None:
        raise UserError(f"--runs: expected a race and found none in {kept}; run without --norace")
    unknown = [row for row in found["rows"] if "value" not in row]
    if unknown:
        ruler = race.ruler(experiment_of(race.flags(seed)), kept.parents[2] / "tables")
        for row in tqdm(unknown, unit="value"):
            samples = race_files.samples(race_files.place(kept, row["contender"], row["update"]))[
                "image"
            ]
            row["value"] = ruler(samples)
        race_files.write(kept, found)
    return quality_page.Curves(**found)


def experiment_of(flags: Sequence[str]) -> Experiment:
    """Returns what a contender trains, before its first update."""
    with tempfile.TemporaryDirectory() as workdir:
        return Experiment(tfgen_training.values_of(flags, workdir))


if __name__ == "__main__":
    commands.run(main, define, __doc__)
