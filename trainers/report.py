"""Writes one page about one or several runs: pictures, training curves, measurements.

python -m trainers.report --workdirs=DIR[,DIR...] --output=FILE.html
"""

import base64
import io
import pathlib

import jinja2
import matplotlib.figure
from absl import flags as absl_flags

from tfgen import files
from tfgen.errors import UserError
from tfgen.version import __version__
from trainers.run import commands, experiment, flags
from trainers.run.metrics import Metrics, Row

CAPTIONS = {
    "chains": "What training synthesized: the persistent chains after the last update.",
    "samples": "What the model makes after the last update, of each class in turn if it has classes.",
    "observed": "Training images.",
    "reconstructions": "Their reconstructions.",
    "generate": "New samples.",
    "reconstruct": "Held-out images (above) and their reconstructions.",
    "interpolate": "From one held-out image to another through their latents.",
    "encode": "Where held-out images lie among the latents.",
    "score": "Held-out images in the order of their energies, in nats: the likeliest first.",
    "landscape": "The energy's landscape: minima that training images descend to, joined at the least energy that a "
    "way between them must climb to. The page landscape.html shows the images of each basin.",
    "anomaly": "Held-out images, and where their energy is steepest (white: most).",
    "memories": "Training images (above) and the local modes that noise-free descent takes them to.",
    "synthesize": "A sample larger than the images that were trained on.",
    "uncertainty_with_export": "By the exported model: held-out images, what it was shown of them, the mean of its "
    "completions, how far they differ (white: most), and some of them.",
    "complete_with_export": "Held-out images, what the exported model was shown of them, and its completions.",
}
"""What is said under a picture, by its name."""


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = {"flag_values": values, "module_name": "trainers.report"}
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


def describe(workdir: pathlib.Path) -> dict:
    """Everything the page says of one run."""
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
        "pictures": _pictures(workdir) + ([_curves(train)] if len(train) > 1 else []),
    }


def latest(rows: list[Row]) -> list[Row]:
    """The newest value of each measurement under each protocol, in the order they were first made."""
    found: dict[str, Row] = {}
    for row in rows:
        found[f"{row['metric']} {sorted(row['protocol'].items())}"] = row
    return list(found.values())


def _pictures(workdir: pathlib.Path) -> list[dict]:
    """The newest sample sheet of each name, then what was drawn from the trained model."""
    newest = {
        path.stem.rpartition("-")[0]: path for path in sorted((workdir / "samples").glob("*.png"))
    }
    drawn = {
        path.stem: path
        for path in [*sorted((workdir / "pictures").glob("*.png")), *workdir.glob("*.png")]
    }
    return [_picture(name, path.read_bytes()) for name, path in (newest | drawn).items()]


def _picture(name: str, content: bytes) -> dict:
    return {
        "name": name,
        "data": base64.b64encode(content).decode(),
        "caption": CAPTIONS.get(name, name),
    }


def _curves(train: list[Row]) -> dict:
    """All logged numbers over the updates, in small panels."""
    names = [n for n in train[-1] if n not in ("kind", "step", "seconds")]
    columns = 3
    rows = -(-len(names) // columns)
    figure = matplotlib.figure.Figure(figsize=(10, 2.2 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel, name in zip(panels, names, strict=False):
        panel.plot([row["step"] for row in train], [row.get(name) for row in train], linewidth=1)
        panel.set_title(name.replace("_", " "), fontsize=9)
        panel.tick_params(labelsize=7)
    for panel in panels[len(names) :]:
        panel.set_visible(False)
    with io.BytesIO() as file:
        figure.savefig(file, format="png", dpi=110)
        return _picture("Training curves: means over each logging interval.", file.getvalue())


if __name__ == "__main__":
    commands.run(main, define, __doc__)
