"""Seconds of training until samples are so good: tfgen, and in PyTorch the same recipe and the paper's.

    python -m benchmarks.time_to_quality [--workloads=brick,digits,pebbles] [--seeds=0] [--page=benchmarks/results.md]

What is trained stands in `benchmarks/races`, a file each. Each library trains in a process of its own (`make
bench-peers` sets up PyTorch's environment), from the same weights, in turn from one milestone to the next; sampling and
measuring are not timed. The first update of the same recipe is checked to be the same. Samples are kept under `--runs`
and measured by tfgen's evaluation, all alike. Run again it goes on.
"""

import contextlib
import json
import pathlib
import tempfile
import time
from collections.abc import Mapping

import numpy as np
from absl import flags as absl_flags
from tqdm import tqdm

from benchmarks import parts, processes, quality_page, races
from benchmarks.peers import tfgen_training, workload
from benchmarks.quality_page import OURS, PAPER, SAME, SOONER
from tfgen.errors import UserError
from trainers import commands, files
from trainers.experiment import Experiment

TFGEN = "tfgen_training"
TOLERANCE = 1e-3
"""Of what the first update logs, relative."""


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = {"flag_values": values, "module_name": "benchmarks.time_to_quality"}
    absl_flags.DEFINE_list("workloads", list(races.ALL), f"Some of {','.join(races.ALL)}.", **where)
    absl_flags.DEFINE_list("seeds", ["0"], "Of the trainings; curves are means over them.", **where)
    absl_flags.DEFINE_float("budget", 600, "Seconds of training after which a library stops.", lower_bound=0, **where)
    absl_flags.DEFINE_boolean("paper", True, "Whether PyTorch also trains with the paper's own constants.", **where)
    absl_flags.DEFINE_boolean(
        "race", True, "Whether to train what was not trained, or measure and write alone.", **where
    )
    absl_flags.DEFINE_string("python", ".venv-peers/bin/python", "PyTorch's own interpreter.", **where)
    absl_flags.DEFINE_string("runs", "runs/quality", "Where samples and times are kept.", **where)
    absl_flags.DEFINE_string("page", None, "A Markdown page, of which each workload's part is replaced.", **where)


def main(values: absl_flags.FlagValues) -> None:
    """Trains, measures, writes."""
    for name in set(values.workloads) - set(races.ALL):
        raise UserError(f"--workloads: expected some of {', '.join(races.ALL)} and found {name}")
    if not all(seed.isdigit() for seed in values.seeds):
        raise UserError(f"--seeds: expected numbers and found {','.join(values.seeds)}")
    if values.race and not (processes.ROOT / values.python).exists():
        raise UserError(f"--python: expected PyTorch's interpreter and found none at {values.python}; make bench-peers")
    for name in values.workloads:
        curves = []
        for seed in values.seeds:
            kept = pathlib.Path(values.runs) / name / seed
            if values.race and not (kept / "race.json").exists():
                run(races.ALL[name], int(seed), kept, values)
            curves.append(judged(races.ALL[name], int(seed), kept))
        show(name, curves, values)


def show(name: str, curves: list[quality_page.Curves], values: absl_flags.FlagValues) -> None:
    """Prints a race's part, and puts it in the page beside its picture if there is to be one."""
    given = [f"--workloads={name}", f"--seeds={','.join(values.seeds)}", f"--budget={values.budget:g}"]
    given += [] if values.paper else ["--nopaper"]
    page, picture = values.page and pathlib.Path(values.page), f"quality_{name}.png"
    command = f"python -m benchmarks.time_to_quality {' '.join(given)}"
    text = quality_page.render(races.ALL[name], curves, command, picture if page else None)
    print(text, end="\n\n", flush=True)
    if page:
        quality_page.draw(races.ALL[name], curves, page.parent / picture)
        parts.put(page, f"quality_{name}", text)


def run(race: races.Race, seed: int, kept: pathlib.Path, values: absl_flags.FlagValues) -> None:
    """Trains, and keeps samples and times."""
    kept.mkdir(parents=True, exist_ok=True)
    started_by = commands_of(race, seed, kept, values)
    with contextlib.ExitStack() as stack:
        contenders, startup = {}, {}
        for name, command in started_by.items():
            start = time.perf_counter()
            contenders[name] = stack.enter_context(contextlib.closing(processes.Contender(command)))
            _ = contenders[name].version  # ready from here on
            startup[name] = time.perf_counter() - start
        rows = raced(race, contenders, startup, kept, values.budget)
        versions = {name: contender.version for name, contender in contenders.items()}
    with files.written_aside(kept / "race.json") as aside:
        aside.write_text(json.dumps({"versions": versions, "startup": startup, "rows": rows}))


def commands_of(race: races.Race, seed: int, kept: pathlib.Path, values: absl_flags.FlagValues) -> dict[str, list[str]]:
    """What starts each contender, from files that are written for them."""
    wanted = {OURS: (TFGEN, ()), SAME: (race.peer, ())}
    wanted |= {SOONER: (TFGEN, race.sooner)} if race.sooner else {}
    wanted |= {PAPER: (race.peer, race.paper)} if values.paper else {}
    given = {}
    for number, further in enumerate(dict.fromkeys(further for _, further in wanted.values())):
        given[further] = (kept / f"{number}.npz").resolve()
        flags = race.flags(seed, further)
        workload.write(given[further], race.work(flags, experiment_of(flags)))
    return {
        name: processes.command_of(module, str(given[further]), python=None if module == TFGEN else values.python)
        for name, (module, further) in wanted.items()
    }


def raced(
    race: races.Race,
    contenders: Mapping[str, processes.Contender],
    startup: Mapping[str, float],
    kept: pathlib.Path,
    budget: float,
) -> list[dict]:
    """What was reached when: the contender, its updates and its seconds, start-up included."""
    seconds, rows = dict(startup), []
    for milestone in tqdm(race.milestones, unit="milestone"):
        running = [name for name in contenders if seconds[name] < budget or milestone == race.milestones[0]]
        outputs = {}
        for name in running:
            seconds[name] += contenders[name].seconds("wall")
            outputs[name] = contenders[name].outputs(samples_file(kept, name, milestone))
            rows.append({"contender": name, "update": milestone, "seconds": seconds[name]})
        if milestone == race.milestones[0]:
            check(race, outputs)
    return rows


def check(race: races.Race, outputs: Mapping[str, Mapping[str, np.ndarray]]) -> None:
    """Raises UserError unless the same recipe's first update was tfgen's."""
    for name in race.compared:
        ours, found = (float(outputs[contender][f"log/{name}"]) for contender in (OURS, SAME))
        if not abs(found - ours) <= TOLERANCE * abs(ours):
            raise UserError(f"{SAME}: expected a first update of {name} {ours:.7g}, as tfgen's, and found {found:.7g}")


def judged(race: races.Race, seed: int, kept: pathlib.Path) -> quality_page.Curves:
    """The race with the value of all samples, which is kept too."""
    if not (kept / "race.json").exists():
        raise UserError(f"--runs: expected a race and found none in {kept}; run without --norace")
    found = json.loads((kept / "race.json").read_text())
    if not all("value" in row for row in found["rows"]):
        ruler = race.ruler(experiment_of(race.flags(seed)), kept.parents[2] / "tables")
        for row in tqdm(found["rows"], unit="value"):
            with np.load(samples_file(kept, row["contender"], row["update"])) as file:
                row["value"] = ruler(file["image"])
        with files.written_aside(kept / "race.json") as aside:
            aside.write_text(json.dumps(found))
    return quality_page.Curves(**found)


def samples_file(kept: pathlib.Path, contender: str, update: int) -> pathlib.Path:
    """Where a contender's samples are kept."""
    slug = "".join(c if c.isalnum() else "_" for c in contender.lower())
    return (kept / f"{slug}-{update:06d}.npz").resolve()


def experiment_of(flags: list[str]) -> Experiment:
    """What a contender trains, as it starts."""
    with tempfile.TemporaryDirectory() as workdir:
        return Experiment(tfgen_training.values_of(flags, workdir))


if __name__ == "__main__":
    commands.run(main, define, __doc__)
