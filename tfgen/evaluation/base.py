"""What every measurement is."""

import abc
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tfgen.data.examples import Images
from tfgen.errors import UserError
from tfgen.training.algorithm import Algorithm
from tfgen.types import Endpoint, EnergyFn
from tfgen.version import __version__


@dataclasses.dataclass(frozen=True)
class Evaluator(abc.ABC):
    """A measurement of a trained model; subclasses are frozen dataclasses with keyword-only fields.

    Attributes:
        algorithm: trained.
        images: the data it was trained on.
        seed: of all that the measurement draws.

    Raises:
        UserError: if a count is below 1.
    """

    algorithm: Algorithm
    images: Images
    _: dataclasses.KW_ONLY
    seed: int = 0

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            # no steps stand for the algorithm's own number
            if field.type is int and field.name not in ("seed", "num_steps") and value < 1:
                raise UserError(f"{field.name}: expected at least 1 and found {value}")

    @abc.abstractmethod
    def run(self) -> Iterator[tuple[str, float]]:
        """Measures.

        Yields:
            Names and values.
        """

    def verdict(self, values: Mapping[str, float]) -> str:
        """What the values mean, in a sentence; nothing by default.

        Args:
            values: all that `run` yielded, by name.
        """
        del values
        return ""

    def endpoint(self, name: str) -> Endpoint:
        """What the algorithm can be asked for.

        Raises:
            UserError: if it cannot.
        """
        endpoints = self.algorithm.endpoints()
        if name not in endpoints:
            raise UserError(
                f"--metrics: expected a model that can {name} and found one for {', '.join(sorted(endpoints))}"
            )
        return endpoints[name]

    def energy(self) -> EnergyFn:
        """The model's energy, a function of images.

        Raises:
            UserError: if the model has none, or one for each class.
        """
        endpoint = self.algorithm.endpoints().get("energy")
        if endpoint is None or endpoint.inputs != ["image"]:
            name = self.__module__.rpartition(".")[2]
            raise UserError(f"--metrics: {name} expects a model with one energy")
        return lambda x: endpoint.fn(x)["energy"]

    def own(self, split: str, count: int) -> np.ndarray:
        """The first images of the training or the test split, cut to the model's size, [n, h, w, c]."""
        height, width, _ = self.images.shape
        return getattr(self.images, split).whole()[:count, :height, :width]

    def protocol(self) -> dict[str, Any]:
        """What another run must share for its values to be comparable."""
        own = {
            f.name: getattr(self, f.name)
            for f in dataclasses.fields(self)
            if f.name not in ("algorithm", "images")
        }
        return own | {"version": __version__}
