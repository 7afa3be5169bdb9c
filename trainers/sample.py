"""Uses a trained model: draws what comes out, or writes it image by image.

    python -m trainers.sample --workdir=DIR --task=TASK --output=FILE.png
    python -m trainers.sample --workdir=DIR --task=TASK --output=DIR2 [--count=N]
    python -m trainers.sample --workdir=DIR --task=TASK --output=FILE.npz [--count=N]

A .png file shows everything on one sheet. A directory gets a file for each image: 00000.png,
00001.png and so on. An .npz file gets the array `image`, uint8 [n, h, w, c]. After an interruption
the same command goes on with the images that it had.

Of a model of clips, and of the task walk, FILE.gif is a film of the sheet, and a .png file a strip
of its frames. A directory gets a film for each clip, and an .npz file the array `image`, uint8
[n, t, h, w, c].
"""

import dataclasses
import functools
import pathlib
from collections.abc import Sequence
from typing import Any

from absl import flags as absl_flags

from tfgen.errors import UserError
from trainers.drawings import listing, pictures, single_images
from trainers.drawings.listing import Drawing
from trainers.drawings.request import Request
from trainers.run import best, classes, commands, dataset, flags, signatures, stated
from trainers.run.trained import restored

TASKS = listing.find()

SHEETS = (".png", pictures.FILM)
"""Suffixes of files that show everything on one sheet."""

SIMPLE = [f.name for f in dataclasses.fields(Request) if f.name not in ("size", "stated", "label")]
"""What flags of one value ask."""

__doc__ = f"{__doc__}\nTasks:\n{listing.table()}"  # what `--help` says first


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    module = "trainers.sample"
    where: dict[str, Any] = {"flag_values": values, "module_name": module}
    absl_flags.DEFINE_string("workdir", None, "The run whose model to use.", **where)
    absl_flags.DEFINE_enum("task", None, sorted(TASKS), "What to do.", **where)
    text = "What to write: a .png file (of what moves .gif, too), a directory, or an .npz file."
    absl_flags.DEFINE_string("output", None, text, **where)
    best.define_step(values, module, "use")
    dataset.define_moved(values, module)
    for option in signatures.options(Request, SIMPLE):
        flags.define_option(values, option.name, option, module=module)
    classes.define(values, module, "all images; by default their own, or each in turn")
    stated.define(values, module)
    text = "Height,width (or one side) of what is made or given in any size."
    absl_flags.DEFINE_list("size", ["256"], text, **where)


def main(values: absl_flags.FlagValues) -> None:
    """Does the task."""
    flags.require(values, "workdir", "task", "output")
    drawing, output = TASKS[values.task], pathlib.Path(values.output)
    check_output(drawing, output)
    trained = restored(values.workdir, values.step, moved_to=values.dataset)
    check_film(drawing, output, trained.model.image_shape)
    asked = request(values, trained.data.get("class_names"))
    if output.suffix in SHEETS:
        pictures.save(output, drawing.draw(trained, asked))
    elif drawing.images is not None:
        parts = functools.partial(drawing.images, trained, asked)
        made_of = {
            "task": drawing.name,
            "workdir": str(pathlib.Path(values.workdir).absolute()),
            "updates": int(trained.model.updates),
            **dataclasses.asdict(asked),
        }
        single_images.write(output, parts, made_of, asked.count)
    print(output)


def request(values: absl_flags.FlagValues, class_names: Sequence[str] | None = None) -> Request:
    """Returns what flags ask of a drawing.

    Args:
        values: the flags, set.
        class_names: of the run's data, which `--label` may give; None where they have none.

    Raises:
        UserError: if the size is none, or the label.
    """
    given: dict[str, Any] = {name: values[name].value for name in SIMPLE}
    given["stated"] = stated.reading(values)
    given["label"] = classes.number(values.label, class_names)
    size = dataset.sides("size", values.size)
    if size is not None:
        given["size"] = size
    return Request(**given)


def check_output(drawing: Drawing, output: pathlib.Path) -> None:
    """Raises UserError unless a drawing can be written to a path."""
    if output.suffix in SHEETS and not output.is_dir():
        return
    if output.suffix not in ("", single_images.ARRAYS) and not output.is_dir():
        raise UserError(
            f"--output: expected a .png file, a directory or an .npz file and found {output}"
        )
    if drawing.images is None:
        raise UserError(
            f"--output: expected a .png file, since {drawing.name} makes one picture, and found "
            f"{output}"
        )
    single_images.check(output)


def check_film(drawing: Drawing, output: pathlib.Path, image_shape: Sequence[int]) -> None:
    """Raises UserError if a film is asked of a drawing that does not move."""
    if output.suffix == pictures.FILM and len(image_shape) != 4 and not drawing.film:
        raise UserError(
            f"--output: expected a .png file, a directory or an .npz file, since this model makes "
            f"images, and found {output}"
        )


if __name__ == "__main__":
    commands.run(main, define, __doc__)
