"""Measures the start of a recipe on a large data set of TensorFlow Datasets, made of noise.

    python -m benchmarks.speed.large_data [--recipe=divergence_triangle_imagenet32] \
        [--pictures=300000] [--side=32] [--steps=3] [--batch_size=N] [--directory=PLACE]

The shards of the recipe's data set are written under --directory as TensorFlow Datasets would have
prepared it: its features, names and encoding, with pictures drawn from a bank of `BANK` different
ones. A run of `trainers.main` then prepares them and makes --steps updates, and is watched from
outside: seconds, and the most memory of its own (without pages of mapped files, which the system
takes back when memory is short). A second start shows what the prepared data save. Everything is
removed afterwards.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from absl import flags as absl_flags

from benchmarks.speed import machine, options, processes
from experiments import command_flags, pages
from tfgen.errors import UserError
from trainers.run import commands

BANK = 1024
"""Different pictures."""

SHARD = 25_000
"""Pictures of a shard."""

SMOOTH = 4
"""Noise is drawn at so many times smaller sides, so that JPEG files have a usual size."""

INTERVAL = 0.2
"""Seconds between two looks at a process's memory."""

COLUMNS = (
    "start",
    "seconds",
    "own memory until nets are built, MiB",
    "at most, MiB",
    "seconds an update after the first",
)


class Start(NamedTuple):
    """What a run of training took.

    Attributes:
        seconds: from the process's start to its end.
        reading: the most anonymous memory that it held until data were read and nets built, MiB.
        memory: the most until the end, MiB.
        update: median seconds of an update after the first; NaN where there is none.
    """

    seconds: float
    reading: float
    memory: float
    update: float


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    place = command_flags.place(values, "benchmarks.speed.large_data")
    text = "The recipe, whose data set is one of TensorFlow Datasets."
    absl_flags.DEFINE_string("recipe", "divergence_triangle_imagenet32", text, **place)
    text = "Training pictures to write."
    absl_flags.DEFINE_integer("pictures", 300_000, text, lower_bound=1000, **place)
    text = "Height and width of the pictures as they are stored; LSUN's smaller side is 256."
    absl_flags.DEFINE_integer("side", 32, text, lower_bound=SMOOTH, **place)
    text = "Updates of each start."
    absl_flags.DEFINE_integer("steps", 3, text, lower_bound=1, **place)
    text = "Examples an update; the recipe's unless given."
    absl_flags.DEFINE_integer("batch_size", None, text, lower_bound=1, **place)
    text = "Where shards and prepared data are written; a temporary place unless given."
    absl_flags.DEFINE_string("directory", None, text, **place)
    options.define_page(place)


def bank(height: int, width: int) -> list[np.ndarray]:
    """Returns pictures of smooth noise, uint8 [height, width, 3] each."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (BANK, height // SMOOTH, width // SMOOTH, 3), np.uint8)
    large = [tf.image.resize(picture, (height, width)).numpy() for picture in small]
    return [picture.astype(np.uint8) for picture in large]


def write(name: str, directory: pathlib.Path, pictures: int, side: int) -> pathlib.Path:
    """Writes the shards of a data set as TensorFlow Datasets keeps them, and returns their place.

    Args:
        name: of TensorFlow Datasets.
        directory: its data directory.
        pictures: of the training split; a hundredth as many are held out.
        side: height and width of each.
    """
    import tensorflow_datasets as tfds

    builder = tfds.builder(name, data_dir=directory)
    place = pathlib.Path(builder.data_dir)
    place.mkdir(parents=True)
    features, found = builder.info.features, []
    fields = {key: "0" for key in features if key != "image"}
    records = [features.serialize_example({"image": p, **fields}) for p in bank(side, side)]
    template = tfds.core.ShardedFileTemplate(
        data_dir=place, dataset_name=builder.name, filetype_suffix="tfrecord"
    )
    for split, count in (("train", pictures), ("validation", pictures // 100)):
        lengths = [min(SHARD, count - begin) for begin in range(0, count, SHARD)]
        for number, length in enumerate(lengths):
            file = f"{builder.name}-{split}.tfrecord-{number:05d}-of-{len(lengths):05d}"
            with tf.io.TFRecordWriter(str(place / file)) as writer:
                for which in np.random.default_rng(number).integers(0, BANK, length):
                    writer.write(records[which])
        size = sum(path.stat().st_size for path in place.glob(f"{builder.name}-{split}.*"))
        found.append(
            tfds.core.SplitInfo(
                name=split, shard_lengths=lengths, num_bytes=size, filename_template=template
            )
        )
    builder.info.set_splits(tfds.core.splits.SplitDict(found))
    builder.info.write_to_directory(place)
    return place


def own_memory(process: int | str) -> float:
    """Returns the anonymous memory of a process, MiB; 0 once it has ended.

    Args:
        process: its number, or self.
    """
    try:
        status = pathlib.Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    held = re.search(r"^RssAnon:\s*(\d+) kB", status, re.M)
    return int(held[1]) / 1024 if held else 0.0


def started(words: list[str]) -> Start:
    """Starts a training, and watches it to its end.

    Args:
        words: the flags of `trainers.main`.

    Raises:
        UserError: if it fails.
    """
    workdir = next(word for word in words if word.startswith("--workdir=")).partition("=")[2]
    claimed = pathlib.Path(workdir) / "flags.cfg"
    begin, reading, most = time.monotonic(), 0.0, 0.0
    process = subprocess.Popen([sys.executable, "-m", "trainers.main", *words])
    while process.poll() is None:
        most = max(most, own_memory(process.pid))
        reading = reading if claimed.exists() else most
        time.sleep(INTERVAL)
    if process.returncode:
        raise UserError(f"expected a training run and found exit code {process.returncode}")
    seconds = time.monotonic() - begin
    update = float(np.median([*updates(pathlib.Path(workdir))] or [np.nan]))
    return Start(seconds, reading, most, update)


def updates(workdir: pathlib.Path) -> Iterator[float]:
    """Yields the seconds of each update after a run's first."""
    text = (workdir / "metrics.jsonl").read_text(encoding="utf-8")
    rows = [float(found) for found in re.findall(r'"seconds": ([\d.]+)', text)]
    yield from rows[1:]


def measured(values: absl_flags.FlagValues, directory: pathlib.Path) -> list[list[str]]:
    """Writes the shards, trains twice, and returns the rows of the table.

    Args:
        values: the flags.
        directory: where everything is written.
    """
    flagfile = processes.ROOT / "trainers" / "flagfiles" / f"{values.recipe}.flags"
    name = re.search(r"^--dataset=(\S+)$", flagfile.read_text(encoding="utf-8"), re.M)
    if name is None:
        raise UserError(f"--recipe: expected one with a data set and found {values.recipe}")
    begin = time.monotonic()
    place = write(name[1], directory, values.pictures, values.side)
    size = sum(path.stat().st_size for path in place.iterdir()) / 2**20
    rows = [[f"writing shards of {size:,.0f} MiB", f"{time.monotonic() - begin:,.0f}", *["-"] * 3]]
    words = [f"--flagfile={flagfile}", f"--data_dir={directory}", "--log_every=1"]
    words += [f"--{flag}={values.steps}" for flag in ("steps", "save_every", "sample_every")]
    if values.batch_size is not None:
        words.append(f"--batch_size={values.batch_size}")
    for number, title in enumerate(("first, with preparation", "second")):
        found = started([*words, f"--workdir={directory / str(number)}"])
        whole = [f"{value:,.0f}" for value in (found.seconds, found.reading, found.memory)]
        rows.append([title, *whole, f"{found.update:,.1f}"])
    return rows


def main(values: absl_flags.FlagValues) -> None:
    """Measures the starts, and prints the table."""
    with tempfile.TemporaryDirectory(dir=values.directory) as directory:
        rows = measured(values, pathlib.Path(directory))
    caption = (
        f"`{values.recipe}` on {values.pictures:,} synthetic pictures, {values.steps} updates a "
        f"start, on {machine.summary()}:"
    )
    table = f"{caption}\n\n{pages.table(COLUMNS, rows)}"
    pages.publish(f"large-{values.recipe}", table, values.page)


if __name__ == "__main__":
    commands.run(main, define, __doc__)
