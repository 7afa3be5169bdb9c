"""Exports a trained model for those who never install tfgen.

    python -m export.main --workdir=DIR --formats=saved_model,tflite --output=OUT

Writes OUT/saved_model/ALGORITHM/VERSION/, OUT/tflite/ENDPOINT.tflite and OUT/model_card.md.
"""

import pathlib

from absl import flags as absl_flags

from export import model_card, saved_model, tflite
from tfgen.errors import UserError
from tfgen.nets import implementations
from trainers import commands, experiment, flags

FORMATS = ("saved_model", "tflite")


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = {"flag_values": values, "module_name": "export.main"}
    absl_flags.DEFINE_string("workdir", None, "The run whose model to export.", **where)
    absl_flags.DEFINE_list("formats", list(FORMATS), f"Some of {', '.join(FORMATS)}.", **where)
    absl_flags.DEFINE_string("output", None, "The directory to write to.", **where)


def main(values: absl_flags.FlagValues) -> None:
    """Exports."""
    flags.require(values, "workdir", "output")
    for name in values.formats or [""]:
        if name not in FORMATS:
            raise UserError(f"--formats: expected some of {', '.join(FORMATS)} and found {name or 'none'}")
    output = pathlib.Path(values.output)
    if output.is_file():
        raise UserError(f"--output: expected a directory and found the file {output}")
    trained = experiment.restored(pathlib.Path(values.workdir), implementations.EXPORTED)
    if "tflite" in values.formats:
        tflite.endpoints(trained.algorithm)  # a model that has none is refused before anything is written
    written = []
    if "saved_model" in values.formats:
        written.append(saved_model.write(trained.algorithm, output / "saved_model" / trained.values.algorithm))
    if "tflite" in values.formats:
        written += tflite.write(trained.algorithm, output / "tflite")
    written.append(model_card.write(trained, written, output / "model_card.md"))
    for path in written:
        print(path)


if __name__ == "__main__":
    commands.run(main, define, __doc__)
