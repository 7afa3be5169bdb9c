"""The model card: what was exported, how well it does here, and examples that run."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
from unittest import mock

import numpy as np
import pytest
import tensorflow as tf
from support import command_line

from export.card import measurements, model_card, terms
from export.litert import convert
from export.saved_model import rows
from tfgen.models import Endpoint, inputs
from trainers.run.trained import restored

ENDPOINTS = ("anomaly", "complete", "energy", "generate", "reconstruct")


@pytest.fixture(scope="module")
def measured(triangle, exported_triangle, tmp_path_factory) -> pathlib.Path:
    """Exports the triangle with LiteRT files of all variants and a card that measured it."""
    output = tmp_path_factory.mktemp("measured") / "out"
    shutil.copytree(exported_triangle, output)
    trained = restored(triangle)
    lite = convert.write(trained.model, output / "tflite", convert.VARIANTS)
    model_card.write(trained, [output / "saved_model" / "divergence_triangle" / "1", *lite], output)
    return output


@pytest.fixture(scope="module")
def card(measured) -> dict:
    """Returns the card as programs read it."""
    return json.loads((measured / "model_card.json").read_text())


def test_the_card_tells_what_was_exported(exported):
    card = (exported / "model_card.md").read_text()
    words = (
        "generative_convnet",
        "generative_convnet_digits",
        "digits",
        "4 updates",
        "8x8x1",
        "UCI",
        *ENDPOINTS,
    )
    for word in words:
        assert word in card
    size = (exported / "tflite" / "energy.tflite").stat().st_size
    assert f"`tflite/energy.tflite`: {size:,} bytes" in card


def test_the_card_tells_how_the_model_is_sampled_and_under_which_terms(exported):
    page = (exported / "model_card.md").read_text()
    assert "- kernel: class Langevin, step_size 0.1, temperature 1, " in page
    assert "steps of a new sample or completion, unless a request says otherwise: 5, then 0" in page
    assert "- sigma: 0.3" in page
    assert "terms of the code | tfgen is under the MIT licence" in page
    card = json.loads((exported / "model_card.json").read_text())
    assert card["sampling"]["steps"] == 5
    assert card["class"] == "EnergyModel"


def test_the_card_lists_inputs_with_meanings_defaults_and_what_is_expected(exported):
    page = (exported / "model_card.md").read_text()
    card = json.loads((exported / "model_card.json").read_text())["saved_model"]
    assert card["inputs"]["num_steps"]["default"] == 5
    assert card["inputs"]["mask"]["expected"].startswith("0 where a pixel is missing")
    for name, known in card["inputs"].items():
        assert f"| `{name}` | {known['meaning']} | {known['notes']} |" in page
    for endpoint in card["endpoints"].values():
        assert f"<br>{endpoint['meaning']}" in page
        assert endpoint["inputs"].keys() <= card["inputs"].keys()


@pytest.mark.slow
def test_the_card_names_what_endpoints_and_files_take_and_give(measured):
    page = (measured / "model_card.md").read_text()
    _, _, listed = page.partition("## Endpoints of the SavedModel")
    saved, _, lite = listed.partition("## LiteRT files")
    image, mask = "`image` float32 [None, 8, 8, 1]", "`mask` float32 [None, 8, 8, 1]"
    assert f"- `decode`: `latent` float32 [None, 16] gives {image}; " in saved
    counts = "`seed` int32 [None, 2], `draws` int32 [None], `num_steps` int32 [None]"
    given = f"{image}, `spread` float32 [None, 8, 8, 1]"
    assert f"- `uncertainty`: {image}, {mask}, {counts} gives {given}; " in saved
    assert "- `decode`: `latent` float32 [1, 16] gives `image` float32 [1, 8, 8, 1]" in lite
    assert " ".join(convert.NOTE.split()) in " ".join(lite.split())


@pytest.mark.slow
def test_the_card_is_a_page_and_a_file_that_say_the_same(measured, card):
    page = (measured / "model_card.md").read_text()
    assert "\\\n" not in page
    for name, endpoint in card["saved_model"]["endpoints"].items():
        assert f"- `{name}`: " in page
        assert endpoint["example"] in page
        assert all(
            f"{time:.3g} ms for {rows} row" in page
            for rows, time in endpoint["milliseconds"].items()
        )
    for endpoint in card["tflite"]["endpoints"].values():
        assert all(
            f"| `{variant['file']}` | {variant['bytes']:,} |" in page
            for variant in endpoint["variants"].values()
        )
    assert card["machine"]["cores"] == os.cpu_count()
    assert all(caution in page for caution in card["cautions"])


@pytest.mark.slow
def test_sizes_errors_and_latencies_of_each_variant_are_measured(measured, card):
    """float32 answers as the library does; the others are smaller, and less exact but near."""
    for name, endpoint in card["tflite"]["endpoints"].items():
        variants = endpoint["variants"]
        assert set(variants) == {"float32", "int8", "float16"}
        worst = {}
        for kind, found in variants.items():
            path = measured / "tflite" / found["file"]
            assert found["bytes"] == path.stat().st_size
            assert found["milliseconds"] > 0
            worst[kind] = max(
                error / max(1, found["range"][key]) for key, error in found["error"].items()
            )
        assert worst["float32"] < 1e-5, name
        assert worst["float32"] < max(worst["int8"], worst["float16"]) < 0.2
        assert (
            variants["int8"]["bytes"] < variants["float16"]["bytes"] < variants["float32"]["bytes"]
        )


@pytest.mark.slow
def test_the_examples_run_with_tensorflow_alone(measured, tmp_path):
    """Whoever got the directory runs them, each block by itself."""
    elsewhere = shutil.copytree(measured, tmp_path / "elsewhere")
    blocks = re.findall(
        "```python\n(.*?)```", (elsewhere / "model_card.md").read_text(), flags=re.S
    )
    assert len(blocks) == 2
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    for block in blocks:
        code = block + "\nimport sys\nassert not {'tfgen', 'export'} & set(sys.modules)\n"
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=elsewhere,
            env=environment,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()


def test_the_card_lists_only_what_was_exported(digits, tmp_path, monkeypatch):
    monkeypatch.setattr(
        convert, "convert", lambda endpoint, variants: dict.fromkeys(variants, b"model")
    )
    where = (f"--workdir={digits}", f"--output={tmp_path}")
    command_line.start("export.main", *where, "--formats=tflite", "--nomeasure")
    page = (tmp_path / "model_card.md").read_text()
    assert "- `energy`: `image` float32 [1, 8, 8, 1] gives `energy` float32 [1]\n" in page
    assert "- kernel: class Langevin" in page
    assert "Endpoints of the SavedModel" not in page
    assert "Latencies" not in page
    assert json.loads((tmp_path / "model_card.json").read_text())["saved_model"] is None


def test_the_card_holds_the_measurements_of_the_run(digits, tmp_path, monkeypatch):
    # the card is the matter here
    monkeypatch.setattr(
        convert, "convert", lambda endpoint, variants: dict.fromkeys(variants, b"model")
    )
    workdir = shutil.copytree(digits, tmp_path / "run")
    command_line.start(
        "trainers.evaluate", f"--workdir={workdir}", "--metrics=reconstruction", "--seed=5"
    )
    output = tmp_path / "out"
    command_line.start(
        "export.main",
        f"--workdir={workdir}",
        f"--output={output}",
        "--formats=tflite",
        "--nomeasure",
    )
    page = (output / "model_card.md").read_text()
    assert re.search(r"- reconstruction/test_mse: [\d.e-]+ at update 4 \(seed 5, ", page)


def test_terms_are_those_of_the_data_or_said_to_be_unknown():
    assert "CC0" in terms.of("textures/grass")
    for words in ("CC BY-SA 3.0", "LeCun", "Cortes", "Burges"):
        assert words in terms.of("mnist5k")
        assert words in terms.of("mnist")
    assert "non-commercial" in terms.of("celeb_a")
    assert terms.of("cifar10:/some/place.zip") == terms.of("cifar10")
    assert "not known here" in terms.of("folder:/my/pictures")
    assert "not known here" in terms.of("some_other_set")


def test_files_are_measured_against_the_librarys_answer(tmp_path):
    """Of one endpoint, which says what is 0.5 more than the file does."""
    known = inputs.Input("x", (3,), tf.float32, "three numbers", example=[0.0, 0.0, 0.0])
    endpoint = Endpoint("double", lambda x: {"y": 2 * x}, (known,), ("y",), "Computes 2 x.")
    for variant, content in convert.convert(endpoint, ("float32", "int8")).items():
        (tmp_path / convert.file_name("double", variant)).write_bytes(content)
    x = np.array([[1, -4, 2]], np.float32)
    found = measurements.variants(tmp_path, "double", {"x": x}, {"y": tf.constant(2 * x + 0.5)})
    assert set(found) == {"float32", "int8"}
    for variant in found.values():
        assert variant["bytes"] == (tmp_path / variant["file"]).stat().st_size
        assert variant["milliseconds"] > 0
        assert variant["error"] == {"y": pytest.approx(0.5)}
        assert variant["range"] == {"y": 7.5}


def test_a_saved_model_is_timed_at_each_number_of_rows(tmp_path):
    known = (inputs.image((2, 2, 1)),)
    double = Endpoint("double", lambda image: {"y": 2 * image}, known, ("y",), "Computes 2 x.")
    endpoint = rows.by_row(double)
    module = tf.Module()
    module.double = endpoint.graph.get_concrete_function()
    tf.saved_model.save(module, str(tmp_path), {"double": module.double})
    found = measurements.served(tmp_path, {"double": endpoint})
    assert set(found["double"]) == {str(count) for count in measurements.BATCHES}
    assert all(time > 0 for time in found["double"].values())


def test_the_median_of_calls_does_not_count_the_first():
    calls = mock.Mock()
    assert measurements.milliseconds(calls, budget=0, least=5) >= 0
    assert calls.call_count == 6


def test_the_command_writes_the_variants_that_were_asked_for(digits, tmp_path, monkeypatch):
    monkeypatch.setattr(
        convert, "convert", lambda endpoint, variants: {v: v.encode() for v in variants}
    )
    args = [
        f"--workdir={digits}",
        f"--output={tmp_path}",
        "--formats=tflite",
        "--variants=int8,float32",
        "--nomeasure",
    ]
    command_line.start("export.main", *args)
    found = command_line.content(tmp_path / "tflite")
    assert found["energy.tflite"] == b"float32"
    assert found["energy.int8.tflite"] == b"int8"
    assert len(found) == 2 * len(convert.endpoints(restored(digits).model))
