"""A model with a task and an input of its own is exported, served and asked as any other."""

import dataclasses
import json

import imageio.v3 as iio
import numpy as np
import pytest
import tensorflow as tf
from support import command_line
from support.command_line import mistake
from support.tiny_models import Weather

from export.card import model_card
from export.clients.in_process import InProcess
from export.saved_model import archive, description
from tfgen import random
from trainers.run.trained import restored

pytestmark = pytest.mark.usefixtures("loaded_once")


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    """Exports the made-up model."""
    output = tmp_path_factory.mktemp("weather")
    archive.write(Weather(), output / "saved_model" / "weather")
    return output


@pytest.fixture(scope="module")
def model(output):
    return InProcess(output / "saved_model" / "weather")


def test_it_is_described_with_its_input(model):
    endpoint = model.endpoint("forecast")
    assert endpoint.meaning.startswith("Lights images by the day, with a little noise, and says")
    day = endpoint.inputs["day"]
    assert (day.shape, day.dtype, day.meaning) == ((), "int32", "the day of the year")
    assert (day.default, day.check, day.per_row) == (None, "days from 1 to 366", True)
    assert endpoint.outputs["image"].encoding == "image"
    assert endpoint.outputs["warmth"] == description.Entry((), "float32")
    assert model.description.facts["class"] == "Weather"


def test_the_file_says_what_the_endpoint_describe_says(output, model):
    file = output / "saved_model" / "weather" / "1" / description.PLACE
    said = model.answer("describe", {"index": np.zeros(2, np.int32)})["description"]
    assert [json.loads(text) for text in said] == [json.loads(file.read_text())] * 2


def test_it_is_served_by_row(model):
    rng = np.random.default_rng(0)
    image = rng.uniform(-1, 1, (3, 8, 8, 1)).astype(np.float32)
    day, seed = np.int32([1, 100, 366]), np.int32([[0, 1], [0, 2], [0, 3]])
    found = model.answer("forecast", {"image": image, "day": day, "seed": seed})
    np.testing.assert_allclose(found["warmth"], day / 366, rtol=1e-6)
    for i in range(3):
        noise = 0.01 * random.normal((1, 8, 8, 1), tf.constant(seed[i]))
        expected = np.clip(image[i] * day[i] / 366 + noise[0], -1, 1)
        np.testing.assert_allclose(found["image"][i], expected, atol=1e-6)


def test_it_is_asked_by_files_too(model):
    file = iio.imwrite("<bytes>", np.full((8, 8), 255, np.uint8), extension=".png")
    given = {"image_bytes": np.array([file], object), "day": np.int32([366])}
    found = model.answer("forecast_png", given | {"seed": np.zeros((1, 2), np.int32)})
    assert iio.imread(found["image_bytes"][0]).min() > 240


def test_its_input_is_checked_in_the_graph(output, digits):
    asked = [f"--saved_model={output / 'saved_model' / 'weather'}", "--task=forecast"]
    asked += [f"--workdir={digits}", "--output=none.npz"]
    assert "day: expected days from 1 to 366 and found [0" in mistake(
        "export.client", *asked, "--set=day=0"
    )
    assert "--set: expected day=VALUE, the day of the year, which forecast" in mistake(
        "export.client", *asked
    )


def test_the_client_asks_for_it_by_name(output, digits, tmp_path):
    where = [f"--saved_model={output / 'saved_model' / 'weather'}", "--task=forecast"]
    given = [*where, f"--workdir={digits}", "--count=2", "--set=day=183"]
    command_line.start("export.client", *given, f"--output={tmp_path / 'out.npz'}")
    with np.load(tmp_path / "out.npz") as found:
        np.testing.assert_allclose(found["warmth"], [0.5, 0.5])
        images = found["image"]
    command_line.start("export.client", *given, f"--output={tmp_path / 'out.png'}")
    assert images.shape == (2, 8, 8, 1)
    assert iio.imread(tmp_path / "out.png").shape == (130, 130)  # images above, answers below


def test_it_is_in_the_card(output, digits):
    trained = dataclasses.replace(restored(digits), model=Weather())
    version = output / "saved_model" / "weather" / "1"
    model_card.write(trained, [version], output, measure=False)
    page = (output / "model_card.md").read_text()
    assert "- `forecast`: `image` float32 [None, 8, 8, 1], `day` int32 [None], `seed`" in page
    assert "Lights images by the day, with a little noise" in page
    assert "| `day` | the day of the year | required; expected days from 1 to 366 |" in page
    card = json.loads((output / "model_card.json").read_text())
    assert card["saved_model"]["inputs"]["day"]["expected"] == "days from 1 to 366"
