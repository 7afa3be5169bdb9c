"""Prepares the shards of a data set by Apache Beam. Imports Beam, which not everybody has."""

from collections.abc import Sequence

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from tfgen.data.shards import Shard
from tfgen.errors import UserError


def run(shards: Sequence[Shard], runner: str, options: Sequence[str]) -> None:
    """Writes shards, or files that say why they cannot be written.

    Args:
        shards: those that are not there yet.
        runner: Beam's name of it.
        options: Beam's other options, as words of a command line.

    Raises:
        UserError: if Beam does not know the runner.
    """
    if not shards:
        return
    try:
        pipeline = beam.Pipeline(runner, PipelineOptions(list(options)))
    except ValueError as error:
        raise UserError(f"--runner: expected one that Beam knows and found {runner}") from error
    with pipeline:
        _ = (
            pipeline
            | beam.Create(list(shards))
            | beam.Reshuffle()  # or one worker would do all that follows
            | "Write" >> beam.Map(Shard.write)
        )
