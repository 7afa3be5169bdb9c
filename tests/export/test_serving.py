"""What a server publishes: rows that do not disturb each other, and PNG files in and out."""

import io
from unittest import mock

import imageio.v3 as iio
import numpy as np
import pytest
import tensorflow as tf
from support import command_line
from support.rows import answer, endpoint_of, picture

from export.clients.exported import refusal
from export.saved_model import checks, png, published, warmup
from tfgen.data import preprocess
from tfgen.models import inputs

COUNT = 3


def test_every_input_and_output_has_the_same_leading_dimension(
    triangle_signatures, triangle_endpoints, triangle_rows
):
    for name, endpoint in triangle_endpoints.items():
        assert all(known.row_spec.shape[0] is None for known in endpoint.inputs)
        found = answer(triangle_signatures[name], triangle_rows(name))
        assert all(len(value) == COUNT for value in found.values()), name


def test_completion_is_the_default(triangle_signatures, triangle_rows):
    given = triangle_rows("complete")
    found, default = (
        answer(triangle_signatures[name], given)["image"]
        for name in ("complete", "serving_default")
    )
    assert np.array_equal(found, default)


def test_a_row_is_answered_alike_whoever_else_asks(triangle_signatures, triangle_rows):
    """Other images, seeds and numbers of steps beside it change nothing but the order of sums."""
    given = triangle_rows("complete") | {"num_steps": np.array([2, 2, 2], np.int32)}
    others = {name: value.copy() for name, value in given.items()}
    others["image"][1:] *= -0.5
    others["seed"][1:] += 7
    others["num_steps"][1:] = [0, 9]
    found, again = (
        answer(triangle_signatures["complete"], rows)["image"] for rows in (given, others)
    )
    np.testing.assert_allclose(found[0], again[0], atol=1e-5)
    assert np.abs(found[1:] - again[1:]).max() > 0.01


def test_the_same_row_with_another_seed_is_another_completion(triangle_signatures, triangle_rows):
    given = triangle_rows("complete")
    given["image"][:], given["mask"][:] = given["image"][0], given["mask"][0]
    found = answer(triangle_signatures["complete"], given)["image"]
    assert np.abs(found[0] - found[1]).max() > 1e-3


def test_an_endpoint_without_inputs_gives_the_rows_of_an_index():
    found = endpoint_of(lambda: {"number": tf.constant([5.0, 6.0, 7.0])}, outputs=("number",))
    assert found.input_names == ("index",)
    np.testing.assert_array_equal(found.graph(tf.constant([2, 0]))["number"], [7.0, 5.0])
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        found.graph(tf.constant([3]))
    assert "index: expected numbers below 3 and found" in refusal(caught.value.message)


def test_what_is_only_counted_is_made_as_often_as_there_are_rows():
    found = endpoint_of(
        lambda count, seed: {"number": tf.ones(count) * tf.cast(seed[:, 0], tf.float32)},
        inputs.count(),
        inputs.seed(),
        outputs=("number",),
    )
    assert found.input_names == ("seed",)
    seed = tf.constant([[4, 0], [5, 0]])
    np.testing.assert_array_equal(found.graph(seed=seed)["number"], [4.0, 5.0])


def test_an_endpoint_is_traced_once_for_itself_and_its_twin():
    traced = []

    def score(image):
        traced.append(image)
        return {"energy": tf.reduce_sum(image, axis=(1, 2, 3))}

    known = inputs.image((4, 6, 1))
    endpoint = checks.checked(endpoint_of(score, known))
    twin = checks.checked(png.form(endpoint, {"image": known}))
    endpoint.graph(tf.zeros((2, 4, 6, 1)))
    endpoint.graph.get_concrete_function()
    twin.graph.get_concrete_function()
    assert len(traced) == 1


def test_pictures_are_completed_as_arrays_are(triangle_signatures, triangle_rows):
    given = triangle_rows("complete")
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (COUNT, 8, 8, 1), np.uint8)
    given["image"] = preprocess.to_unit(image)
    expected = preprocess.to_uint8(answer(triangle_signatures["complete"], given)["image"])
    files = {
        "image_bytes": [picture(i) for i in given["image"]],
        "mask_bytes": [picture(2 * m - 1) for m in given["mask"]],
    }
    shared = {name: given[name] for name in ("seed", "num_steps")}
    encoded = {name: np.array(file, object) for name, file in files.items()}
    found = answer(triangle_signatures["complete_png"], encoded | shared)
    pictures = np.stack([iio.imread(file) for file in found["image_bytes"]])
    assert np.array_equal(pictures, expected[..., 0])
    known = given["mask"][..., 0] == 1
    assert np.array_equal(pictures[known], image[..., 0][known])


def test_pictures_are_scored_as_arrays_are(triangle_signatures):
    image = np.random.default_rng(1).integers(0, 256, (COUNT, 8, 8, 1), np.uint8)
    image = preprocess.to_unit(image)
    expected = answer(triangle_signatures["energy"], {"image": image})["energy"]
    files = np.array([picture(i) for i in image], object)
    found = answer(triangle_signatures["energy_png"], {"image_bytes": files})["energy"]
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("known", "outputs", "expected"),
    [
        ((inputs.image((4, 6, 3)),), ("energy",), True),
        ((inputs.image((4, 6, 1)), inputs.mask((4, 6, 1)), inputs.seed()), ("image",), True),
        ((inputs.seed(),), ("image",), True),
        ((inputs.image((4, 6, 1)), inputs.label(3)), ("energy",), True),
        # points of the plane, arrays that no file holds, fractions, free sizes, no picture at all
        ((inputs.image((1, 1, 2)),), ("energy",), False),
        ((inputs.latent((4,)),), ("image",), False),
        ((inputs.image((4, 6, 1)), inputs.gamma()), ("image",), False),
        ((inputs.image((None, None, 1), example_sides=(4, 6)),), ("image",), False),
        ((inputs.seed(),), ("latent",), False),
    ],
)
def test_what_is_asked_by_pictures_and_whole_numbers_is_asked_by_files_too(
    known, outputs, expected
):
    image = known[0] if known[0].name == "image" else inputs.image((4, 6, 1))
    model = mock.Mock(**{"inputs.return_value": {"image": image, "mask": inputs.mask((4, 6, 1))}})
    endpoint = endpoint_of(lambda **given: given, *known, outputs=outputs)
    assert png.has_form(endpoint, png.pictures(model)) == expected


def test_a_coloured_picture_is_decoded_and_encoded():
    known = inputs.image((4, 6, 3))
    plain = endpoint_of(lambda image: {"image": -image}, known, outputs=("image",))
    twin = png.form(plain, {"image": known})
    assert (twin.input_names, twin.outputs) == (("image_bytes",), ("image_bytes",))
    image = np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8)
    file = io.BytesIO()
    iio.imwrite(file, image, extension=".png")
    found = twin.fn(image_bytes=tf.constant([file.getvalue()]))
    assert np.array_equal(iio.imread(found["image_bytes"].numpy()[0]), 255 - image)


def test_a_server_is_warmed_up_by_a_request_to_each_endpoint(
    exported_triangle, triangle_endpoints, triangle_signatures
):
    apis = pytest.importorskip("tensorflow_serving.apis.prediction_log_pb2")
    version = exported_triangle / "saved_model" / "divergence_triangle" / "1"
    seen = {}
    for record in tf.data.TFRecordDataset(str(version / warmup.PLACE)):
        request = apis.PredictionLog.FromString(record.numpy()).predict_log.request
        assert request.model_spec.name == "divergence_triangle"
        given = {key: tf.make_ndarray(value) for key, value in request.inputs.items()}
        name = request.model_spec.signature_name
        assert answer(triangle_signatures[name], given)
        seen[name] = set(given)
    expected = {name: set(endpoint.input_names) for name, endpoint in triangle_endpoints.items()}
    assert seen == expected | {"describe": {"index"}}


def test_without_the_extra_an_export_has_no_records_and_says_so(
    triangle, tmp_path, monkeypatch, capsys
):
    everything = published.endpoints

    def only_decode(model, bounds):
        return {"decode": everything(model, bounds)["decode"]}

    monkeypatch.setattr(warmup, "available", lambda: False)
    monkeypatch.setattr(published, "endpoints", only_decode)
    args = [f"--workdir={triangle}", "--formats=saved_model", "--nomeasure", f"--output={tmp_path}"]
    command_line.start("export.main", *args)
    assert "serving" in capsys.readouterr().err
    assert not list(tmp_path.rglob("tf_serving_warmup_requests"))
