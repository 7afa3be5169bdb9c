"""Pretrained models that come with the package, by name: what they are, and where they are.

Each is a directory beside this file: a saved model with weights of 16 bits, `card.json`, what
its run was made with, and a picture of samples.
"""

import dataclasses
import difflib
import hashlib
import json
import pathlib
from collections.abc import Mapping
from typing import Any

from tfgen.errors import UserError

DIRECTORY = pathlib.Path(__file__).parent
CARD = "card.json"
SAMPLES = "samples.png"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Card:
    """What is known of a pretrained model.

    Attributes:
        name: by which `tfgen.load` finds it.
        shows: one sentence on what it is for.
        algorithm: that trained it.
        nets: their family.
        parameters: numbers in its nets and chains.
        image_shape: height, width, channels.
        recipe: the packaged flagfile.
        command: that trained it.
        updates: of training.
        seed: of the training.
        dataset: as `--dataset` names it.
        data_terms: what the makers of the data allow.
        measured: what was measured on these weights, by name; each with its value and protocol.
        samples: the command that drew `samples.png`, unchosen, from a work directory.
        sha256: of the file of weights.
        tfgen: the version that trained it.
    """

    name: str
    shows: str
    algorithm: str
    nets: str
    parameters: int
    image_shape: tuple[int, ...]
    recipe: str
    command: str
    updates: int
    seed: int
    dataset: str
    data_terms: str
    measured: Mapping[str, Mapping[str, Any]]
    samples: str
    sha256: str
    tfgen: str

    def to_json(self) -> str:
        """Returns the card as JSON."""
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"


def names() -> list[str]:
    """Returns the names of all pretrained models, in order.

    Example:
        >>> names()
        ['mnist5k-triangle', ...]
    """
    return sorted(path.parent.name for path in DIRECTORY.glob(f"*/{CARD}"))


def path_of(name: str) -> pathlib.Path:
    """Returns the directory of a pretrained model.

    Args:
        name: one of `names()`.

    Raises:
        UserError: if there is no such model.
    """
    if name not in names():
        close = difflib.get_close_matches(name, names(), n=1)
        hint = f"; did you mean {close[0]}?" if close else "; `tfgen zoo` lists them"
        raise UserError(f"name: expected a pretrained model and found {name}{hint}")
    return DIRECTORY / name


def card_of(name: str) -> Card:
    """Returns what is known of a pretrained model.

    Args:
        name: one of `names()`.

    Raises:
        UserError: if there is no such model.

    Example:
        >>> card_of("mnist5k-triangle").measured["reconstruction/test_mse"]["value"]
    """
    found: dict[str, Any] = json.loads((path_of(name) / CARD).read_text(encoding="utf-8"))
    return Card(**found | {"image_shape": tuple(found["image_shape"])})


def hash_of(weights: pathlib.Path) -> str:
    """Returns the SHA-256 of a file, in hexadecimal digits."""
    return hashlib.sha256(weights.read_bytes()).hexdigest()
