"""Writes one page about one or several runs: pictures, training curves, measurements.

python -m trainers.report --workdirs=DIR[,DIR...] --output=FILE.html
"""

import base64
import io
import pathlib
from typing import Any

import jinja2
import matplotlib.figure
from absl import flags as absl_flags

from tfgen import files
from tfgen.errors import UserError
from tfgen.version import __version__
from trainers.drawings import listing
from trainers.run import commands, experiment, flags
from trainers.run.metrics import Metrics, Row

CAPTIONS = {
    "chains": "What training synthesized: the persistent chains after the last update.",
    "samples": "What the model made after the last update, of each class in turn if it has any.",
    "observed": "Training images.",
    "reconstructions": "Their reconstructions.",
    "landscape": "The energy's landscape: minima that training images descend to, joined at the "
    "lowest energy that a path between them must reach. The page landscape.html shows the images "
    "of each basin.",
    "uncertainty_with_export": "By the exported model: held-out images, what it was shown of them, "
    "the mean of its completions, how far they differ (white: most), and some of them.",
    "complete_with_export": "Held-out images, what the exported model was shown of them, and its "
    "completions.",
}
"""What is said under pictures of other origin than `trainers.sample`, by their names."""


Picture = dict[str, str]
"""A picture's name, its content in base 64, and its caption."""


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where: dict[str, Any] = {"flag_values": values, "module_name": "trainers.report"}
    absl_flags.DEFINE_list("workdirs", [], "The runs to report on.", **where)
    absl_flags.DEFINE_string("output", None, "The page to write, an .html file.", **where)
    absl_flags.DEFINE_string("title", "tfgen report", "Its heading.", **where)


def main(values: absl_flags.FlagValues) -> None:
    """Writes the page."""
    flags.require(values, "output")
    if not values.output.endswith(".html"):
        raise UserError(f"--output: expected an .html file and found {values.output}")
    if not values.workdirs:
        raise UserError("--workdirs: expected the directories of some runs and found none")
    loader = jinja2.PackageLoader("trainers")
    template = jinja2.Environment(loader=loader, autoescape=True).get_template("report.html")
    runs = [describe(pathlib.Path(workdir)) for workdir in values.workdirs]
    output = pathlib.Path(values.output)
    with files.written_aside(output) as aside:
        aside.write_text(template.render(title=values.title, version=__version__, runs=runs))
    print(output)


def describe(workdir: pathlib.Path) -> dict[str, Any]:
    """Returns everything that the page says of one run."""
    values = experiment.read(workdir)
    metrics = Metrics(workdir / "metrics.jsonl")
    train = metrics.rows("train")
    return {
        "name": workdir.name,
        "workdir": workdir,
        "algorithm": values.algorithm,
        "nets": values.nets,
        "dataset": values.dataset,
        "steps": train[-1]["step"] if train else 0,
        "seconds": sum(row["seconds"] for row in train),
        "guards": metrics.rows("guard"),
        "rows": latest(metrics.rows("evaluation")),
        "verdicts": latest(metrics.rows("verdict")),
        "pictures": _pictures(workdir) + _curves(train),
    }


def latest(rows: list[Row]) -> list[Row]:
    """Returns the newest value of each measurement under each protocol.

    They come in the order in which they were first made.
    """
    found: dict[str, Row] = {}
    for row in rows:
        found[f"{row['metric']} {sorted(row['protocol'].items())}"] = row
    return list(found.values())


def _pictures(workdir: pathlib.Path) -> list[Picture]:
    """Returns the newest sheet of each name from training, then what was drawn afterwards."""
    found = {}
    for path in sorted((workdir / "samples").glob("*.png")):
        name, _, _ = path.stem.rpartition("-")  # the step comes last, so that newer ones win
        found[name] = path
    for path in [*sorted((workdir / "pictures").glob("*.png")), *workdir.glob("*.png")]:
        found[path.stem] = path
    return [_picture(name, path.read_bytes()) for name, path in found.items()]


def _picture(name: str, content: bytes) -> Picture:
    captions = CAPTIONS | listing.captions()
    return {
        "name": name,
        "data": base64.b64encode(content).decode(),
        "caption": captions.get(name, name),
    }


def _curves(train: list[Row]) -> list[Picture]:
    """Returns all logged numbers over the updates in small panels, if there are several rows."""
    if len(train) < 2:
        return []
    names = [name for name in train[-1] if name not in ("kind", "step", "seconds")]
    steps = [row["step"] for row in train]
    columns = 3
    rows = -(-len(names) // columns)
    figure = matplotlib.figure.Figure(figsize=(10, 2.2 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel, name in zip(panels, names, strict=False):
        panel.plot(steps, [row.get(name) for row in train], linewidth=1)
        panel.set_title(name.replace("_", " "), fontsize=9)
        panel.tick_params(labelsize=7)
    for panel in panels[len(names) :]:
        panel.set_visible(False)
    with io.BytesIO() as file:
        figure.savefig(file, format="png", dpi=110)
        caption = "Training curves: means over each logging interval."
        return [_picture(caption, file.getvalue())]


if __name__ == "__main__":
    commands.run(main, define, __doc__)
