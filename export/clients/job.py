"""A job on a folder of images: the request for each image, and the file of its answer."""

import json
import pathlib
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from export.clients import image_inputs, request, tables
from export.saved_model.description import EndpointDescription
from tfgen import files, random
from tfgen.data import preprocess, reading
from tfgen.data.reading import Reading
from tfgen.errors import UserError
from trainers.drawings import pictures

Row = dict[str, np.ndarray]
"""One example, by name of the input or output."""

FAILED = "failed"
"""The directory under a job's output with a note on each image that could not be read."""


class Job(NamedTuple):
    """A request that is made for each image of a folder.

    Attributes:
        saved_model: the model's directory, with a directory for each version.
        output: where answers go.
        endpoint: to ask; it takes one image a row.
        mask: what is hidden; see `tfgen.data.masks`.
        seed: an image's own seed follows from this and its name.
        given: values of other inputs by name, as JSON has them.
        stated: what the user states about the images.
    """

    saved_model: str
    output: str
    endpoint: EndpointDescription
    mask: str
    seed: int
    given: Mapping[str, Any]
    stated: Reading = reading.PLAIN

    @property
    def suffix(self) -> str:
        """The suffix of answers: .png for pictures, .json for numbers, .npz for other arrays."""
        if all(entry.encoding == "image" for entry in self.endpoint.outputs.values()):
            return ".png"
        return ".json" if tables.fits(self.endpoint) else ".npz"

    def answer(self, image: pathlib.Path) -> pathlib.Path:
        """Returns the file of an image's answer."""
        return pathlib.Path(self.output) / f"{image.stem}{self.suffix}"

    def row(self, image: pathlib.Path) -> Row:
        """Returns the request's row for an image.

        Raises:
            UserError: if the file is no image.
        """
        (name,) = image_inputs.images(self.endpoint)
        found = image_inputs.of_files([str(image)], self.endpoint.inputs[name], None, self.stated)
        number = zlib.crc32(image.name.encode()) - 2**31  # as a signed integer of 32 bits
        seed = random.fold_in(random.root(self.seed), number)
        values = {**self.given, name: found, "seed": np.asarray(seed)}
        for mask in image_inputs.masks(self.endpoint):
            values[mask] = image_inputs.mask(self.mask, found.shape[:3], seed)
        rows = request.rows(self.endpoint, values, count=1, root=seed)
        return {key: value[0] for key, value in rows.items()}

    def write(self, image: pathlib.Path, answer: Row) -> pathlib.Path:
        """Writes an image's answer, which appears whole or not at all.

        Raises:
            UserError: if its numbers are not finite; exports of today refuse such answers.
        """
        path = self.answer(image)
        for name, value in answer.items():
            if np.asarray(value).dtype.kind == "f" and not np.isfinite(value).all():
                raise UserError(f"{image.name}: expected finite numbers of {name} and found others")
        if self.suffix == ".png":
            shown = np.concatenate(list(answer.values()), axis=1)  # side by side, if several
            pictures.save(path, preprocess.to_uint8(shown))
        elif self.suffix == ".npz":
            tables.save(path, answer)
        else:
            found = {"image": image.name, **tables.columns(answer)}
            with files.written_aside(path) as aside:
                aside.write_text(json.dumps(found, allow_nan=False) + "\n", encoding="utf-8")
        return path


def settled(endpoint: EndpointDescription, given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the values of all inputs but pictures and seeds, as JSON has them.

    Args:
        endpoint: of the model.
        given: values by name; all others take their defaults.

    Raises:
        UserError: if a value is missing, or the endpoint cannot be asked of single images.
    """
    names = image_inputs.images(endpoint)
    clips = any(endpoint.inputs[name].encoding == "clip" for name in names)
    if len(names) != 1 or clips or image_inputs.any_size(endpoint):
        found = "images of any size" if len(names) == 1 else f"{len(names)} images"
        found = "clips" if clips else found
        raise UserError(
            f"--task: expected one that takes one image of the model's size, and {endpoint.name} "
            f"takes {found}"
        )
    own = {*names, *image_inputs.masks(endpoint), "seed"}
    left = {name: entry for name, entry in endpoint.inputs.items() if name not in own}
    root = random.root(0)  # for none, since seeds are left out
    rows = request.rows(endpoint._replace(inputs=left), given, count=1, root=root)
    return {name: value[0].tolist() for name, value in rows.items()}
