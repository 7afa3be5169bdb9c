"""The pipeline behind `export.batch`: a folder of images through a SavedModel, with Apache Beam's RunInference.

An image's answer is one file, named after the image and written aside: a killed job leaves whole ones alone, and the
next goes on with the rest. Its seed is made of its name: the answer does not depend on batches, workers or restarts.
"""

import json
import pathlib
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
from apache_beam.ml.inference.base import KeyedModelHandler, ModelHandler, RunInference
from apache_beam.options.pipeline_options import PipelineOptions

from export.clients import backends
from tfgen import files, random
from tfgen.data import masks, preprocess, sources
from tfgen.errors import UserError
from trainers.drawings import pictures

Row = dict[str, np.ndarray]
"""One example, by name of the input."""

FAILED = "failed"
"""The directory under a job's output that says of each image that could not be answered why."""


class Job(NamedTuple):
    """What is made of each image.

    Attributes:
        saved_model: the model's directory, with a directory for each version.
        output: where answers go.
        task: the signature to ask.
        mask: what is hidden; see `tfgen.data.masks`.
        num_steps: of sampling.
        seed: from which, and each image's name, that image's seed is made.
        inputs: what the signature takes.
    """

    saved_model: str
    output: str
    task: str
    mask: str
    num_steps: int
    seed: int
    inputs: backends.Inputs

    def answer(self, image: pathlib.Path) -> pathlib.Path:
        """The file of an image's answer."""
        return (
            pathlib.Path(self.output)
            / f"{image.stem}{'.json' if self.task == 'energy' else '.png'}"
        )

    def row(self, image: pathlib.Path) -> Row:
        """What is asked of an image.

        Raises:
            UserError: if it is none.
        """
        _, *sides, channels = self.inputs["image"].shape
        picture = next(sources.read(f"image:{image}")["all"])[0]
        seed = random.fold_in(random.root(self.seed), zlib.crc32(image.name.encode()) - 2**31)
        known = {
            "image": preprocess.to_unit(preprocess.prepare(picture, tuple(sides), channels)),
            "mask": masks.parse(self.mask, (1, *sides), random.fold_in(seed, -1)).numpy()[0],
            "seed": seed.numpy(),
            "num_steps": np.int32(self.num_steps),
        }
        return {name: known[name] for name in self.inputs}

    def write(self, image: pathlib.Path, answer: Row) -> pathlib.Path:
        """Writes an image's answer, which appears whole or not at all."""
        path = self.answer(image)
        if self.task == "energy":
            with files.written_aside(path) as aside:
                aside.write_text(
                    json.dumps({"image": image.name, "energy": float(answer["energy"])}) + "\n"
                )
        else:
            pictures.save(path, preprocess.to_uint8(answer["image"]))
        return path


class Handler(ModelHandler[Row, Row, backends.Model]):
    """How RunInference loads a SavedModel and asks it.

    Args:
        job: whose model.
        batch_size: rows of a request at most.
    """

    def __init__(self, job: Job, batch_size: int):
        super().__init__(max_batch_size=batch_size)
        self.job = job

    def load_model(self) -> backends.Model:
        return backends.Loaded(pathlib.Path(self.job.saved_model))

    def run_inference(
        self,
        batch: Sequence[Row],
        model: backends.Model,
        inference_args: Mapping[str, Any] | None = None,
    ) -> Iterable[Row]:
        found = model.answer(
            self.job.task,
            {name: np.stack([row[name] for row in batch]) for name in self.job.inputs},
        )
        return [{name: values[i] for name, values in found.items()} for i in range(len(batch))]


def run(
    job: Job,
    images: Sequence[pathlib.Path],
    runner: str,
    runner_options: Sequence[str],
    batch_size: int,
) -> None:
    """Answers images, one file each.

    Args:
        job: what is made of them.
        images: those that have no answer yet.
        runner: Beam's name of it.
        runner_options: Beam's other options, as words of a command line.
        batch_size: rows of a request at most.

    Raises:
        UserError: if Beam does not know the runner.
    """
    try:
        pipeline = beam.Pipeline(runner, PipelineOptions(list(runner_options)))
    except ValueError as error:
        raise UserError(f"--runner: expected one that Beam knows and found {runner}") from error
    with pipeline:
        _ = (
            pipeline
            | beam.Create([str(image) for image in images])
            | beam.Reshuffle()
            | "Read" >> beam.FlatMap(_rows, job)
            | RunInference(KeyedModelHandler(Handler(job, batch_size)))
            | "Write" >> beam.Map(_write, job)
        )


def _write(answered: tuple[str, Row], job: Job) -> str:
    image, answer = answered
    return str(job.write(pathlib.Path(image), answer))


def _rows(image: str, job: Job) -> Iterator[tuple[str, Row]]:
    """What is asked of an image; of one that cannot be read, a note of why and nothing."""
    try:
        yield image, job.row(pathlib.Path(image))
    except UserError as error:
        with files.written_aside(
            pathlib.Path(job.output) / FAILED / f"{pathlib.Path(image).name}.txt"
        ) as aside:
            aside.write_text(f"{error}\n")
