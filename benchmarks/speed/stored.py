"""Measures training from pictures in a file that is larger than what memory may hold.

    python -m benchmarks.speed.stored [--gigabytes=1,10] [--steps=200] [--directory=PLACE]

For each size a file without blocks is made under --directory, of pictures of 64x64x3. A variational
auto-encoder learns from it in batches of 100, in a process of its own. The memory that this process
alone holds, without pages of mapped files, is read before the first batch, after it, and after the
last update; the most memory of all counts mapped pages, too. Pictures are in random order, so that
every page of the file is touched once an epoch.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
from absl import flags as absl_flags

from benchmarks.speed import large_data, machine, options, update_memory
from experiments import command_flags, pages
from tfgen import random
from tfgen.algorithms.vae import VAE
from tfgen.data.examples import Examples
from tfgen.data.stored import Stored
from tfgen.errors import UserError
from tfgen.nets.families import triangle_celeba64
from trainers.run import commands

SHAPE = (64, 64, 3)
BATCH_SIZE = 100
WIDTH = 0.05
"""Factor on the nets' numbers of filters: reading is to be what takes memory."""

COLUMNS = (
    "GB",
    "seconds until the first batch",
    "own memory before it, MiB",
    "after it",
    "after the last update",
    "most memory with mapped pages, MiB",
)


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    place = command_flags.place(values, "benchmarks.speed.stored")
    text = "Sizes of files, in units of 10^9 bytes."
    absl_flags.DEFINE_list("gigabytes", "1,10", text, **place)
    text = "Updates from each file."
    absl_flags.DEFINE_integer("steps", 200, text, lower_bound=1, **place)
    text = "Where files are made; a temporary place unless given."
    absl_flags.DEFINE_string("directory", None, text, **place)
    text = "Measure this file alone, in this process, and print what was found as JSON."
    absl_flags.DEFINE_string("file", None, text, **place)
    options.define_page(place)


def measured(path: pathlib.Path, steps: int) -> list[float]:
    """Learns from a file, and returns what the columns after the first hold."""
    count = path.stat().st_size // int(np.prod(SHAPE))
    examples = Examples(Stored(path, (count, *SHAPE), np.dtype(np.uint8)))
    generator = triangle_celeba64.generator(SHAPE, width=WIDTH, normalization="none")
    algorithm = VAE(generator, triangle_celeba64.inference(SHAPE, width=WIDTH), image_shape=SHAPE)
    algorithm.compile(dict.fromkeys(algorithm.nets, "adam"))
    process = "self"
    held, begin = [large_data.own_memory(process)], time.monotonic()
    batches = examples.batches(BATCH_SIZE, random.root(0))
    next(iter(batches))
    seconds = time.monotonic() - begin
    held.append(large_data.own_memory(process))
    algorithm.fit(batches, steps_per_epoch=steps, verbose=0)
    held.append(large_data.own_memory(process))
    return [seconds, *held, update_memory.peak()]


def alone(path: pathlib.Path, steps: int) -> list[float]:
    """Returns what a process of its own measures of a file.

    Raises:
        UserError: if it fails.
    """
    command = [sys.executable, "-m", "benchmarks.speed.stored", f"--file={path}"]
    found = subprocess.run(
        [*command, f"--steps={steps}"], stdout=subprocess.PIPE, encoding="utf-8", check=False
    )
    if found.returncode:
        raise UserError(f"expected a measurement and found exit code {found.returncode}")
    return json.loads(found.stdout.splitlines()[-1])


def main(values: absl_flags.FlagValues) -> None:
    """Measures each size, and prints the table."""
    if values.file is not None:
        print(json.dumps(measured(pathlib.Path(values.file), values.steps)))
        return
    rows = []
    with tempfile.TemporaryDirectory(dir=values.directory) as directory:
        for size in map(float, values.gigabytes):
            path = pathlib.Path(directory) / f"{size:g}.raw"
            with path.open("wb") as file:
                file.truncate(int(size * 1e9))
            seconds, *memory = alone(path, values.steps)
            rows.append([f"{size:g}", f"{seconds:.2f}", *[f"{value:,.0f}" for value in memory]])
    caption = f"Files of pictures, {values.steps} updates each, on {machine.summary()}:"
    pages.publish("stored", f"{caption}\n\n{pages.table(COLUMNS, rows)}", values.page)


if __name__ == "__main__":
    commands.run(main, define, __doc__)
