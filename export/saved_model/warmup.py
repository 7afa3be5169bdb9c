"""Warm-up records: requests that a server makes to itself before it reports that it is ready.

`tensorflow-serving-api` builds them, the optional extra `serving`.
"""

import importlib.util
import pathlib
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

PLACE = pathlib.Path("assets.extra", "tf_serving_warmup_requests")
"""The file that TensorFlow Serving reads, in a version's directory."""

MISSING = (
    "note: no warm-up requests are written; they need tensorflow-serving-api, the extra `serving`"
)


def available() -> bool:
    """Tells whether the extra is installed."""
    return importlib.util.find_spec("tensorflow_serving") is not None


def write(
    version: pathlib.Path, model: str, examples: Mapping[str, Mapping[str, np.ndarray]]
) -> None:
    """Writes one record for each endpoint.

    Args:
        version: the directory of a model's version.
        model: name of the model.
        examples: inputs by name, for each endpoint.
    """
    place = version / PLACE
    place.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(place)) as writer:
        for signature, inputs in examples.items():
            writer.write(_record(request(model, signature, inputs)))


def request(model: str, signature: str, inputs: Mapping[str, np.ndarray]):
    """Builds a PredictRequest, as gRPC servers take it.

    Args:
        model: name of the model.
        signature: name of the endpoint.
        inputs: by name, [b, ...].
    """
    # imported here, since not everybody has the extra
    from tensorflow_serving.apis import predict_pb2

    found = predict_pb2.PredictRequest()
    found.model_spec.name = model
    found.model_spec.signature_name = signature
    for name, value in inputs.items():
        found.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return found


def _record(asked) -> bytes:
    from tensorflow_serving.apis import prediction_log_pb2

    log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=asked))
    return log.SerializeToString()
