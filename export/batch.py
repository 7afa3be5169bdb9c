"""Completes, reconstructs or scores a folder of images with an exported SavedModel, by Apache Beam.

    python -m export.batch --saved_model=OUT/saved_model/ALGORITHM --task=complete --input=DIR --output=DIR

Writes NAME.png for each image NAME.*, or NAME.json and at last energies.csv. Run again after an interruption, it goes
on with the images that have no answer yet. The folders and the model must be seen under the same paths by all workers.
Needs apache-beam, the extra `beam`.
"""

import csv
import importlib.util
import io
import json
import logging
import pathlib
import shutil

from absl import flags as absl_flags

from export.clients import backends
from tfgen import files, random
from tfgen.data import masks, sources
from tfgen.errors import UserError
from trainers.run import commands, flags

TASKS = ("complete", "reconstruct", "energy")
RECORD = "job.json"
"""What the answers in a directory were made with."""


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = {"flag_values": values, "module_name": "export.batch"}
    absl_flags.DEFINE_string(
        "saved_model", None, "A model's directory, of which the newest version is asked.", **where
    )
    absl_flags.DEFINE_enum("task", "complete", TASKS, "What to make of each image.", **where)
    absl_flags.DEFINE_string("input", None, "The directory of images.", **where)
    absl_flags.DEFINE_string("output", None, "The directory to write to.", **where)
    absl_flags.DEFINE_string("mask", "half:bottom", masks.NAMES, **where)
    absl_flags.DEFINE_integer(
        "steps", None, "Sampling steps; as many as export.client takes.", 0, **where
    )
    absl_flags.DEFINE_integer("seed", 0, "Of all that is drawn.", **where)
    absl_flags.DEFINE_integer(
        "batch_size", 64, "Images that are asked for at once, at most.", 1, **where
    )
    absl_flags.DEFINE_string(
        "runner",
        "DirectRunner",
        "Apache Beam's: DirectRunner, FlinkRunner, DataflowRunner.",
        **where,
    )
    absl_flags.DEFINE_list(
        "runner_options", [], "Beam's other options, such as --flink_master=HOST:PORT.", **where
    )


def main(values: absl_flags.FlagValues) -> None:
    """Answers all images that have no answer yet."""
    flags.require(values, "saved_model", "input", "output")
    if importlib.util.find_spec("apache_beam") is None:
        raise UserError("--runner: needs apache-beam; install the extra `beam`")
    from export.clients import pipeline  # Beam, which not everybody has

    logging.getLogger("absl").setLevel(logging.ERROR)  # Beam shows what TensorFlow notes on loading

    job = pipeline.Job(
        saved_model=values.saved_model,
        output=values.output,
        task=values.task,
        mask=values.mask,
        seed=values.seed,
        **_asked(values),
    )
    images = _images(pathlib.Path(values.input))
    _claim(job)
    _tidy(pathlib.Path(job.output), pipeline.FAILED)
    missing = [image for image in images if not job.answer(image).exists()]
    if missing:
        pipeline.run(job, missing, values.runner, values.runner_options, values.batch_size)
    if job.task == "energy":
        _gather(pathlib.Path(job.output), [job.answer(image) for image in images])
    print(
        f"{values.output}: {len(images) - len(missing)} answers were there, {len(missing)} were asked for"
    )
    if failed := [image.name for image in images if not job.answer(image).exists()]:
        raise UserError(
            f"--input: expected images and could not use {len(failed)} of {len(images)}, such as {failed[0]}; "
            f"{values.output}/{pipeline.FAILED} says why"
        )


def _asked(values: absl_flags.FlagValues) -> dict:
    """What the model takes, and how many steps it is asked for."""
    model = backends.Loaded(pathlib.Path(values.saved_model))
    if values.task not in model.signatures:
        able = [task for task in TASKS if task in model.signatures]
        raise UserError(
            f"--task: this model can {', '.join(able) or 'none of these'} and cannot {values.task}"
        )
    inputs = model.signatures[values.task]
    if unknown := sorted(inputs.keys() - {"image", "mask", "seed", "num_steps"}):
        raise UserError(
            f"--task: {values.task} of this model takes {', '.join(unknown)}, which is not given here"
        )
    if "mask" in inputs:
        masks.parse(
            values.mask, (1, *inputs["mask"].shape[1:3]), random.root(values.seed)
        )  # a wrong name is said now
    return {
        "inputs": inputs,
        "num_steps": model.usual_steps if values.steps is None else values.steps,
    }


def _images(directory: pathlib.Path) -> list[pathlib.Path]:
    """The images of a folder, in order of their names."""
    found = sorted(f for f in directory.glob("*") if f.suffix.lower() in sources.IMAGE_SUFFIXES)
    if not found:
        raise UserError(
            f"--input: expected a directory of image files and found none in {directory}"
        )
    stems = [image.stem for image in found]
    for image in found:
        if stems.count(image.stem) > 1:
            raise UserError(
                f"--input: expected each name once, since answers bear it, and found several {image.stem}.*"
            )
    return found


def _claim(job) -> None:
    """Remembers what the answers are made with; refuses a directory of others."""
    output = pathlib.Path(job.output)
    record = {
        name: getattr(job, name) for name in ("saved_model", "task", "mask", "num_steps", "seed")
    }
    place = output / RECORD
    if place.exists():
        before = json.loads(place.read_text())
        for name, value in record.items():
            if before.get(name) != value:
                raise UserError(
                    f"--output: {output} holds answers by {name} {before.get(name)} and cannot go on with {value}; "
                    "choose another"
                )
        return
    if output.is_file() or any(output.glob("*")):
        raise UserError(
            f"--output: expected an empty directory, or one to go on in, and found other files in {output}"
        )
    with files.written_aside(place) as aside:
        aside.write_text(json.dumps(record, indent=1) + "\n")


def _tidy(output: pathlib.Path, failed: str) -> None:
    """Removes what a killed job left half written, and what an earlier one said of images that are tried again."""
    for aside in output.glob(".*"):
        aside.unlink()
    shutil.rmtree(output / failed, ignore_errors=True)


def _gather(output: pathlib.Path, answers: list[pathlib.Path]) -> None:
    """Writes the energies of all images as one table."""
    table = io.StringIO()
    writer = csv.DictWriter(table, ["image", "energy"])
    writer.writeheader()
    writer.writerows(json.loads(answer.read_text()) for answer in answers if answer.exists())
    with files.written_aside(output / "energies.csv") as aside:
        aside.write_text(table.getvalue())


if __name__ == "__main__":
    commands.run(main, define, __doc__)
