"""What a server publishes: rows that do not disturb each other, checks that name the input, PNG files in and out."""

import io

import imageio.v3 as iio
import numpy as np
import pytest
import tensorflow as tf
from support import command_line

from export.clients import backends
from export.saved_model import checks, examples, png, serving, warmup
from tfgen.data import preprocess
from tfgen.types import Endpoint
from trainers.run import experiment

COUNT = 3


@pytest.fixture(scope="module")
def triangle_endpoints(triangle):
    """Published of the triangle, by name."""
    return serving.endpoints(experiment.restored(triangle).algorithm)


@pytest.fixture(scope="module")
def signatures(exported_triangle):
    """Of its SavedModel."""
    return backends.load(exported_triangle / "saved_model" / "divergence_triangle").signatures


@pytest.fixture
def asked(triangle_endpoints):
    """An example of what each endpoint takes."""
    return lambda name: examples.rows(triangle_endpoints[name], (8, 8, 1), COUNT)


def answer(signature, inputs) -> dict[str, np.ndarray]:
    return {
        n: v.numpy() for n, v in signature(**{n: tf.constant(v) for n, v in inputs.items()}).items()
    }


def picture(image: np.ndarray) -> bytes:
    """The bytes of a PNG file."""
    file = io.BytesIO()
    iio.imwrite(file, preprocess.to_uint8(image).squeeze(-1), extension=".png")
    return file.getvalue()


def test_every_input_and_output_has_the_same_leading_dimension(
    signatures, triangle_endpoints, asked
):
    for name, endpoint in triangle_endpoints.items():
        assert all(spec.shape[0] is None for spec in endpoint.signature)
        assert all(
            len(value) == COUNT for value in answer(signatures[name], asked(name)).values()
        ), name


def test_completion_is_the_default(signatures, asked):
    given = asked("complete")
    found, default = (
        answer(signatures[name], given)["image"] for name in ("complete", "serving_default")
    )
    assert np.array_equal(found, default)


def test_a_row_is_answered_alike_whoever_else_asks(signatures, asked):
    """Other images, seeds and numbers of steps beside it change nothing but the order of sums."""
    given = asked("complete") | {"num_steps": np.array([2, 2, 2], np.int32)}
    others = {name: value.copy() for name, value in given.items()}
    others["image"][1:] *= -0.5
    others["seed"][1:] += 7
    others["num_steps"][1:] = [0, 9]
    found, again = (answer(signatures["complete"], rows)["image"] for rows in (given, others))
    np.testing.assert_allclose(found[0], again[0], atol=1e-5)
    assert np.abs(found[1:] - again[1:]).max() > 0.01


def test_the_same_row_with_another_seed_is_another_completion(signatures, asked):
    given = asked("complete")
    given["image"][:], given["mask"][:] = given["image"][0], given["mask"][0]
    found = answer(signatures["complete"], given)["image"]
    assert np.abs(found[0] - found[1]).max() > 1e-3


def test_an_endpoint_without_inputs_gives_the_rows_of_an_index():
    numbers = Endpoint(lambda: {"number": tf.constant([5.0, 6.0, 7.0])}, [])
    published = serving.by_row(numbers)
    assert published.inputs == ["index"]
    answer = tf.function(published.fn, autograph=False)
    np.testing.assert_array_equal(answer(tf.constant([2, 0]))["number"], [7.0, 5.0])
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        answer(tf.constant([3]))
    assert "index: expected numbers below 3 and found" in backends.refusal(caught.value.message)


BAD = {
    "nan": ("complete", "image", lambda image: image * np.nan, "image: expected finite numbers"),
    "infinite": ("energy", "image", lambda image: image * np.inf, "image: expected finite numbers"),
    "grey mask": (
        "complete",
        "mask",
        lambda mask: 0.5 * mask,
        "mask: expected 0 where a pixel is missing and 1",
    ),
    "nan mask": ("complete", "mask", lambda mask: mask * np.nan, "mask: expected"),
    "sides": (
        "complete",
        "image",
        lambda image: image[:, :4],
        "image: expected the shape [any, 8, 8, 1]",
    ),
    "rank": ("energy", "image", lambda image: image[0], "image: expected the shape [any, 8, 8, 1]"),
    "empty": (
        "energy",
        "image",
        lambda image: image[:0],
        "image: expected the shape [any, 8, 8, 1]",
    ),
    "rows": ("complete", "seed", lambda seed: seed[:2], "seed: expected as many rows"),
    "steps": (
        "complete",
        "num_steps",
        lambda steps: steps - 5,
        "num_steps: expected numbers that are not negative",
    ),
    "count": ("uncertainty", "count", lambda count: 0 * count, "count: expected positive numbers"),
    "counts": (
        "uncertainty",
        "count",
        lambda count: count + np.arange(3, dtype=np.int32),
        "count: expected the same",
    ),
    "no file": (
        "complete_png",
        "image_bytes",
        lambda files: np.array([b"x"] * 3),
        "image_bytes: expected PNG files",
    ),
    "no bytes": (
        "energy_png",
        "image_bytes",
        lambda files: np.array([b""] * 3),
        "image_bytes: expected PNG files",
    ),
    "cut": (
        "complete_png",
        "mask_bytes",
        lambda files: np.array([f[:-5] for f in files]),
        "mask_bytes: expected whole",
    ),
    "hole": (
        "energy_png",
        "image_bytes",
        lambda files: np.array([f[:40] + f[41:] for f in files]),
        "image_bytes",
    ),
    "larger": (
        "complete_png",
        "image_bytes",
        lambda files: np.array([picture(np.zeros((8, 300, 1)))] * 3),
        "image_bytes: expected pictures of 8x8 pixels",
    ),
}
"""Endpoint, input, what is wrong with it, and what is said."""


@pytest.mark.parametrize("kind", BAD)
def test_what_cannot_be_answered_is_an_invalid_argument_that_names_the_input(
    signatures, asked, kind
):
    name, culprit, spoil, said = BAD[kind]
    given = asked(name)
    given[culprit] = spoil(given[culprit])
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        answer(signatures[name], given)
    assert said in backends.refusal(caught.value.message)


def test_labels_beyond_the_classes_are_refused():
    label = tf.TensorSpec((None,), tf.int32, "label")
    checked = checks.checked(Endpoint(lambda label: {"label": label}, [label]), num_classes=10)
    assert checked.fn(tf.constant([0, 9]))["label"].shape == (2,)
    with pytest.raises(tf.errors.InvalidArgumentError, match="classes from 0 to 9"):
        checked.fn(tf.constant([10]))


def test_pictures_are_completed_as_arrays_are(signatures, asked):
    given = asked("complete")
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (COUNT, 8, 8, 1), np.uint8)
    given["image"] = preprocess.to_unit(image)
    expected = preprocess.to_uint8(answer(signatures["complete"], given)["image"])
    files = {
        "image_bytes": [picture(i) for i in given["image"]],
        "mask_bytes": [picture(2 * m - 1) for m in given["mask"]],
    }
    shared = {name: given[name] for name in ("seed", "num_steps")}
    found = answer(
        signatures["complete_png"], {n: np.array(f, object) for n, f in files.items()} | shared
    )
    pictures = np.stack([iio.imread(file) for file in found["image_bytes"]])
    assert np.array_equal(pictures, expected[..., 0])
    known = given["mask"][..., 0] == 1
    assert np.array_equal(pictures[known], image[..., 0][known])


def test_pictures_are_scored_as_arrays_are(signatures, asked):
    image = preprocess.to_unit(
        np.random.default_rng(1).integers(0, 256, (COUNT, 8, 8, 1), np.uint8)
    )
    expected = answer(signatures["energy"], {"image": image})["energy"]
    files = np.array([picture(i) for i in image], object)
    found = answer(signatures["energy_png"], {"image_bytes": files})["energy"]
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6 * np.abs(expected).max())


def test_points_of_the_plane_have_no_pictures():
    point = Endpoint(
        lambda image: {"energy": image[:, 0, 0, 0]},
        [tf.TensorSpec((None, 1, 1, 2), tf.float32, "image")],
    )
    assert png.endpoints({"energy": point}, channels=2) == {}


def test_a_coloured_picture_is_decoded_and_encoded():
    spec = tf.TensorSpec((None, 4, 6, 3), tf.float32, "image")
    twin = png.endpoints(
        {"reconstruct": Endpoint(lambda image: {"image": -image}, [spec])}, channels=3
    )
    image = np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8)
    file = io.BytesIO()
    iio.imwrite(file, image, extension=".png")
    (found,) = twin["reconstruct_png"].fn(tf.constant([file.getvalue()]))["image_bytes"].numpy()
    assert np.array_equal(iio.imread(found), 255 - image)


def test_a_server_is_warmed_up_by_a_request_to_each_endpoint(
    exported_triangle, triangle_endpoints, signatures
):
    apis = pytest.importorskip("tensorflow_serving.apis.prediction_log_pb2")
    version = exported_triangle / "saved_model" / "divergence_triangle" / "1"
    seen = set()
    for record in tf.data.TFRecordDataset(str(version / warmup.PLACE)):
        request = apis.PredictionLog.FromString(record.numpy()).predict_log.request
        assert request.model_spec.name == "divergence_triangle"
        name = request.model_spec.signature_name
        inputs = {key: tf.make_ndarray(value) for key, value in request.inputs.items()}
        assert set(inputs) == set(triangle_endpoints[name].inputs)
        assert answer(signatures[name], inputs)
        seen.add(name)
    assert seen == set(triangle_endpoints)


def test_without_the_extra_an_export_has_no_records_and_says_so(
    triangle, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(warmup, "available", lambda: False)
    monkeypatch.setattr(
        serving,
        "endpoints",
        lambda algorithm: {"decode": serving.by_row(algorithm.endpoints()["decode"])},
    )
    args = [f"--workdir={triangle}", "--formats=saved_model", "--nomeasure", f"--output={tmp_path}"]
    command_line.start("export.main", *args)
    assert "serving" in capsys.readouterr().err
    assert not list(tmp_path.rglob("tf_serving_warmup_requests"))
