"""One hidden half of one digit is completed alike wherever a model is asked with the same seed.

The model is the quickstart's with narrower nets, after fewer updates. Its SavedModel answers from a
directory, over REST and gRPC, and to Apache Beam. Its LiteRT files answer to an interpreter and to
the page in Chromium.
"""

from collections.abc import Callable

import imageio.v3 as iio
import numpy as np
import pytest
import tensorflow as tf
from support import command_line, serving_stub
from support.browsing import HALF, Served, own, seen, wait

from export.clients import remote
from export.clients.exported import Exported
from export.clients.in_process import InProcess
from export.clients.job import Job
from export.litert import convert
from tfgen import random
from tfgen.data import preprocess

pytestmark = pytest.mark.slow

NAME = "divergence_triangle"
SEED = 7
HALF_A_SHADE = 1 / 255
"""Between a number and the nearest shade of a picture, in [-1, 1]."""


@pytest.fixture(scope="module")
def exported_page(triangle_page, tmp_path_factory):
    """Exports the page's run."""
    output = tmp_path_factory.mktemp("everywhere") / "out"
    run = triangle_page.run.workdir
    command_line.start("export.main", f"--workdir={run}", "--nomeasure", f"--output={output}")
    return output


@pytest.fixture(scope="module")
def digit(triangle_page) -> np.ndarray:
    """Returns the held-out digit that all complete, as its file has it, [1, 8, 8, 1]."""
    shades = iio.imread(triangle_page.directory / "examples" / "00.png").reshape(1, 8, 8, 1)
    return preprocess.to_unit(shades)


def expected(page: Served, digit: np.ndarray, seed: np.ndarray) -> np.ndarray:
    """Returns what the library makes of it."""
    return page.run.model.complete(digit, HALF, seed[0], 0).numpy()


def asked(model: Exported, digit: np.ndarray, seed: np.ndarray) -> np.ndarray:
    rows = {"image": digit, "mask": HALF, "seed": seed, "num_steps": np.zeros(1, np.int32)}
    return model.answer("complete", rows)["image"]


def of_directory(exported, digit, seed):
    return asked(InProcess(exported / "saved_model" / NAME), digit, seed)


def behind(serve: Callable) -> Callable:
    def of_server(exported, digit, seed):
        with serve(serving_stub.Served(exported / "saved_model" / NAME / "1")) as address:
            return asked(remote.connect(address, NAME), digit, seed)

    return of_server


def of_interpreter(exported, digit, seed):
    file = exported / "tflite" / "complete.tflite"
    runner = tf.lite.Interpreter(str(file)).get_signature_runner()
    rounds, size = runner.get_input_details()["latent_noise"]["shape"]
    seeds = [random.fold_in(tf.constant(seed[0]), number) for number in range(rounds)]
    latents = np.stack([random.normal((size,), one) for one in seeds])
    none = np.zeros((0, 8, 8, 1), np.float32)  # steps under the energy
    return convert.run(file, image=digit, mask=HALF, latent_noise=latents, noise=none)["image"]


PLACES = {
    "a directory": of_directory,
    "REST": behind(serving_stub.rest),
    "gRPC": behind(serving_stub.grpc),
    "an interpreter": of_interpreter,
}


@pytest.mark.parametrize("place", PLACES)
def test_an_export_completes_as_the_library_does(triangle_page, exported_page, digit, place):
    if place in ("REST", "gRPC"):
        pytest.importorskip("tensorflow_serving")
    found = PLACES[place](exported_page, digit, own(SEED))
    np.testing.assert_allclose(found, expected(triangle_page, digit, own(SEED)), atol=1e-4)
    assert np.abs(found - HALF * digit)[HALF == 0].max() > 0.5  # something was put there


def test_the_page_completes_as_the_library_does(visit, triangle_page, digit):
    page = visit(triangle_page)
    page.fill("#seed", str(SEED))
    page.click("#complete")
    wait(page, f"Completed with seed {SEED}.")
    found = seen(page, "completion")
    np.testing.assert_allclose(
        found, expected(triangle_page, digit, own(SEED)), atol=HALF_A_SHADE + 1e-4
    )


def test_bulk_work_completes_as_the_library_does(triangle_page, exported_page, digit, tmp_path):
    """By the seed that it makes of the picture's name."""
    pytest.importorskip("apache_beam")
    examples, answers = triangle_page.directory / "examples", tmp_path / "answers"
    model = exported_page / "saved_model" / NAME
    where = [f"--saved_model={model}", f"--input={examples}", f"--output={answers}"]
    command_line.start("export.batch", *where, f"--seed={SEED}")
    endpoint = InProcess(model).endpoint("complete")
    row = Job("", "", endpoint, "half:bottom", SEED, {}).row(examples / "00.png")
    np.testing.assert_array_equal(row["mask"], HALF[0])
    found = preprocess.to_unit(iio.imread(answers / "00.png").reshape(1, 8, 8, 1))
    shades = expected(triangle_page, digit, row["seed"][np.newaxis])
    np.testing.assert_allclose(found, shades, atol=HALF_A_SHADE + 1e-4)
