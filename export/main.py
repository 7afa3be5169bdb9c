"""Exports a trained model for those who never install tfgen.

    python -m export.main --workdir=DIR --formats=saved_model,tflite --output=OUT

Writes OUT/saved_model/ALGORITHM/VERSION/, OUT/tflite/ENDPOINT.tflite (.int8.tflite,
.float16.tflite), and a model card, OUT/model_card.md and .json.
"""

import pathlib
import sys
from collections.abc import Sequence
from typing import Any

from absl import flags as absl_flags

from export import outputs
from export.card import model_card
from export.litert import convert
from export.saved_model import archive, limits, warmup
from tfgen.errors import UserError
from tfgen.nets.convolution import implementations
from trainers.run import best, commands, flags
from trainers.run.trained import Trained, restored

FORMATS = ("saved_model", "tflite")


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where: dict[str, Any] = {"flag_values": values, "module_name": "export.main"}
    variants = f"Of LiteRT files: some of {', '.join(convert.VARIANTS)}."
    absl_flags.DEFINE_string("workdir", None, "The run whose model to export.", **where)
    best.define_step(values, "export.main", "export")
    absl_flags.DEFINE_list("formats", list(FORMATS), f"Some of {', '.join(FORMATS)}.", **where)
    absl_flags.DEFINE_list("variants", ["float32"], variants, **where)
    absl_flags.DEFINE_boolean(
        "measure", True, "Time what was exported, and compare it with the library.", **where
    )
    absl_flags.DEFINE_string("output", None, "The directory to write to.", **where)
    _define_limits(where)


def _define_limits(where: dict[str, Any]) -> None:
    """Defines the flags of the largest request that a SavedModel answers."""
    times = f"{limits.TIMES} times the"
    most = limits.Limits()
    said = {
        "steps": f"Sampling steps of a request at most; {times} model's own by default, or 1000.",
        "count": f"Images, or draws of each image, of a request at most; {most.count} by default.",
        "side": f"Pixels a side of a request's images at most; {times} model's own by default.",
        "rows": f"Rows of a request at most; {most.rows} by default.",
    }
    for name, words in said.items():
        absl_flags.DEFINE_integer(
            f"most_{name}", None, words, lower_bound=1, upper_bound=2**31 - 1, **where
        )


def main(values: absl_flags.FlagValues) -> None:
    """Exports."""
    flags.require(values, "workdir", "output")
    _check_some_of("formats", values.formats, FORMATS)
    _check_some_of("variants", values.variants, convert.VARIANTS)
    output = pathlib.Path(values.output)
    for place in (output, *(output / name for name in values.formats)):
        if place.exists() and not place.is_dir():
            raise UserError(f"--output: expected a directory and found the file {place}")
    with outputs.in_use(output):
        trained = restored(values.workdir, values.step, implementations.EXPORTED)
        _clear(output, trained.values.algorithm)
        for path in _write(trained, output, values):
            print(path)


def _write(
    trained: Trained, output: pathlib.Path, values: absl_flags.FlagValues
) -> list[pathlib.Path]:
    """Writes the model in all formats that are asked for and its card; returns the places."""
    written, measure = [], values.measure
    bounds = limits.of(
        trained.model, {name: values[f"most_{name}"].value for name in limits.names()}
    )
    if "tflite" in values.formats:
        # a model that has none is refused before anything is written
        convert.endpoints(trained.model)
    served = None
    if "saved_model" in values.formats:
        if not warmup.available():
            print(warmup.MISSING, file=sys.stderr)
        served = model_card.Served(trained, bounds, measure)
        directory = output / "saved_model" / trained.values.algorithm
        about = model_card.about(trained)
        version = archive.write(
            trained.model, directory, about, bounds=bounds, finish=served.write_card
        )
        written.append(version)
    if "tflite" in values.formats:
        written += convert.write(trained.model, output / "tflite", values.variants)
    card = model_card.write(trained, written, output, served=served, measure=measure)
    return [*written, *card]


def _clear(output: pathlib.Path, algorithm: str) -> None:
    """Removes what killed exports have left half written."""
    outputs.remove_leftovers(output, lambda name: name.startswith("model_card."))
    outputs.remove_leftovers(output / "tflite", lambda name: name.endswith(".tflite"))
    outputs.remove_leftovers(output / "saved_model" / algorithm, str.isdigit)


def _check_some_of(flag: str, names: Sequence[str], known: Sequence[str]) -> None:
    """Raises UserError unless there are names and all are known."""
    for name in names or ["none"]:
        if name not in known:
            raise UserError(
                f"--{flag}: expected some of {', '.join(known)} and found {name or 'none'}"
            )


if __name__ == "__main__":
    commands.run(main, define, __doc__)
