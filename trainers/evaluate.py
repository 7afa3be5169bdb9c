"""Measures a trained model; writes each value with its protocol to metrics.jsonl and prints it.

python -m trainers.evaluate --workdir=DIR --metrics=NAME[,NAME...] [--NAME.PARAMETER=VALUE]
"""

import functools
import importlib
import inspect
import math
import pkgutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from absl import flags as absl_flags

import tfgen.evaluation
from tfgen.errors import UserError
from tfgen.evaluation.base import Evaluator
from trainers.run import best, catalogue, commands, dataset, flags
from trainers.run.board import Board
from trainers.run.catalogue import Parameters
from trainers.run.trained import Trained, restored


@functools.cache
def measurements() -> dict[str, type[Evaluator]]:
    """Returns every measurement by its name: a file of `tfgen/evaluation` with an `Evaluator`."""
    found = {}
    for file in pkgutil.iter_modules(tfgen.evaluation.__path__):
        module = importlib.import_module(f"{tfgen.evaluation.__name__}.{file.name}")
        # files import each other's classes too: only those that they define count
        for _, cls in inspect.getmembers(module, inspect.isclass):
            own = cls.__module__ == module.__name__
            if own and issubclass(cls, Evaluator) and not inspect.isabstract(cls):
                found[file.name] = cls
    return found


def parameters(cls: type[Evaluator]) -> Parameters:
    """Returns the fields of a measurement that flags set, by name."""
    everything = catalogue.hyperparameters(cls)
    return {name: parameter for name, parameter in everything.items() if name != "jit"}


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where: dict[str, Any] = {"flag_values": values, "module_name": "trainers.evaluate"}
    metrics_help = f"What to measure: {', '.join(measurements())}."
    absl_flags.DEFINE_string("workdir", None, "The run to measure.", **where)
    absl_flags.DEFINE_list("metrics", [], metrics_help, **where)
    flags.define_seed(values, where["module_name"])
    best.define_step(values, "trainers.evaluate", "measure")
    dataset.define_moved(values, where["module_name"])
    for name, cls in measurements().items():
        flags.define_parameters(values, name, parameters(cls), cls)


def main(values: absl_flags.FlagValues) -> None:
    """Measures."""
    flags.require(values, "workdir")
    check_names(values.metrics)
    trained = restored(values.workdir, values.step, moved_to=values.dataset)
    # all are made before any runs, so that a mistake is reported before hours are spent
    evaluators = [evaluator(trained, name, values) for name in values.metrics]
    for made in evaluators:
        record(trained, made, made.run())


def check_names(names: Sequence[str]) -> None:
    """Raises UserError unless all are names of measurements, and there are some."""
    known = measurements()
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        found = unknown[0] if unknown else "none"
        raise UserError(f"--metrics: expected some of {', '.join(known)} and found {found}")


def evaluator(trained: Trained, name: str, values: absl_flags.FlagValues) -> Evaluator:
    """Returns a measurement of a model, under the protocol that flags give.

    Args:
        trained: the run.
        name: of the measurement.
        values: the flags, set.

    Raises:
        UserError: if the model or the data cannot be measured so.
    """
    cls = measurements()[name]
    given = {"seed": values.seed, "jit": trained.jit_compile, **protocol(cls, values)}
    return cls(trained.model, trained.images, **given)


def protocol(cls: type[Evaluator], values: absl_flags.FlagValues) -> dict[str, Any]:
    """Returns the fields of a measurement as flags give them, by name."""
    return {field: values[f"{cls.name()}.{field}"].value for field in parameters(cls)}


def record(trained: Trained, evaluator: Evaluator, values: Iterable[tuple[str, float]]) -> None:
    """Prints what is measured and writes it to metrics.jsonl and TensorBoard.

    Args:
        trained: the run.
        evaluator: gives the protocol.
        values: names and values, as they come.

    Raises:
        UserError: if a value is not finite.
    """
    name, protocol, measured = evaluator.name(), evaluator.protocol(), {}
    for value_name, value in values:
        if not math.isfinite(value):
            raise UserError(
                f"--metrics: {name}/{value_name} came out as {value}; was anything left to measure?"
            )
        row = {"metric": f"{name}/{value_name}", "value": value, "protocol": protocol}
        print(f"{row['metric']}: {value:.6g}", flush=True)
        keep(trained, "evaluation", row)
        measured[f"{name}/{value_name}"] = value
    Board(trained.workdir).scalars(trained.step, measured)
    measured = {key.removeprefix(f"{name}/"): value for key, value in measured.items()}
    verdict = evaluator.verdict(measured)
    if verdict:
        row = {"metric": name, "verdict": verdict, "protocol": protocol}
        print(verdict)
        keep(trained, "verdict", row)


def keep(trained: Trained, kind: str, row: dict[str, Any]) -> None:
    """Writes a row to metrics.jsonl; in a directory that may only be read, says that it did not."""
    try:
        trained.metrics.append(kind, trained.step, row)
        trained.metrics.flush()
    except OSError as error:
        reason = f"{error.filename or trained.metrics.path}: {error.strerror}"
        print(f"{row['metric']} is printed and not written: {reason}", file=sys.stderr)


if __name__ == "__main__":
    commands.run(main, define, __doc__)
