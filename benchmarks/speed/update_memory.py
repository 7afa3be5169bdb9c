"""Measures the peak memory of an update: plain, in micro-batches, rematerialized, in bfloat16.

    python -m benchmarks.speed.update_memory [--batch_size=256] [--width=1] [--parts=8]

The update is that of a VAE on the nets for 64x64 images, without batch statistics. Each variant is
a process of its own, which makes two updates. Its peak is read from the system, and so is what it
held before the first update, which is subtracted. Rematerialization is Keras's `RematScope` around
each net; tfgen has no flag for it.
"""

import resource
import subprocess
import sys

import keras
import numpy as np
import tensorflow as tf
from absl import flags as absl_flags

from benchmarks.speed import machine, options
from experiments import command_flags, pages
from tfgen.algorithms.vae import VAE
from tfgen.errors import UserError
from tfgen.nets.families import triangle_celeba64
from trainers.run import commands

SHAPE = (64, 64, 3)
UPDATES = 2
VARIANTS = ("plain", "micro-batches", "rematerialized", "bfloat16")
COLUMNS = ("update", "peak memory above the process's base, MiB")


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    place = command_flags.place(values, "benchmarks.speed.update_memory")
    text = "Examples an update."
    absl_flags.DEFINE_integer("batch_size", 256, text, lower_bound=1, **place)
    options.define_width(place)
    text = "Micro-batches, where the update is made in them."
    absl_flags.DEFINE_integer("parts", 8, text, lower_bound=2, **place)
    text = "Measure this one alone, in this process."
    absl_flags.DEFINE_enum("variant", None, VARIANTS, text, **place)
    options.define_page(place)


def algorithm(variant: str, width: float, parts: int) -> VAE:
    """Returns the algorithm of a variant, compiled.

    Args:
        variant: of `VARIANTS`.
        width: factor on the numbers of filters.
        parts: micro-batches.
    """
    keras.config.set_dtype_policy("mixed_bfloat16" if variant == "bfloat16" else "float32")
    mode = "list_of_layers" if variant == "rematerialized" else None
    # Keras asks for names, which nets have only once they are built
    with keras.RematScope(mode=mode, layer_names=["none"]) as scope:
        generator = triangle_celeba64.generator(SHAPE, width=width, normalization="none")
        inference = triangle_celeba64.inference(SHAPE, width=width)
    scope.layer_names.extend(net.name for net in (generator, inference))
    made = VAE(generator, inference, image_shape=SHAPE)
    accumulate = parts if variant == "micro-batches" else 1
    made.compile(dict.fromkeys(made.nets, "adam"), accumulate=accumulate)
    return made


def peak() -> float:
    """Returns the most memory that this process has held so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(values: absl_flags.FlagValues) -> float:
    """Returns the memory that updates of a variant take above what the process held before, MiB."""
    made = algorithm(values.variant, values.width, values.parts)
    images = np.random.default_rng(0).uniform(-1, 1, (values.batch_size, *SHAPE))
    stream = tf.data.Dataset.from_tensors(images.astype(np.float32)).repeat()
    base = peak()
    made.fit(stream, steps_per_epoch=UPDATES, verbose=0)
    return peak() - base


def asked(values: absl_flags.FlagValues, variant: str) -> float:
    """Returns what a process of its own measures of a variant.

    Raises:
        UserError: if it fails.
    """
    words = [f"--{name}={values[name].value}" for name in ("batch_size", "width", "parts")]
    command = [sys.executable, "-m", "benchmarks.speed.update_memory", *words]
    found = subprocess.run([*command, f"--variant={variant}"], capture_output=True, text=True)
    if found.returncode:
        last = (found.stderr.strip().splitlines() or ["nothing"])[-1]
        raise UserError(f"{variant}: expected a figure and found that it ended, saying: {last}")
    return float(found.stdout)


def main(values: absl_flags.FlagValues) -> None:
    """Measures each variant, and prints the table."""
    if values.variant is not None:
        print(measured(values))
        return
    rows = [[variant, f"{asked(values, variant):,.0f}"] for variant in VARIANTS]
    rows[1][0] = f"{values.parts} micro-batches"
    caption = (
        f"VAE at 64x64x3, {values.batch_size} examples an update, width {values.width:g}, on "
        f"{machine.summary()}:"
    )
    pages.publish("update-memory", f"{caption}\n\n{pages.table(COLUMNS, rows)}", values.page)


if __name__ == "__main__":
    commands.run(main, define, __doc__)
