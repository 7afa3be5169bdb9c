"""Measures a trained model; each value is written to metrics.jsonl with its protocol, and printed.

python -m trainers.evaluate --workdir=DIR --metrics=NAME[,NAME...] [--NAME.PARAMETER=VALUE]
"""

import importlib
import inspect
import math
import pathlib
import pkgutil
from collections.abc import Iterable

import tensorflow as tf
from absl import flags as absl_flags

import tfgen.evaluation
from tfgen.errors import UserError
from tfgen.evaluation.base import Evaluator
from trainers.run import catalogue, commands, experiment, flags


def measurements() -> dict[str, type[Evaluator]]:
    """Every measurement by its name: a file of `tfgen/evaluation` that defines an `Evaluator`."""
    found = {}
    for module in pkgutil.iter_modules(tfgen.evaluation.__path__):
        members = inspect.getmembers(
            importlib.import_module(f"tfgen.evaluation.{module.name}"), inspect.isclass
        )
        for _, cls in members:
            if (
                issubclass(cls, Evaluator)
                and cls is not Evaluator
                and cls.__module__.endswith(f".{module.name}")
            ):
                found[module.name] = cls
    return found


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = {"flag_values": values, "module_name": "trainers.evaluate"}
    absl_flags.DEFINE_string("workdir", None, "The run to measure.", **where)
    absl_flags.DEFINE_list("metrics", [], f"What to measure: {', '.join(measurements())}.", **where)
    absl_flags.DEFINE_integer("seed", 0, "Of all that is drawn.", **where)
    for name, cls in measurements().items():
        flags.define_parameters(values, name, catalogue.hyperparameters(cls), cls)


def main(values: absl_flags.FlagValues) -> None:
    """Measures."""
    flags.require(values, "workdir")
    known = measurements()
    if not values.metrics:
        raise UserError(f"--metrics: expected some of {', '.join(known)} and found none")
    for name in values.metrics:
        if name not in known:
            raise UserError(f"--metrics: expected some of {', '.join(known)} and found {name}")
    trained = experiment.restored(pathlib.Path(values.workdir))
    for name in values.metrics:
        given = {p: values[f"{name}.{p}"].value for p in catalogue.hyperparameters(known[name])}
        evaluator = known[name](trained.algorithm, trained.images, seed=values.seed, **given)
        record(trained, name, evaluator, evaluator.run())


def record(
    trained: experiment.Experiment,
    name: str,
    evaluator: Evaluator,
    values: Iterable[tuple[str, float]],
) -> None:
    """Prints what was measured and writes it to metrics.jsonl and TensorBoard.

    Args:
        trained: the run.
        name: of the measurement.
        evaluator: which gives the protocol.
        values: names and values, as they come.
    """
    step = trained.algorithm.num_updates
    measured = {}
    for value_name, value in values:
        if not math.isfinite(value):
            raise UserError(
                f"--metrics: {name}/{value_name} came out as {value}; was anything left to measure?"
            )
        row = {"metric": f"{name}/{value_name}", "value": value, "protocol": evaluator.protocol()}
        trained.metrics.append("evaluation", step, row)
        print(f"{row['metric']}: {value:.6g}", flush=True)
        measured[value_name] = value
    with tf.summary.create_file_writer(str(trained.workdir / "tensorboard")).as_default(step):
        for value_name, value in measured.items():
            tf.summary.scalar(f"{name}/{value_name}", value)
    if verdict := evaluator.verdict(measured):
        trained.metrics.append(
            "verdict", step, {"metric": name, "verdict": verdict, "protocol": evaluator.protocol()}
        )
        print(verdict)


if __name__ == "__main__":
    commands.run(main, define, __doc__)
