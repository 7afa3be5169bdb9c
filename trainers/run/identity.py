"""The identity of a run: the flags and data that it cannot change, and who may go on with it."""

import pathlib
from typing import Any

from absl import flags as absl_flags

from tfgen.errors import UserError
from tfgen.models import saved
from trainers.run import catalogue, dataset, flags, history, records, seal, stated
from trainers.run.records import Stamp

DATA = (
    "dataset",
    "crop",
    "image_size",
    "channels",
    "patch_size",
    "clip_length",
    "clip_stride",
    "missing",
    "max_images",
    "test_fraction",
    "validation",
    *stated.NAMES,
)
STRUCTURE = ("algorithm", "nets", *DATA, "seed")
"""Flags that a run cannot change midway; nor can it change its nets."""

FACTS = ("image_shape", "train_size", "num_incomplete")
"""What data.json says of the data that is exactly the same on every machine."""


def flags_of(workdir: pathlib.Path, moved_to: str | None = None) -> absl_flags.FlagValues:
    """Returns the flags that a work directory was made with, and `workdir` as it is now.

    Args:
        workdir: of a run.
        moved_to: the data set as `--dataset` names it today; None: as it was.

    Raises:
        UserError: if it is not one, or one of another format.
    """
    config = workdir / saved.FLAGS
    try:
        saved.check_run(workdir)
    except UserError as error:
        raise UserError(f"--workdir: {error}") from error
    if not config.exists():
        raise UserError(
            f"--workdir: expected a run's directory and found no flags.cfg in {workdir}"
        )
    seal.check(workdir)
    values = absl_flags.FlagValues()
    flags.define(values)
    try:
        argv = ["", f"--flagfile={config}", f"--workdir={workdir}"]
        flags.define_own_nets(values, argv)
        flags.parse(argv, values)
        flags.require(values, "algorithm", "nets", "dataset")
    except UserError as error:
        raise UserError(
            f"--workdir: expected {config} to be a run's flags and could not read it: {error}"
        ) from error
    if moved_to is not None:
        values["dataset"].value = dataset.absolute(moved_to)
    return values


def stamp_of(values: absl_flags.FlagValues, data: dict[str, Any]) -> Stamp:
    """Returns what checkpoints of a run say of its flags and data.

    Args:
        values: the run's flags.
        data: what its nets know of the data.
    """
    # data sets may move, and are told by what is in them
    names = [name for name in STRUCTURE if name != "dataset"]
    names += [
        f"{role}.{name}"
        for role in catalogue.roles(values.algorithm)
        for name in flags.net_options(values, role)
    ]
    # without defaults, so that a flag that is new in a later version changes nothing
    known = {n: values[n].value for n in names if values[n].value != values[n].default}
    facts = {name: data.get(name) for name in FACTS}
    return Stamp(flags=records.hash_of(known), data=records.hash_of(facts))


def refuse_others(values: absl_flags.FlagValues) -> history.Changes:
    """Returns the flags in which a run that goes on differs from before.

    Args:
        values: the flags, set.

    Raises:
        UserError: if the work directory is another run's, or holds other files.
    """
    workdir = pathlib.Path(values.workdir)
    if not (workdir / saved.RUN).exists() and not (workdir / "flags.cfg").exists():
        # what a kill while claiming it may have left behind does not count
        found = [path.name for path in workdir.glob("*") if not path.name.startswith(".")]
        if workdir.is_file() or set(found) - {"data.json"}:
            raise UserError(
                "--workdir: expected a run's directory or an empty one and found other files in "
                f"{workdir}"
            )
        return {}
    if not (workdir / saved.RUN).exists() and not (workdir / "checkpoints").exists():
        return {}  # killed while it was claimed
    before = flags_of(workdir)
    options = [
        f"{role}.{option}"
        for role in catalogue.roles(before.algorithm)
        for option in flags.net_options(before, role)
    ]
    movable = dataset.has_place(before.dataset) and dataset.has_place(values.dataset)
    for name in [*STRUCTURE, *options]:
        if name == "dataset" and movable:
            continue  # their fingerprints are compared
        if before[name].value != values[name].value:
            raise UserError(
                f"--{name}: {workdir} was made with {before[name].value} and cannot go on with "
                f"{values[name].value}; choose another --workdir"
            )
    return history.changes(before, values)
