"""Measures the preparation of many JPEG files: memory, processor time, and the gain by cores.

    python -m benchmarks.speed.preparing [--pictures=100000] [--cores=1,2] [--directory=PLACE]

JPEG files of 178x218 pixels, smooth noise from a bank, are written under --directory, prepared at
64x64 by `trainers.prepare`, and removed. Preparation runs once on each number of cores, in a
process of its own that is watched from outside: seconds, processor time, and the most memory of
its own, without pages of mapped files. The same is done with a few pictures, whose memory is the
process's base.
"""

import io
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

import numpy as np
from absl import flags as absl_flags
from PIL import Image

from benchmarks.speed import large_data, machine, options
from experiments import command_flags, pages
from tfgen.errors import UserError
from trainers.run import commands

SIZE = (218, 178)
"""Height and width of the files, as CelebA's."""

WANTED = 64
"""Side of the prepared pictures."""

FEW = 1001
"""Pictures of which the process's base is measured: as few as are prepared on the disk."""

FOLDER = 1000
"""Files of a folder."""

COLUMNS = ("cores", "seconds", "processor seconds", "memory above the base, MiB")


class Prepared(NamedTuple):
    """What a preparation took.

    Attributes:
        seconds: elapsed.
        processor: seconds that the process itself computed.
        memory: the most anonymous memory, MiB.
    """

    seconds: float
    processor: float
    memory: float


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    place = command_flags.place(values, "benchmarks.speed.preparing")
    text = "Files to prepare."
    absl_flags.DEFINE_integer("pictures", 100_000, text, lower_bound=FEW, **place)
    absl_flags.DEFINE_list("cores", ["1", "2"], "Numbers of cores.", **place)
    text = "Where files are written; a temporary place unless given."
    absl_flags.DEFINE_string("directory", None, text, **place)
    options.define_page(place)


def write(folder: pathlib.Path, count: int) -> None:
    """Writes JPEG files, in folders of `FOLDER`.

    Args:
        folder: of all.
        count: how many.
    """
    found = []
    for picture in large_data.bank(*SIZE):
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, "JPEG")
        found.append(buffer.getvalue())
    which = np.random.default_rng(0).integers(0, len(found), count)
    for number, chosen in enumerate(which):
        place = folder / f"{number // FOLDER:05d}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number:08d}.jpg").write_bytes(found[chosen])


def prepared(folder: pathlib.Path, data_dir: pathlib.Path, cores: int) -> Prepared:
    """Prepares a folder on some cores, and returns what that took.

    Args:
        folder: of the files.
        data_dir: where the store is written.
        cores: at most those of this process.

    Raises:
        UserError: if it fails.
    """
    words = [f"--dataset=folder:{folder}", f"--image_size={WANTED}", f"--data_dir={data_dir}"]
    own = sorted(os.sched_getaffinity(0))
    before, begin, most = _children(), time.monotonic(), 0.0
    os.sched_setaffinity(0, own[:cores])  # the process that starts from here on inherits it
    process = subprocess.Popen([sys.executable, "-m", "trainers.prepare", *words])
    os.sched_setaffinity(0, own)
    while process.poll() is None:
        most = max(most, large_data.own_memory(process.pid))
        time.sleep(large_data.INTERVAL)
    if process.returncode:
        raise UserError(f"expected a prepared folder and found exit code {process.returncode}")
    return Prepared(time.monotonic() - begin, _children() - before, most)


def _children() -> float:
    """Returns the processor seconds of all processes that this one has waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measured(values: absl_flags.FlagValues, directory: pathlib.Path) -> list[list[str]]:
    """Returns the rows of the table."""
    write(directory / "few", FEW)
    write(directory / "all", values.pictures)
    base = prepared(directory / "few", directory / "base", 1)
    rows = []
    for cores in values.cores:
        found = prepared(directory / "all", directory / f"on{cores}", int(cores))
        above = found.memory - base.memory
        rows.append([cores, f"{found.seconds:,.0f}", f"{found.processor:,.0f}", f"{above:,.0f}"])
    return rows


def main(values: absl_flags.FlagValues) -> None:
    """Measures, and prints the table."""
    with tempfile.TemporaryDirectory(dir=values.directory) as directory:
        rows = measured(values, pathlib.Path(directory))
    height, width = SIZE
    caption = (
        f"{values.pictures:,} JPEG files of {width}x{height} to {WANTED}x{WANTED}, on "
        f"{machine.summary()}:"
    )
    pages.publish("preparing", f"{caption}\n\n{pages.table(COLUMNS, rows)}", values.page)


if __name__ == "__main__":
    commands.run(main, define, __doc__)
