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
from trainers.run import commands, flags, identity
from trainers.run.metrics import Metrics, Row

CAPTIONS = {
    "chains": "What training synthesized: the persistent chains.",
    "samples": "What the model generates, of each class in turn if it has any.",
    "observed": "Training images.",
    "reconstructions": "Reconstructions of training images.",
    "landscape": "The energy's landscape: minima that training images descend to, joined at the "
    "lowest energy that a path between them must reach. The page landscape.html shows the images "
    "of each basin.",
    "uncertainty_with_export": "By the exported model: held-out images, what it was shown of them, "
    "the mean of its completions, how far they differ (white: most), and some of them.",
    "complete_with_export": "Held-out images, what the exported model was shown of them, and its "
    "completions.",
}
"""What is said under pictures of other origin than `trainers.sample`, by their names."""

MEANINGS = {
    "energy_gap": "data minus samples, nats; 0: alike",
    "energy_data": "of training images, nats",
    "energy_samples": "of the model's samples, nats",
    "reconstruction_error": "mean square, images in [-1, 1]",
    "kl_q_p": "inference from generator, nats",
    "latent_nll": "of latents read off samples, nats",
    "divergence": "the whole objective, nats",
    "loss": "nats per example",
    "acceptance": "share of accepted sampler steps",
    "largest_weight": "over all nets; a jump is a sign of divergence",
}
"""What logged numbers mean, a few words each; others have the endings below, or none."""

ENDINGS = {
    "_grad_norm": "norm of the gradient",
    "_learning_rate": "of this net",
    "_error": "lower is better",
}

LARGE = ("samples", "chains")
"""Sheets of training that are shown large, the newest after the first."""

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
    values = identity.flags_of(workdir)
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
        "large": _before_and_after(workdir),
        "pictures": _pictures(workdir),
        "curves": _curves(train),
    }


def latest(rows: list[Row]) -> list[Row]:
    """Returns the newest value of each measurement under each protocol.

    They come in the order in which they were first made.
    """
    found: dict[str, Row] = {}
    for row in rows:
        found[f"{row['metric']} {sorted(row['protocol'].items())}"] = row
    return list(found.values())


def _before_and_after(workdir: pathlib.Path) -> list[Picture]:
    """Returns the first and the newest sheet of what training generated."""
    found = []
    for name in LARGE:
        sheets = sorted((workdir / "samples").glob(f"{name}-*.png"))
        for sheet in dict.fromkeys([*sheets[:1], *sheets[-1:]]):
            step = int(sheet.stem.rpartition("-")[2])
            caption = f"{CAPTIONS[name]} After {step:,} updates."
            found.append(_picture(name, sheet.read_bytes()) | {"caption": caption})
    return found


def _pictures(workdir: pathlib.Path) -> list[Picture]:
    """Returns the newest of the other sheets of training, and what was drawn afterwards."""
    found = {}
    for path in sorted((workdir / "samples").glob("*.png")):
        name, _, _ = path.stem.rpartition("-")  # the step comes last, so that newer ones win
        if name not in LARGE:
            found[name] = path
    for path in [*sorted((workdir / "pictures").glob("*.png")), *workdir.glob("*.png")]:
        found[path.stem] = path
    return [_picture(name, path.read_bytes()) for name, path in found.items()]


def _picture(name: str, content: bytes) -> Picture:
    captions = CAPTIONS | listing.captions()
    return {
        "name": name.replace("_", " "),
        "data": base64.b64encode(content).decode(),
        "caption": captions.get(name, name),
    }


def _curves(train: list[Row]) -> Picture | None:
    """Returns all logged numbers over the updates in small panels, if there are several rows."""
    if len(train) < 2:
        return None
    names = [name for name in train[-1] if name not in ("kind", "step", "seconds")]
    steps = [row["step"] for row in train]
    columns = 3
    rows = -(-len(names) // columns)
    figure = matplotlib.figure.Figure(figsize=(10, 2.2 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel, name in zip(panels, names, strict=False):
        panel.plot(steps, [row.get(name) for row in train], linewidth=1.4)
        panel.set_title(f"{name.replace('_', ' ')}\n{meaning(name)}", fontsize=8)
        panel.tick_params(labelsize=7)
        panel.spines[["top", "right"]].set_visible(False)
    for panel in panels[len(names) :]:
        panel.set_visible(False)
    with io.BytesIO() as file:
        figure.savefig(file, format="png", dpi=110)
        caption = "Training curves over the updates: means over each logging interval."
        return _picture("curves", file.getvalue()) | {"caption": caption}


def meaning(name: str) -> str:
    """Returns what a logged number means, in a few words; none where its name says it."""
    endings = (words for ending, words in ENDINGS.items() if name.endswith(ending))
    return MEANINGS.get(name) or next(endings, "")


if __name__ == "__main__":
    commands.run(main, define, __doc__)
