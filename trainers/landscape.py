"""Maps a trained energy: its local minima, the barriers between them, the tree that these make.

    python -m trainers.landscape --workdir=DIR [--landscape.num_images=N] [--landscape.PARAMETER=VALUE]

Writes DIR/landscape.png, DIR/landscape.html (point at a leaf: the minimum and the images that descend to it) and
DIR/landscape.npz, and the measurement `landscape` to metrics.jsonl and TensorBoard.
"""

import pathlib

import numpy as np
import tensorflow as tf
from absl import flags as absl_flags
from tqdm import tqdm

from tfgen import files
from tfgen.analysis.landscape import Landscape
from tfgen.evaluation.landscape import Landscape as Evaluator
from trainers import evaluate
from trainers.drawings import disconnectivity, pictures
from trainers.run import catalogue, commands, experiment, flags

NAMES = ("landscape.png", "landscape.html", "landscape.npz")


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = {"flag_values": values, "module_name": "trainers.landscape"}
    absl_flags.DEFINE_string("workdir", None, "The run whose energy to map.", **where)
    absl_flags.DEFINE_string(
        "output", None, "Where to write the three files; the run's directory by default.", **where
    )
    absl_flags.DEFINE_integer(
        "leaves", 40, "Basins drawn, at most; the shallowest are left out.", 2, **where
    )
    absl_flags.DEFINE_integer("seed", 0, "Of all that is drawn.", **where)
    flags.define_parameters(values, "landscape", catalogue.hyperparameters(Evaluator), Evaluator)


def main(values: absl_flags.FlagValues) -> None:
    """Maps, draws, measures."""
    flags.require(values, "workdir")
    trained = experiment.restored(pathlib.Path(values.workdir))
    given = {p: values[f"landscape.{p}"].value for p in catalogue.hyperparameters(Evaluator)}
    evaluator = Evaluator(trained.algorithm, trained.images, seed=values.seed, **given)
    with Bars() as bars:
        found = evaluator.survey(bars)
    start, label = evaluator.own("train", len(found.minima.member)), trained.images.train.label
    drawing = disconnectivity.Drawing.of(found, start, label, values.leaves)
    output = pathlib.Path(values.output or values.workdir)
    paths = [output / name for name in NAMES]
    picture = drawing.picture()
    pictures.save(paths[0], picture)
    with tf.summary.create_file_writer(str(trained.workdir / "tensorboard")).as_default(
        trained.algorithm.num_updates
    ):
        tf.summary.image("landscape", picture[None])
    with files.written_aside(paths[1]) as aside:
        aside.write_text(drawing.page(trained.workdir.name))
    save(paths[2], found, start, label)
    evaluate.record(trained, "landscape", evaluator, evaluator.values(found))
    print(*paths, sep="\n")


def save(path: pathlib.Path, found: Landscape, start: np.ndarray, label: np.ndarray | None) -> None:
    """Everything that was found, as arrays."""
    arrays = {
        "start": start,
        "pairs": found.pairs,
        "straight": found.straight,
        "barrier": found.barrier,
    }
    arrays |= {
        "bent": found.bent,
        "nodes": np.array(found.nodes).reshape(-1, 3),
        **found.minima._asdict(),
    }
    if label is not None:
        arrays["label"] = label[: len(start)]
    with files.written_aside(path) as aside:
        np.savez_compressed(aside, **arrays)


class Bars:
    """A bar of progress for each kind of work, one after the other."""

    def __init__(self):
        self.bar = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._close()

    def __call__(self, what: str, done: int, total: int) -> None:
        if self.bar is None or (self.bar.desc, self.bar.total) != (f"{what}: ", total):
            self._close()
            self.bar = tqdm(desc=what, total=total)
        self.bar.update(done - self.bar.n)

    def _close(self):
        if self.bar is not None:
            self.bar.close()


if __name__ == "__main__":
    commands.run(main, define, __doc__)
