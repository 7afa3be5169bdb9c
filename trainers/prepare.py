"""Prepares a data set, so that training starts at once: decodes and resizes it onto the disk.

    python -m trainers.prepare --dataset=NAME [--image_size=64] [--channels=1] [--data_dir=DIR]
    python -m trainers.prepare --flagfile=RECIPE [overrides]
    python -m trainers.prepare --dataset=folder:PATH --runner=direct|flink|spark|dataflow

Training does the same by itself if a data set is large. After an interruption the same command
goes on. With --runner, Apache Beam (the extra `beam`) decodes pictures on many machines; all must
see the pictures and the data directory under the same paths.
"""

import importlib.util
import shutil
from typing import Any

import numpy as np
from absl import flags as absl_flags

from tfgen.data import description, shards, store
from tfgen.data.examples import Images
from tfgen.errors import UserError
from trainers.run import commands, dataset, flags, stated

RUNNERS = {
    "direct": "DirectRunner",
    "flink": "FlinkRunner",
    "spark": "SparkRunner",
    "dataflow": "DataflowRunner",
}
"""Beam's names of what runs a pipeline."""


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command: those of training, so that its flagfiles serve here."""
    flags.define(values)
    where: dict[str, Any] = {"flag_values": values, "module_name": "trainers.prepare"}
    text = "Decode by Apache Beam, on one machine or many; by default by this machine's threads."
    absl_flags.DEFINE_enum("runner", None, list(RUNNERS), text, **where)
    text = "Beam's other options, such as --flink_master=HOST:PORT."
    absl_flags.DEFINE_list("runner_options", [], text, **where)


def main(values: absl_flags.FlagValues) -> None:
    """Prepares the data set."""
    flags.require(values, "dataset")
    values["dataset"].value = dataset.absolute(values.dataset)
    if values.runner is not None:
        prepare_by_beam(values)
    loaded = dataset.images(values, always=True)
    # what every start asks for
    description.facts(loaded)
    loaded.train.mean()
    print(said(loaded))


def said(loaded: Images) -> str:
    """Returns where prepared data are, in words.

    Args:
        loaded: the data set.
    """
    image = loaded.train.image
    folder = None if isinstance(image, np.ndarray) else image.folder
    if folder is None:
        return f"{loaded.description.name}: nothing to prepare; each start reads it into memory"
    size = sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
    return f"{folder}: prepared, {size / 2**20:,.1f} MiB"


def prepare_by_beam(values: absl_flags.FlagValues) -> None:
    """Prepares all splits of a folder by Apache Beam.

    Args:
        values: the flags, set.

    Raises:
        UserError: if the data are no folder, Beam is not installed, or a picture cannot be read.
    """
    request = dataset.request(values)
    found, place = request.contents(), request.place()
    folder = place / "shards"
    jobs = shards.planned(request, found, folder)
    if (place / store.FILE).exists():
        return
    if importlib.util.find_spec("apache_beam") is None:
        raise UserError("--runner: needs apache-beam; install the extra `beam`")
    from trainers.run import bulk  # Beam, which not everybody has

    for job in jobs:
        job.failure.unlink(missing_ok=True)
    missing = [job for job in jobs if not job.path.exists()]
    bulk.run(missing, RUNNERS[values.runner], values.runner_options)
    whole = shards.gathered(found, jobs)
    kept = store.Store(request, place, whole, stated.shown, stated.say)
    for split in found.splits:
        kept.split(split)
    shutil.rmtree(folder)


if __name__ == "__main__":
    commands.run(main, define, __doc__ or "")
