"""Trains the package's pretrained models, measures what is kept of them, and writes their page.

    python -m experiments.zoo [--names=A,B] [--runs=DIR] [--output=PAGE] [--page_only]

A model is trained in DIR/NAME, or goes on where it stopped. Its weights are rounded to 16 bits and
written to tfgen/pretrained/NAME; numbers and samples are those of the rounded weights.
"""

import json
import math
import pathlib
import shutil
from collections.abc import Iterable, Mapping
from typing import Any

import jinja2
from absl import flags as absl_flags
from tqdm import tqdm

from experiments import command_flags, pages, runs, zoo_models
from experiments.zoo_models import Entry, Tolerance
from export.card import terms
from tfgen import files, pretrained
from tfgen.models import saved
from tfgen.pretrained import Card
from tfgen.version import __version__
from trainers.run import checkpoints, commands, dataset, flags, parsing, unpacking
from trainers.run.metrics import Metrics, Row
from trainers.run.trained import restored

Measured = Mapping[str, Mapping[str, Any]]
"""Values with their protocols, by name."""

PLACES = ("dataset", "manual_dir")
"""Flags that hold a place, which is kept as the recipe names it."""

PAGE = """\
# Pretrained models

These models come with the package. `tfgen.load("NAME")` reads one, and
`tfgen zoo --name=NAME --workdir=DIR` makes a work directory of it, which every command takes.
Samples are unchosen. Numbers are of the weights that are kept, by the protocol on the card
(`tfgen zoo --show=NAME`). Written by `python -m experiments.zoo`.
{% for card in cards %}
## {{ card.name }}

{{ card.shows }}

![Unchosen samples of {{ card.name }}](images/zoo/{{ card.name }}.png)

```
{{ card.command }}
{{ card.samples }}
```

{{ card.image_shape | join("x") }}; {{ "{:,}".format(card.parameters) }} parameters;
{{ "{:,}".format(card.updates) }} updates; seed {{ card.seed }}; data: {{ card.dataset }}.
Terms of the data: {{ card.data_terms }}.

| measured | value |
|---|---|
{% for name, row in card.measured.items() -%}
| `{{ name }}` | {{ "%.4g" | format(row.value) }} |
{% endfor -%}
{% endfor %}"""


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = command_flags.place(values, "experiments.zoo")
    known = list(zoo_models.ENTRIES)
    absl_flags.DEFINE_list("names", known, f"Some of {', '.join(known)}.", **where)
    absl_flags.DEFINE_string("runs", "runs/zoo", "Where models are trained.", **where)
    absl_flags.DEFINE_string("output", "docs/zoo.md", "The page to write.", **where)
    absl_flags.DEFINE_boolean("page_only", False, "Write the page of what is there.", **where)


def main(values: absl_flags.FlagValues) -> None:
    """Trains, packs and measures what is asked for, and writes the page."""
    command_flags.require_known("names", values.names, zoo_models.ENTRIES)
    if not values.page_only:
        for name in tqdm(values.names, unit="model"):
            make(name, zoo_models.ENTRIES[name], pathlib.Path(values.runs))
    page = pathlib.Path(values.output)
    write_page(page)
    print(page)


def make(name: str, entry: Entry, root: pathlib.Path) -> None:
    """Trains a model to its end, and writes its directory in the package.

    Args:
        name: of the model.
        entry: what it is.
        root: of the runs.
    """
    workdir, training = root / name, training_of(entry)
    printed = pretrained.card_of(name).measured if name in pretrained.names() else {}
    # a run that has come to its end is left as it is
    runs.call("trainers.main", *training, f"--workdir={workdir}")
    with files.written_aside(pretrained.DIRECTORY / name) as aside:
        pack(name, entry, workdir, aside)
    measure(name, entry, root / f"{name}-packed")
    for line in changed(printed, pretrained.card_of(name).measured, entry.tolerance):
        print(f"{name}: {line}")


def changed(printed: Measured, found: Measured, tolerance: Tolerance) -> list[str]:
    """Says which numbers are further from the printed ones than a tolerance allows.

    Args:
        printed: the numbers of the card before, by name; none for a new model.
        found: those of today.
        tolerance: how far they may be.
    """
    lines = []
    for name, row in printed.items():
        before = row["value"]
        now = found[name]["value"] if name in found else math.nan
        allowed = tolerance.relative * abs(before) + tolerance.absolute
        if not abs(now - before) <= allowed:  # also where it was not measured
            lines.append(f"{name} was {before:.4g} and is {now:.4g}")
    return lines


def training_of(entry: Entry) -> list[str]:
    """Returns the flags of a model's training, without its work directory."""
    return [f"--flagfile={runs.FLAGFILES / entry.recipe}.flags", *entry.changes]


def pack(name: str, entry: Entry, workdir: pathlib.Path, directory: pathlib.Path) -> None:
    """Writes a run's model, its card without numbers, and what the run was made with.

    Args:
        name: of the model.
        entry: what it is.
        workdir: of the run.
        directory: to write.
    """
    step = entry.step or checkpoints.steps(workdir / "checkpoints")[-1]
    trained = restored(workdir, step)
    trained.model.save(directory, compact=True)
    values, asked = trained.values, _asked(entry)
    data = dataset.remembered(workdir)
    for place in PLACES:
        values[place].value = asked[place].value
    data["source"] = values.dataset
    for place in ("workdir", "data_dir"):  # of this machine
        values[place].value = None
    (directory / saved.FLAGS).write_text(flags.written(values), encoding="utf-8")
    (directory / dataset.FILE).write_text(json.dumps(data) + "\n", encoding="utf-8")
    rows = [row for row in trained.metrics.rows("train") if row["step"] <= step]
    (directory / unpacking.METRICS).write_text(_lines(rows), encoding="utf-8")
    card = Card(
        name=name,
        shows=entry.shows,
        algorithm=values.algorithm,
        nets=values.nets,
        parameters=trained.model.count_params(),
        image_shape=trained.model.image_shape,
        recipe=entry.recipe,
        command=_command("trainers.main", *training_of(entry), f"--workdir=runs/{name}"),
        updates=step,
        seed=values.seed,
        dataset=values.dataset,
        data_terms=terms.of(entry.data or values.dataset),
        measured={},
        samples=_command(
            "trainers.sample", f"--workdir=runs/{name}", *entry.sample, "--output=samples.png"
        ),
        sha256=pretrained.hash_of(directory / saved.WEIGHTS),
        tfgen=__version__,
    )
    (directory / pretrained.CARD).write_text(card.to_json(), encoding="utf-8")


def measure(name: str, entry: Entry, workdir: pathlib.Path) -> None:
    """Measures a packed model and draws its samples, from a work directory made of it."""
    if workdir.exists():
        shutil.rmtree(workdir)
    unpacking.unpack(name, workdir)
    names = f"--metrics={','.join(entry.metrics)}"
    runs.call("trainers.evaluate", f"--workdir={workdir}", names, *entry.protocol)
    picture = workdir / pretrained.SAMPLES
    runs.call("trainers.sample", f"--workdir={workdir}", *entry.sample, f"--output={picture}")
    rows = Metrics(workdir / unpacking.METRICS).rows("evaluation")
    directory = pretrained.path_of(name)
    card = json.loads((directory / pretrained.CARD).read_text(encoding="utf-8"))
    card["measured"] = {
        row["metric"]: {"value": row["value"], "protocol": row["protocol"]} for row in rows
    }
    _replace(directory / pretrained.CARD, json.dumps(card, indent=1) + "\n")
    rows = Metrics(workdir / unpacking.METRICS).rows()
    _replace(directory / unpacking.METRICS, _lines(rows))
    with files.written_aside(directory / pretrained.SAMPLES) as aside:
        shutil.copyfile(picture, aside)


def write_page(page: pathlib.Path) -> None:
    """Writes the page of all pretrained models, with their samples beside it."""
    order = list(zoo_models.ENTRIES)
    names = sorted(pretrained.names(), key=order.index)
    for name in names:
        picture, _ = pages.picture(page, f"zoo/{name}.png")
        with files.written_aside(picture) as aside:
            shutil.copyfile(pretrained.path_of(name) / pretrained.SAMPLES, aside)
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    text = environment.from_string(PAGE).render(cards=map(pretrained.card_of, names))
    _replace(page, text)


def _asked(entry: Entry) -> absl_flags.FlagValues:
    """Returns the flags of a model's training, as they were given."""
    values = absl_flags.FlagValues()
    parsing.define_shared(values)
    flags.define(values)
    parsing.parse(["", *training_of(entry)], values)
    return values


def _lines(rows: Iterable[Row]) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def _command(module: str, *given: str) -> str:
    return " ".join(["python -m", module, *given])


def _replace(path: pathlib.Path, text: str) -> None:
    with files.written_aside(path) as aside:
        aside.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    commands.run(main, define, __doc__)
