"""Asks an exported SavedModel about each image of a folder, by Apache Beam.

    python -m export.batch --saved_model=DIR --task=complete --input=DIR --output=DIR

Writes one answer for each image NAME.*: NAME.png where the task answers in pictures, NAME.json and
at last TASK.csv where it answers in numbers, NAME.npz else. Run again after an interruption, it
goes on with the images that have no answer yet. All workers must see the folders and the model
under the same paths. Needs apache-beam, the extra `beam`.
"""

import csv
import importlib.util
import io
import json
import pathlib
import shutil
from typing import Any

from absl import flags as absl_flags

from export import outputs
from export.clients import image_inputs, in_process, job, request
from export.clients.job import Job
from tfgen import files, random
from tfgen.data import folders, masks
from tfgen.errors import UserError
from trainers.run import classes, commands, flags, stated

RECORD = "job.json"
"""The file that records the settings of a directory's answers."""


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where: dict[str, Any] = {"flag_values": values, "module_name": "export.batch"}
    absl_flags.DEFINE_string(
        "saved_model", None, "A model's directory, of which the newest version is asked.", **where
    )
    absl_flags.DEFINE_string("task", "complete", "What to make of each image.", **where)
    absl_flags.DEFINE_string("input", None, "The directory of images.", **where)
    absl_flags.DEFINE_string("output", None, "The directory to write to.", **where)
    absl_flags.DEFINE_string("mask", "half:bottom", masks.NAMES, **where)
    absl_flags.DEFINE_integer("steps", None, "Sampling steps; by default the model's.", 0, **where)
    classes.define(values, where["module_name"], "all images")
    absl_flags.DEFINE_multi_string(
        "set", [], "NAME=VALUE: any other input, as export.client takes it.", **where
    )
    stated.define(values, "export.batch")
    flags.define_seed(values, where["module_name"])
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

    asked = _job(values)
    images = _images(pathlib.Path(values.input))
    _claim(asked)
    _tidy(asked, images)
    missing = [image for image in images if not asked.answer(image).exists()]
    if missing:
        pipeline.run(
            asked,
            missing,
            runner=values.runner,
            runner_options=values.runner_options,
            batch_size=values.batch_size,
        )
    if asked.suffix == ".json":
        _gather(asked, images)
    there = len(images) - len(missing)
    print(f"{values.output}: {there} answers were there, {len(missing)} were asked for")
    failed = [image.name for image in images if not asked.answer(image).exists()]
    if failed:
        raise UserError(
            f"--input: expected images and could not use {len(failed)} of {len(images)}, such as "
            f"{failed[0]}; {values.output}/{job.FAILED} says why"
        )


def _job(values: absl_flags.FlagValues) -> Job:
    """Returns what is asked of each image, with the model's own defaults."""
    model = in_process.InProcess(pathlib.Path(values.saved_model))
    endpoint = model.endpoint(values.task)
    label = classes.number(values.label, model.description.facts.get("class_names"))
    given = request.given(endpoint, {"steps": values.steps, "label": label}, values.set)
    for name in image_inputs.masks(endpoint):
        sides = image_inputs.sides(endpoint.inputs[name]) or (1, 1)
        # a wrong name is said now
        image_inputs.mask(values.mask, (1, *sides), random.root(values.seed))
    return Job(
        saved_model=values.saved_model,
        output=values.output,
        endpoint=endpoint,
        mask=values.mask,
        seed=values.seed,
        given=job.settled(endpoint, given),
        stated=stated.reading(values),
    )


def _images(directory: pathlib.Path) -> list[pathlib.Path]:
    """Returns the images of a folder, in order of their names."""
    found = sorted(f for f in directory.glob("*") if f.suffix.lower() in folders.IMAGE_SUFFIXES)
    if not found:
        raise UserError(
            f"--input: expected a directory of image files and found none in {directory}"
        )
    stems = [image.stem for image in found]
    for image in found:
        if stems.count(image.stem) > 1:
            raise UserError(
                "--input: expected each name once, since answers bear it, and found several "
                f"{image.stem}.*"
            )
    return found


def _record(asked: Job) -> dict[str, Any]:
    """Returns what answers depend on beside the images."""
    return {
        "saved_model": asked.saved_model,
        "task": asked.endpoint.name,
        "mask": asked.mask,
        "seed": asked.seed,
        **{name: value for name, value in vars(asked.stated).items() if value is not None},
        **asked.given,
    }


def _claim(asked: Job) -> None:
    """Remembers what the answers are made with; refuses a directory of others."""
    output, record = pathlib.Path(asked.output), _record(asked)
    place = output / RECORD
    if place.exists():
        before = json.loads(place.read_text())
        for name, value in record.items():
            if before.get(name) != value:
                raise UserError(
                    f"--output: {output} holds answers by {name} {before.get(name)} and cannot go "
                    f"on with {value}; choose another"
                )
        return
    if output.is_file() or any(output.glob("*")):
        raise UserError(
            "--output: expected an empty directory, or one to go on in, and found other files in "
            f"{output}"
        )
    with files.written_aside(place) as aside:
        aside.write_text(json.dumps(record, indent=1) + "\n")


def _tidy(asked: Job, images: list[pathlib.Path]) -> None:
    """Removes what killed jobs left half written, and notes on images that are tried again."""
    output = pathlib.Path(asked.output)
    own = {RECORD, f"{asked.endpoint.name}.csv", *(asked.answer(image).name for image in images)}
    outputs.remove_leftovers(output, own.__contains__)
    shutil.rmtree(output / job.FAILED, ignore_errors=True)


def _gather(asked: Job, images: list[pathlib.Path]) -> None:
    """Writes the numbers of all images as one table."""
    answers = [asked.answer(image) for image in images]
    rows = [json.loads(answer.read_text()) for answer in answers if answer.exists()]
    table = io.StringIO()
    writer = csv.DictWriter(table, list(rows[0]) if rows else ["image"])
    writer.writeheader()
    writer.writerows(rows)
    place = pathlib.Path(asked.output) / f"{asked.endpoint.name}.csv"
    with files.written_aside(place) as aside:
        aside.write_text(table.getvalue())


if __name__ == "__main__":
    commands.run(main, define, __doc__)
