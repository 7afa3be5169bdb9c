"""The pipeline behind `export.batch`: a folder of images through a SavedModel.

Apache Beam's RunInference asks the model. An image's answer is one file, named after the image and
written aside: a killed job leaves whole ones alone, and the next goes on with the rest. An image's
seed is made of its name: the answer does not depend on batches, workers or restarts.
"""

import pathlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
from apache_beam.ml.inference.base import KeyedModelHandler, ModelHandler, RunInference
from apache_beam.options.pipeline_options import PipelineOptions

from export.clients.exported import Exported
from export.clients.in_process import InProcess
from export.clients.job import FAILED, Job, Row
from tfgen import files
from tfgen.errors import UserError


class Handler(ModelHandler[Row, Row, Exported]):
    """A SavedModel as Beam's RunInference loads and asks it.

    Args:
        job: whose model.
        batch_size: rows of a request at most.
    """

    def __init__(self, job: Job, batch_size: int):
        super().__init__(max_batch_size=batch_size)
        self.job = job

    def load_model(self) -> Exported:
        return InProcess(pathlib.Path(self.job.saved_model))

    def run_inference(
        self,
        batch: Sequence[Row],
        model: Exported,
        inference_args: Mapping[str, Any] | None = None,
    ) -> Iterable[Row]:
        del inference_args
        endpoint = self.job.endpoint
        columns = {name: np.stack([row[name] for row in batch]) for name in endpoint.inputs}
        found = model.ask(endpoint.name, columns)
        return [{name: values[i] for name, values in found.items()} for i in range(len(batch))]


def run(
    job: Job,
    images: Sequence[pathlib.Path],
    *,
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
            | beam.Reshuffle()  # or one worker would do all that follows
            | "Read" >> beam.FlatMap(_rows, job)
            | RunInference(KeyedModelHandler(Handler(job, batch_size)))
            | "Write" >> beam.Map(_write, job)
        )


def _write(answered: tuple[str, Row], job: Job) -> str:
    """Writes the answer for an image, or a note why it is none."""
    image, answer = answered
    path = pathlib.Path(image)
    try:
        return str(job.write(path, answer))
    except UserError as error:
        return _note(job, path, error)


def _rows(image: str, job: Job) -> Iterator[tuple[str, Row]]:
    """Yields the request's row for an image, or writes a note why it cannot be read."""
    path = pathlib.Path(image)
    try:
        yield image, job.row(path)
    except UserError as error:
        _note(job, path, error)


def _note(job: Job, image: pathlib.Path, error: UserError) -> str:
    """Writes why an image has no answer, and returns the note's path."""
    place = pathlib.Path(job.output) / FAILED / f"{image.name}.txt"
    with files.written_aside(place) as aside:
        aside.write_text(f"{error}\n", encoding="utf-8")
    return str(place)
