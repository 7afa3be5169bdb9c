"""Maps a trained energy: its local minima, the barriers between them, and the tree these make.

    python -m trainers.landscape --workdir=DIR [--landscape.PARAMETER=VALUE]

Writes DIR/landscape.png, DIR/landscape.html and DIR/landscape.npz. Point at a leaf of the page to
see its minimum and the images that descend to it. Also writes the measurement `landscape` to
metrics.jsonl and TensorBoard.
"""

import pathlib
from typing import Any

import numpy as np
import tensorflow as tf
from absl import flags as absl_flags
from tqdm import tqdm

from tfgen import files
from tfgen.analysis.landscape import EnergyLandscape
from tfgen.evaluation.landscape import Landscape
from trainers import evaluate
from trainers.drawings import disconnectivity, pictures
from trainers.run import best, commands, dataset, flags
from trainers.run.trained import Trained, restored

NAMES = ("landscape.png", "landscape.html", "landscape.npz")


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where: dict[str, Any] = {"flag_values": values, "module_name": "trainers.landscape"}
    absl_flags.DEFINE_string("workdir", None, "The run whose energy to map.", **where)
    text = "Where to write the three files; the run's directory by default."
    absl_flags.DEFINE_string("output", None, text, **where)
    best.define_step(values, "trainers.landscape", "use")
    text = "Basins drawn, at most; the shallowest are left out."
    absl_flags.DEFINE_integer("leaves", 40, text, lower_bound=2, **where)
    flags.define_seed(values, where["module_name"])
    dataset.define_moved(values, where["module_name"])
    flags.define_parameters(values, Landscape.name(), evaluate.parameters(Landscape), Landscape)


def main(values: absl_flags.FlagValues) -> None:
    """Maps, draws, measures."""
    flags.require(values, "workdir")
    trained = restored(values.workdir, values.step, moved_to=values.dataset)
    given = {"seed": values.seed, "jit": trained.jit_compile}
    given |= evaluate.protocol(Landscape, values)
    evaluator = Landscape(trained.model, trained.images, **given)
    with Bars() as bars:
        found = evaluator.survey(bars)
    paths = [pathlib.Path(values.output or values.workdir) / name for name in NAMES]
    write(trained, found, paths, values.leaves)
    evaluate.record(trained, evaluator, evaluator.values(found))
    print(*paths, sep="\n")


def write(trained: Trained, found: EnergyLandscape, paths: list[pathlib.Path], leaves: int) -> None:
    """Writes a landscape as a picture, a page and arrays, and the picture to TensorBoard.

    Args:
        trained: the run.
        found: its landscape.
        paths: of the three files.
        leaves: basins drawn, at most.
    """
    picture_path, page_path, arrays_path = paths
    train = trained.images.train
    start = train.shown(len(found.minima.member))
    label = None if train.label is None else train.label[: len(start)]
    drawing = disconnectivity.DisconnectivityGraph.of(found, start, label, leaves)
    picture = drawing.picture()
    pictures.save(picture_path, picture)
    writer = tf.summary.create_file_writer(str(trained.workdir / "tensorboard"))
    with writer.as_default(trained.step):
        tf.summary.image("landscape", picture[None])
    with files.written_aside(page_path) as aside:
        aside.write_text(drawing.page(trained.workdir.name))
    save(arrays_path, found, start, label)


def save(
    path: pathlib.Path, found: EnergyLandscape, start: np.ndarray, label: np.ndarray | None
) -> None:
    """Writes everything that was found, as arrays.

    Args:
        path: an .npz file.
        found: the landscape.
        start: the images that descended, [n, h, w, c].
        label: of them, [n], or None.
    """
    arrays = {
        "start": start,
        "pairs": found.pairs,
        "straight": found.straight,
        "barrier": found.barrier,
        "bent": found.bent,
        "nodes": np.array(found.nodes).reshape(-1, 3),
        **found.minima._asdict(),
    }
    if label is not None:
        arrays["label"] = label
    with files.written_aside(path) as aside:
        np.savez_compressed(aside, **arrays)


class Bars:
    """A bar of progress for each kind of work, one after the other."""

    def __init__(self) -> None:
        self.bar: tqdm | None = None

    def __enter__(self) -> "Bars":
        return self

    def __exit__(self, *error: object) -> None:
        self._close()

    def __call__(self, work: str, done: int, total: int) -> None:
        if self.bar is None or (self.bar.desc, self.bar.total) != (f"{work}: ", total):
            self._close()
            self.bar = tqdm(desc=work, total=total)
        self.bar.update(done - self.bar.n)

    def _close(self) -> None:
        if self.bar is not None:
            self.bar.close()


if __name__ == "__main__":
    commands.run(main, define, __doc__)
