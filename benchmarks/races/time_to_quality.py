"""Seconds of training until samples are so good: tfgen, and in PyTorch the same recipe and the paper's.

    python -m benchmarks.races.time_to_quality [--workloads=brick,digits,pebbles] [--seeds=0] [--page=benchmarks/results.md]

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
from collections.abc import Mapping, Sequence

import numpy as np
from absl import flags as absl_flags
from tqdm import tqdm

from benchmarks import races
from benchmarks.peers import workload
from benchmarks.peers.contenders import tfgen_training
from benchmarks.races import quality_page
from benchmarks.races.quality_page import OURS, PAPER, SAME
from benchmarks.speed import options, processes
from experiments import pages
from tfgen import files
from tfgen.errors import UserError
from trainers.run import commands
from trainers.run.experiment import Experiment

TFGEN = "tfgen_training"
TOLERANCE = 1e-3
"""Of what the first update logs, relative."""


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = {"flag_values": values, "module_name": "benchmarks.races.time_to_quality"}
    absl_flags.DEFINE_list("workloads", list(races.ALL), f"Some of {','.join(races.ALL)}.", **where)
    absl_flags.DEFINE_list("seeds", ["0"], "Of the trainings; curves are means over them.", **where)
    absl_flags.DEFINE_float(
        "budget", 600, "Seconds of training after which a library stops.", lower_bound=0, **where
    )
    absl_flags.DEFINE_boolean(
        "paper", True, "Whether PyTorch also trains with the paper's own constants.", **where
    )
    absl_flags.DEFINE_boolean(
        "race", True, "Whether to train what was not trained, or measure and write alone.", **where
    )
    options.define_python(where)
    absl_flags.DEFINE_string("runs", "runs/quality", "Where samples and times are kept.", **where)
    options.define_page(where)


def main(values: absl_flags.FlagValues) -> None:
    """Trains, measures, writes."""
    for name in set(values.workloads) - set(races.ALL):
        raise UserError(f"--workloads: expected some of {', '.join(races.ALL)} and found {name}")
    if not all(seed.isdigit() for seed in values.seeds):
        raise UserError(f"--seeds: expected numbers and found {','.join(values.seeds)}")
    if values.race:
        options.require_python(values, "bench-peers")
    for name in values.workloads:
        curves = []
        for seed in values.seeds:
            kept = pathlib.Path(values.runs) / name / seed
            if values.race:
                run(races.ALL[name], int(seed), kept, values)
            curves.append(judged(races.ALL[name], int(seed), kept))
        show(name, curves, values)


def show(name: str, curves: list[quality_page.Curves], values: absl_flags.FlagValues) -> None:
    """Prints a race's part, and puts it in the page beside its picture if there is to be one."""
    given = [
        f"--workloads={name}",
        f"--seeds={','.join(values.seeds)}",
        f"--budget={values.budget:g}",
    ]
    given += [] if values.paper else ["--nopaper"]
    page, picture = values.page and pathlib.Path(values.page), f"quality_{name}.png"
    command = f"python -m benchmarks.races.time_to_quality {' '.join(given)}"
    text = quality_page.render(races.ALL[name], curves, command, picture if page else None)
    print(text, end="\n\n", flush=True)
    if page:
        quality_page.draw(races.ALL[name], curves, page.parent / picture)
        pages.put(page, f"quality_{name}", text)


def run(race: races.Race, seed: int, kept: pathlib.Path, values: absl_flags.FlagValues) -> None:
    """Trains those that were not trained, and keeps samples and times."""
    found = read(kept) or {"versions": {}, "startup": {}, "rows": []}
    plan = {
        name: entered
        for name, entered in plan_of(race, values.paper).items()
        if name not in found["versions"]
    }
    with contextlib.ExitStack() as stack:
        contenders = {}
        for name, (module, further) in plan.items():
            command = command_of(
                race, module, race.flags(seed, further), place(kept, name), values.python
            )
            start = time.perf_counter()
            contenders[name] = stack.enter_context(contextlib.closing(processes.Contender(command)))
            found["versions"][name] = contenders[name].version  # ready from here on
            found["startup"][name] = time.perf_counter() - start
        if contenders:
            found["rows"] += raced(race, contenders, found["startup"], kept, values.budget)
            write(kept, found)


def plan_of(race: races.Race, paper: bool) -> dict[str, tuple[str, Sequence[str]]]:
    """By contender, the module that trains it, and flags beside the flagfile's."""
    plan = {OURS: (TFGEN, ()), SAME: (race.peer, ())}
    return plan | ({PAPER: (race.peer, race.paper)} if paper else {})


def command_of(
    race: races.Race, module: str, flags: list[str], file: pathlib.Path, python: str
) -> list[str]:
    """What starts a contender, by a file that is written for it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    workload.write(file, race.work(flags, experiment_of(flags)))
    return processes.command_of(module, str(file), python=None if module == TFGEN else python)


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
        for name, contender in contenders.items():
            if seconds[name] < budget or milestone == race.milestones[0]:
                seconds[name] += contender.seconds("wall")
                contender.outputs(place(kept, name, milestone))
                rows.append({"contender": name, "update": milestone, "seconds": seconds[name]})
        if milestone == race.milestones[0]:
            check(
                race, {name: dict(np.load(place(kept, name, milestone))) for name in (OURS, SAME)}
            )
    return rows


def check(race: races.Race, outputs: Mapping[str, Mapping[str, np.ndarray]]) -> None:
    """Raises UserError unless the same recipe's first update was tfgen's."""
    for name in race.compared:
        ours, found = (float(outputs[contender][f"log/{name}"]) for contender in (OURS, SAME))
        if not abs(found - ours) <= TOLERANCE * abs(ours):
            raise UserError(
                f"{SAME}: expected a first update of {name} {ours:.7g}, as tfgen's, and found {found:.7g}"
            )


def judged(race: races.Race, seed: int, kept: pathlib.Path) -> quality_page.Curves:
    """The race with the value of all samples, which is kept too."""
    found = read(kept)
    if found is None:
        raise UserError(f"--runs: expected a race and found none in {kept}; run without --norace")
    unknown = [row for row in found["rows"] if "value" not in row]
    if unknown:
        ruler = race.ruler(experiment_of(race.flags(seed)), kept.parents[2] / "tables")
        for row in tqdm(unknown, unit="value"):
            with np.load(place(kept, row["contender"], row["update"])) as file:
                row["value"] = ruler(file["image"])
        write(kept, found)
    return quality_page.Curves(**found)


def read(kept: pathlib.Path) -> dict | None:
    """What a race left: versions, startup, rows; None if there was none."""
    record = kept / "race.json"
    return json.loads(record.read_text()) if record.exists() else None


def write(kept: pathlib.Path, found: dict) -> None:
    """Keeps what `read` reads."""
    with files.written_aside(kept / "race.json") as aside:
        aside.write_text(json.dumps(found))


def place(kept: pathlib.Path, contender: str, update: int | None = None) -> pathlib.Path:
    """Where a contender's samples after so many updates are kept, or what it is given."""
    slug = "".join(c if c.isalnum() else "_" for c in contender.lower())
    return (kept / (f"{slug}.npz" if update is None else f"{slug}-{update:06d}.npz")).resolve()


def experiment_of(flags: list[str]) -> Experiment:
    """What a contender trains, as it starts."""
    with tempfile.TemporaryDirectory() as workdir:
        return Experiment(tfgen_training.values_of(flags, workdir))


if __name__ == "__main__":
    commands.run(main, define, __doc__)
