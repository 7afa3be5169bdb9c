"""Models behind a server that speaks TensorFlow Serving's REST or gRPC interface.

Source: the row format of https://www.tensorflow.org/tfx/serving/api_rest, and PredictionService of
`tensorflow-serving-api`.
"""

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from export.clients.exported import Exported, refusal
from export.saved_model import description, warmup
from tfgen.errors import UserError

PATIENCE = 600
"""Seconds that an answer may take: sampling is slow."""


def connect(server: str, model: str) -> Exported:
    """Returns a model behind a server.

    Args:
        server: a URL for REST, or HOST:PORT for gRPC.
        model: its name there.

    Raises:
        UserError: if gRPC is asked for and its extra is not installed.
    """
    return Rest(server, model) if "://" in server else Grpc(server, model)


class Rest(Exported):
    """A model behind a REST server.

    Args:
        server: its URL, without a path.
        model: its name there.
    """

    def __init__(self, server: str, model: str):
        super().__init__("server")
        self.url = f"{server.rstrip('/')}/v1/models/{model}:predict"

    def answer(self, endpoint: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        for name, value in inputs.items():
            if value.dtype.kind == "f" and not np.isfinite(value).all():
                raise UserError(f"{name}: expected finite numbers and found NaN or infinity")
        columns = {name: _json(value) for name, value in inputs.items()}
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        found = self._call({"signature_name": endpoint, "instances": rows})
        names = self._outputs(endpoint)
        if len(names) == 1:  # a single output comes without its name
            return {names[0]: _array(found)}
        return {name: _array([row[name] for row in found]) for name in names}

    def _outputs(self, endpoint: str) -> list[str]:
        if endpoint == description.NAME:
            return [description.OUTPUT]
        return list(self.description.endpoints[endpoint].outputs)

    def _call(self, body: dict[str, Any]) -> list[Any]:
        """Returns the predictions of a request."""
        data = json.dumps(body, allow_nan=False).encode()
        head = {"Content-Type": "application/json"}
        try:
            request = urllib.request.Request(self.url, data, head)
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return json.load(answer)["predictions"]
        except urllib.error.HTTPError as error:
            raise UserError(f"--server: {self.url} refused: {_said(error)}") from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"--server: expected a REST server and had no answer from {self.url} ({error})"
            ) from error


class Grpc(Exported):
    """A model behind a gRPC server; needs `tensorflow-serving-api`, the extra `serving`.

    Args:
        server: HOST:PORT.
        model: its name there.

    Raises:
        UserError: if the extra is not installed.
    """

    def __init__(self, server: str, model: str):
        super().__init__("server")
        if not warmup.available():
            raise UserError(
                "--server: gRPC needs tensorflow-serving-api; install the extra `serving`, or give "
                "a URL"
            )
        import grpc
        from tensorflow_serving.apis import prediction_service_pb2_grpc

        self.server = server
        self.model = model
        unlimited = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
        channel = grpc.insecure_channel(server, unlimited)
        self.service = prediction_service_pb2_grpc.PredictionServiceStub(channel)

    def answer(self, endpoint: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        found = self._predict(warmup.request(self.model, endpoint, inputs))
        return {name: tf.make_ndarray(value) for name, value in found.outputs.items()}

    def _predict(self, request):
        import grpc

        try:
            return self.service.Predict(request, timeout=PATIENCE)
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.UNAVAILABLE:
                raise UserError(
                    f"--server: expected a gRPC server and had no answer from {self.server}"
                ) from error
            said = refusal(error.details())
            raise UserError(f"--server: {self.server} refused: {said}") from error


def _json(column: np.ndarray) -> list:
    """Returns the rows of a column as JSON can hold them."""
    if column.dtype != object:
        return column.tolist()
    return [{"b64": base64.b64encode(value).decode()} for value in column]


def _array(rows: list) -> np.ndarray:
    """Returns rows from JSON as a column."""
    if isinstance(rows[0], dict):
        return np.array([base64.b64decode(row["b64"]) for row in rows], object)
    if isinstance(rows[0], str):
        return np.array(rows, object)
    found = np.asarray(rows)  # JSON has one kind of fraction, models have float32
    return found.astype(np.float32) if found.dtype == np.float64 else found


def _said(error: urllib.error.HTTPError) -> str:
    try:
        return refusal(json.load(error)["error"])
    except (ValueError, KeyError, TypeError):
        return str(error)
