"""An exported model that can be asked, wherever it runs."""

import abc
import functools
import re
from collections.abc import Mapping

import numpy as np

from export.saved_model import description
from export.saved_model.description import Description, EndpointDescription
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
        """The facts about the model, and its endpoints with their inputs.

        Raises:
            UserError: if the model has no such description.
        """
        answer = self.answer(description.NAME, {"index": np.zeros(1, np.int32)})
        try:
            return description.parsed(answer[description.OUTPUT][0])
        except (KeyError, ValueError, TypeError) as error:
            raise UserError(
                f"--{self.flag}: expected a model that tfgen exported, which describes itself, and "
                "found another"
            ) from error

    def endpoint(self, name: str) -> EndpointDescription:
        """Returns the description of an endpoint that takes and gives arrays.

        Raises:
            UserError: if the model has no such endpoint.
        """
        known = self.description.endpoints
        endpoints = {key: found for key, found in known.items() if not found.in_bytes}
        if name not in endpoints:
            able = ", ".join(sorted(endpoints))
            raise UserError(f"--task: this model can {able} and cannot {name}")
        return endpoints[name]

    def ask(self, endpoint: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Asks an endpoint in as many requests as the export's limit of rows takes.

        Args:
            endpoint: its name.
            inputs: by name, [b, ...].

        Returns:
            The outputs by name, [b, ...].

        Raises:
            UserError: if the model refuses the inputs, or cannot be reached.
        """
        count = len(next(iter(inputs.values())))
        most = self.description.facts.get("limits", {}).get("rows", count)
        answers = [
            self.answer(endpoint, {name: value[i : i + most] for name, value in inputs.items()})
            for i in range(0, count, most)
        ]
        return {name: np.concatenate([part[name] for part in answers]) for name in answers[0]}

    @abc.abstractmethod
    def answer(self, endpoint: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Asks an endpoint by one request.

        Args:
            endpoint: its name.
            inputs: by name, [b, ...].

        Returns:
            The outputs by name, [b, ...].

        Raises:
            UserError: if the model refuses the inputs, or cannot be reached.
        """


def refusal(message: str) -> str:
    """Returns the sentence of a model's own check, without the words that TensorFlow adds.

    Args:
        message: of the error. If no check of the model wrote it, its beginning is returned.
    """
    found = re.search(r"assertion failed: \[(.*? and found)\] ([^\n\t]*)", message)
    return " ".join(found.groups()).strip() if found else " ".join(message.split())[:400]
