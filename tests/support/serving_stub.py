"""A server with TensorFlow Serving's documented REST and gRPC interfaces, which runs a SavedModel.

Source: https://www.tensorflow.org/tfx/serving/api_rest and PredictionService of
tensorflow_serving/apis/prediction_service.proto; no more of them than predictions.
"""

import base64
import contextlib
import json
import pathlib
import threading
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

DESCRIBE = "describe"
"""The endpoint that clients ask before any other; not among the recorded requests."""


class Served:
    """A version of a SavedModel, its name, and the requests for endpoints that it saw."""

    def __init__(self, version: pathlib.Path):
        self.name = version.parent.name
        self.functions = tf.saved_model.load(str(version)).signatures
        saved = saved_model_pb2.SavedModel.FromString((version / "saved_model.pb").read_bytes())
        signatures = saved.meta_graphs[0].signature_def
        self.signatures: dict[str, meta_graph_pb2.SignatureDef] = dict(signatures)
        self.requests = []

    def answer(self, signature: str, inputs: dict) -> dict[str, np.ndarray]:
        """Runs a signature on whatever it is given, as a server does."""
        if signature not in self.signatures:
            raise ValueError(f'Serving signature name: "{signature}" not found in signature def')
        declared = self.signatures[signature].inputs
        types = {name: tf.as_dtype(info.dtype) for name, info in declared.items()}
        if types.keys() != inputs.keys():
            message = (
                f"input size does not match signature: expected {sorted(types)} and found "
                f"{sorted(inputs)}"
            )
            raise tf.errors.InvalidArgumentError(None, None, message)
        given = {name: tf.convert_to_tensor(value, types[name]) for name, value in inputs.items()}
        return {name: value.numpy() for name, value in self.functions[signature](**given).items()}


def _handler(served: Served) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            if self.path != f"/v1/models/{served.name}:predict":
                return self._send(
                    404, {"error": f"Servable not found for request: Latest({self.path})"}
                )
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if body.get("signature_name") != DESCRIBE:
                served.requests.append(body)
            try:
                return self._send(200, _predicted(served, body))
            except (tf.errors.InvalidArgumentError, ValueError) as error:
                return self._send(400, {"error": str(error)})

        def _send(self, code: int, body: dict):
            content = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args):
            """Logs nothing."""

    return Handler


def _predicted(served: Served, body: dict) -> dict:
    """Answers the row format, and columns where there is but one input."""
    name = body.get("signature_name", "serving_default")
    rows = body["instances"]
    if not isinstance(rows[0], dict) or "b64" in rows[0]:  # values of the only input
        (only,) = served.signatures[name].inputs
        rows = [{only: row} for row in rows]
    if len({frozenset(row) for row in rows}) != 1:
        raise ValueError("Failed to process element: not all instances have the same keys")
    found = served.answer(name, {key: [_bytes(row[key]) for row in rows] for key in rows[0]})
    if any(len(value) != len(rows) for value in found.values()):
        raise ValueError("outputs of a batch differ in their 0-th dimension")
    columns = {key: [_json(key, value) for value in column] for key, column in found.items()}
    if len(columns) == 1:
        return {"predictions": next(iter(columns.values()))}
    answers = zip(*columns.values(), strict=True)
    return {"predictions": [dict(zip(columns, row, strict=True)) for row in answers]}


def _bytes(value):
    return base64.b64decode(value["b64"]) if isinstance(value, dict) else value


def _json(name: str, value):
    if name.endswith("_bytes"):
        return {"b64": base64.b64encode(value).decode()}
    return value.decode() if isinstance(value, bytes) else value.tolist()


@contextlib.contextmanager
def rest(served: Served):
    """Starts a REST server on the loopback, and yields its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(served))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def grpc(served: Served):
    """Starts a gRPC server on the loopback, and yields its HOST:PORT."""
    import grpc
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    class Service(prediction_service_pb2_grpc.PredictionServiceServicer):
        def Predict(self, request, context):  # noqa: N802
            if request.model_spec.signature_name != DESCRIBE:
                served.requests.append(request)
            self._check(request, context)
            inputs = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
            try:
                found = served.answer(
                    request.model_spec.signature_name or "serving_default", inputs
                )
            except (tf.errors.InvalidArgumentError, ValueError) as error:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
            return predict_pb2.PredictResponse(
                outputs={n: tf.make_tensor_proto(v) for n, v in found.items()}
            )

        def _check(self, request, context):
            if request.model_spec.name != served.name:
                context.abort(
                    grpc.StatusCode.NOT_FOUND,
                    f"Servable not found for request: {request.model_spec.name}",
                )

    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Service(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()
