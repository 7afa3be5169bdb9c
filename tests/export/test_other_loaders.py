"""SavedModels are loaded by saved_model_cli and TensorFlow's C API, which know no library."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from export.saved_model import examples, published
from trainers.run.trained import restored

pytestmark = pytest.mark.slow

ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {
    "TF_CPP_MIN_LOG_LEVEL": "3"
}


@pytest.fixture(scope="module")
def version(exported_triangle) -> pathlib.Path:
    return exported_triangle / "saved_model" / "divergence_triangle" / "1"


@pytest.fixture(scope="module")
def endpoints(triangle):
    return published.endpoints(restored(triangle).model)


@pytest.fixture(scope="module")
def expected(version, endpoints):
    """Returns what TensorFlow in Python answers to an example, by endpoint."""
    signatures = tf.saved_model.load(str(version)).signatures

    def answer(name: str) -> dict[str, np.ndarray]:
        given = examples.rows(endpoints[name], 3)
        found = signatures[name](**{key: tf.constant(value) for key, value in given.items()})
        return {key: value.numpy() for key, value in found.items()}

    return answer


def cli(*args) -> subprocess.CompletedProcess:
    code = "from tensorflow.python.tools.saved_model_cli import main; main()"
    command = [sys.executable, "-c", code, *map(str, args)]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)


def test_saved_model_cli_shows_and_runs_the_endpoints(version, endpoints, expected, tmp_path):
    given = examples.rows(endpoints["complete"], 3)
    np.savez(tmp_path / "given.npz", **given)
    inputs = ";".join(f"{name}={tmp_path / 'given.npz'}[{name}]" for name in given)
    where = ["--dir", version, "--tag_set", "serve", "--signature_def", "complete"]
    shown = cli("show", *where).stdout
    for name, kind, shape in (("image", "FLOAT", "(-1, 8, 8, 1)"), ("seed", "INT32", "(-1, 2)")):
        words = f"inputs['{name}'] tensor_info:\n      dtype: DT_{kind}\n      shape: {shape}"
        assert words in shown
    done = cli("run", *where, "--inputs", inputs, "--outdir", tmp_path)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(
        np.load(tmp_path / "image.npy"), expected("complete")["image"], atol=1e-5
    )


@pytest.fixture(scope="module")
def ask(version, tmp_path_factory):
    """Compiles the C program that asks for an endpoint's output, against the wheel's headers."""
    if shutil.which("gcc") is None:
        pytest.skip("needs gcc")
    place = tmp_path_factory.mktemp("c")
    program, library = place / "ask", tf.sysconfig.get_lib()
    source = pathlib.Path(__file__).parents[1] / "support" / "ask.c"
    libraries = [
        f"-L{library}",
        "-l:libtensorflow_cc.so.2",
        "-l:libtensorflow_framework.so.2",
        f"-Wl,-rpath,{library}",
    ]
    compiler = ["gcc", "-Wall", "-Werror", "-I", tf.sysconfig.get_include()]
    subprocess.run([*compiler, source, "-o", program, *libraries], check=True)
    saved = saved_model_pb2.SavedModel.FromString((version / "saved_model.pb").read_bytes())
    signatures = saved.meta_graphs[0].signature_def

    def asked(name: str, output: str, **given: np.ndarray) -> subprocess.CompletedProcess:
        words = [version, signatures[name].outputs[output].name]
        for key, value in given.items():
            value.tofile(place / key)
            kind = "int" if value.dtype == np.int32 else "float"
            words += [
                signatures[name].inputs[key].name,
                kind,
                "x".join(map(str, value.shape)),
                place / key,
            ]
        return subprocess.run(
            [program, *words], env=ENVIRONMENT, capture_output=True, text=True, check=False
        )

    return asked


@pytest.mark.parametrize(("name", "output"), [("complete", "image"), ("energy", "energy")])
def test_a_c_program_gets_the_same_answers(ask, endpoints, expected, name, output):
    done = ask(name, output, **examples.rows(endpoints[name], 3))
    assert done.returncode == 0, done.stderr
    found = np.array(done.stdout.split(), np.float32)
    np.testing.assert_allclose(found, expected(name)[output].ravel(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("wrong", ["sides", "rank", "nan", "mask"])
def test_a_c_program_is_refused_as_a_server_would_be(ask, endpoints, wrong):
    """The checks in the graph refuse what nothing compared with a signature."""
    given = examples.rows(endpoints["complete"], 3)
    given["image"] = {
        "sides": np.zeros((3, 8, 4, 1), np.float32),
        "rank": np.zeros((3, 64), np.float32),
        "nan": np.full((3, 8, 8, 1), np.nan, np.float32),
    }.get(wrong, given["image"])
    if wrong == "mask":
        given["mask"] = given["mask"] / 2
    done = ask("complete", "image", **given)
    assert done.returncode == 1
    assert re.search("^3 ", done.stderr, re.MULTILINE)  # INVALID_ARGUMENT
    assert ("mask: expected 0" if wrong == "mask" else "image: expected") in done.stderr
