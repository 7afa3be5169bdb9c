"""An exported model that can be asked, wherever it runs."""

import abc
import functools
import re
from collections.abc import Mapping

import numpy as np

from export.saved_model import description
from export.saved_model.description import Described, Description
from tfgen.errors import UserError


class Exported(abc.ABC):
    """An exported model, in this process or behind a server.

    Args:
        flag: by which the user named it, for errors.
    """

    def __init__(self, flag: str):
        self.flag = flag

    @functools.cached_property
    def description(self) -> Description:
        """What the model is and what it can be asked.

        Raises:
            UserError: if the model does not say it.
        """
        answer = self.answer(description.NAME, {"index": np.zeros(1, np.int32)})
        try:
            return description.parsed(answer[description.OUTPUT][0])
        except (KeyError, ValueError, TypeError) as error:
            raise UserError(
                f"--{self.flag}: expected a model that tfgen exported, which describes itself, and "
                "found another"
            ) from error

    def endpoint(self, name: str) -> Described:
        """Returns what is said of an endpoint that takes and gives arrays.

        Raises:
            UserError: if the model has no such endpoint.
        """
        known = self.description.endpoints
        endpoints = {key: found for key, found in known.items() if not found.in_bytes}
        if name not in endpoints:
            able = ", ".join(sorted(endpoints))
            raise UserError(f"--task: this model can {able} and cannot {name}")
        return endpoints[name]

    @abc.abstractmethod
    def answer(self, endpoint: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Returns what an endpoint answers.

        Args:
            endpoint: its name.
            inputs: by name, [b, ...].

        Returns:
            By name, [b, ...].

        Raises:
            UserError: if it refuses, or is not to be reached.
        """


def refusal(message: str) -> str:
    """Returns what a model's own check said, without the graph's words around it.

    Args:
        message: the error's; if none of the model's checks speaks in it, its beginning is returned.
    """
    found = re.search(r"assertion failed: \[(.*? and found)\] ([^\n\t]*)", message)
    return " ".join(found.groups()).strip() if found else " ".join(message.split())[:400]
