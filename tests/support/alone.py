"""Asks a SavedModel in a process of its own, which knows TensorFlow alone."""

import os
import pathlib
import subprocess
import sys

import numpy as np

SCRIPT = """
import sys
import numpy as np
import tensorflow as tf
OURS = ("tfgen", "trainers", "export")
assert not any(name.startswith(OURS) for name in sys.modules)
model = tf.saved_model.load(sys.argv[1])
given = np.load(sys.argv[2])
arguments = {}
for key in given.files:
    endpoint, name = key.split(".")
    arguments.setdefault(endpoint, {})[name] = tf.constant(given[key])
found = {}
for endpoint, inputs in arguments.items():
    for name, value in model.signatures[endpoint](**inputs).items():
        found[f"{endpoint}.{name}"] = value.numpy()
    direct = getattr(model, endpoint)(*inputs.values())
    for name, value in direct.items():
        assert np.array_equal(found[f"{endpoint}.{name}"], value.numpy()), endpoint
np.savez(sys.argv[3], **found)
assert not any(name.startswith(OURS) for name in sys.modules)
"""


def answers(
    model: pathlib.Path, inputs: dict[str, dict[str, np.ndarray]], place: pathlib.Path
) -> dict[str, np.ndarray]:
    """Returns what a SavedModel answers, by signature and as its attributes alike.

    Args:
        model: a version's directory.
        inputs: of each endpoint, in the order in which it takes them.
        place: a directory for files, from which neither the library nor its commands can be
            imported.

    Returns:
        The outputs, by ENDPOINT.NAME.
    """
    arrays = {f"{e}.{n}": value for e, given in inputs.items() for n, value in given.items()}
    np.savez(place / "in.npz", **arrays)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(model), place / "in.npz", place / "out.npz"],
        cwd=place,
        env=environment | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with np.load(place / "out.npz") as found:
        return dict(found)
