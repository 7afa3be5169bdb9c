"""Makes a work directory of a pretrained model, so that every command takes it as a run's."""

import pathlib
import shutil

from tfgen import files, pretrained
from tfgen.errors import UserError
from tfgen.models import saved
from trainers.run import dataset, identity, records, seal

METRICS = "metrics.jsonl"

COPIED = (saved.FLAGS, dataset.FILE, METRICS)
"""What a pretrained model's directory keeps of its run, without a seal."""


def unpack(name: str, workdir: pathlib.Path) -> None:
    """Writes the work directory of a pretrained model, which appears whole or not at all.

    It holds one checkpoint, with the model and without the state of the training.

    Args:
        name: one of `pretrained.names()`.
        workdir: a new directory, or an empty one.

    Raises:
        UserError: if there is no such model, or the directory holds files.
    """
    source, updates = pretrained.path_of(name), pretrained.card_of(name).updates
    if workdir.exists() and (not workdir.is_dir() or any(workdir.iterdir())):
        raise UserError(f"--workdir: expected a new directory and found files in {workdir}")
    with files.written_aside(workdir) as aside:
        aside.mkdir()
        for file in COPIED:
            text = (source / file).read_text(encoding="utf-8")
            content = seal.sealed(text) if file == saved.FLAGS else text
            (aside / file).write_text(content, encoding="utf-8")
        (aside / saved.RUN).write_text(seal.run_record(), encoding="utf-8")
        place = saved.checkpoint(aside / "checkpoints", updates)
        (place / saved.MODEL).mkdir(parents=True)
        for file in (saved.DESCRIPTION, saved.WEIGHTS):
            shutil.copyfile(source / file, place / saved.MODEL / file)
        stamp = identity.stamp_of(identity.flags_of(aside), dataset.remembered(aside))
        records.write(place, updates, {}, stamp)
