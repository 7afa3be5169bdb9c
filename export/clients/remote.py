"""Models behind a server that speaks TensorFlow Serving's REST or gRPC interface.

The row format of https://www.tensorflow.org/tfx/serving/api_rest, and PredictionService of `tensorflow-serving-api`.
"""

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow.core.protobuf import meta_graph_pb2

from export.clients import backends
from export.saved_model import warmup
from tfgen.errors import UserError

PATIENCE = 600
"""Seconds that an answer may take: sampling is slow."""


def connect(server: str, model: str) -> backends.Model:
    """A model behind a server.

    Args:
        server: a URL for REST, or HOST:PORT for gRPC.
        model: its name there.

    Raises:
        UserError: if there is no such server or model.
    """
    return Rest(server, model) if "://" in server else Grpc(server, model)


class Rest(backends.Model):
    """A model behind a REST server.

    Args:
        server: its URL, without a path.
        model: its name there.
    """

    def __init__(self, server: str, model: str):
        self.url = f"{server.rstrip('/')}/v1/models/{model}"
        try:
            found = self._call("/metadata")["metadata"]["signature_def"]["signature_def"]
            parsed = {
                name: json_format.ParseDict(
                    said, meta_graph_pb2.SignatureDef(), ignore_unknown_fields=True
                )
                for name, said in found.items()
            }
        except (KeyError, TypeError, json_format.ParseError) as error:
            raise UserError(
                f"--server: expected a model's signatures and found others at {self.url}"
            ) from error
        self.outputs = {name: sorted(signature.outputs) for name, signature in parsed.items()}
        super().__init__(backends.declared(parsed.items()))

    def answer(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        columns = {name: _plain(value) for name, value in inputs.items()}
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        found = self._call(":predict", {"signature_name": signature, "instances": rows})[
            "predictions"
        ]
        names = self.outputs[signature]
        # a single output comes without its name
        return {n: _array(found if len(names) == 1 else [row[n] for row in found]) for n in names}

    def _call(self, path: str, body: dict | None = None) -> dict:
        data = None if body is None else json.dumps(body).encode()
        try:
            request = urllib.request.Request(
                self.url + path, data, {"Content-Type": "application/json"}
            )
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise UserError(f"--server: {self.url}{path} refused: {_said(error)}") from error
        except (OSError, ValueError) as error:
            raise UserError(
                f"--server: expected a REST server and had no answer from {self.url} ({error})"
            ) from error


class Grpc(backends.Model):
    """A model behind a gRPC server; needs `tensorflow-serving-api`, the extra `serving`.

    Args:
        server: HOST:PORT.
        model: its name there.
    """

    def __init__(self, server: str, model: str):
        if not warmup.available():
            raise UserError(
                "--server: gRPC needs tensorflow-serving-api; install the extra `serving`, or give a URL"
            )
        import grpc
        from tensorflow_serving.apis import get_model_metadata_pb2, prediction_service_pb2_grpc

        self.server, self.model = server, model
        unlimited = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
        self.service = prediction_service_pb2_grpc.PredictionServiceStub(
            grpc.insecure_channel(server, unlimited)
        )
        asked = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        asked.model_spec.name = model
        found = get_model_metadata_pb2.SignatureDefMap()
        self._call(self.service.GetModelMetadata, asked).metadata["signature_def"].Unpack(found)
        super().__init__(backends.declared(found.signature_def.items()))

    def answer(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        found = self._call(self.service.Predict, warmup.request(self.model, signature, inputs))
        return {name: tf.make_ndarray(value) for name, value in found.outputs.items()}

    def _call(self, method, request):
        import grpc

        try:
            return method(request, timeout=PATIENCE)
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.UNAVAILABLE:
                raise UserError(
                    f"--server: expected a gRPC server and had no answer from {self.server}"
                ) from error
            raise UserError(
                f"--server: {self.server} refused: {backends.refusal(error.details())}"
            ) from error


def _plain(column: np.ndarray) -> list:
    """A column's rows as JSON knows them."""
    if column.dtype != object:
        return column.tolist()
    return [{"b64": base64.b64encode(value).decode()} for value in column]


def _array(rows: list) -> np.ndarray:
    """Rows of JSON as a column."""
    if isinstance(rows[0], dict):
        return np.array([base64.b64decode(row["b64"]) for row in rows], object)
    return np.asarray(rows, np.float32)


def _said(error: urllib.error.HTTPError) -> str:
    try:
        return backends.refusal(json.load(error)["error"])
    except (ValueError, KeyError, TypeError):
        return str(error)
