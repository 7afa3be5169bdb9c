"""LiteRT files of models with latent vectors: built-in operators only, and the answers of the library."""

import pathlib
from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf
from support import latent_models
from support.litert import built_in

from export.litert import convert
from tfgen import random
from tfgen.nets.convolution.adjoint import convolve
from tfgen.nets.convolution.layers import ConvTranspose
from tfgen.training.algorithm import Algorithm
from tfgen.types import Endpoint

INFERRED = {"decode", "encode", "reconstruct", "interpolate", "complete", "complete_step"}
FILES = {"vae": INFERRED, "wake_sleep": INFERRED, "abp": {"decode"}}


class Model(NamedTuple):
    """A model and its files, by endpoint."""

    kind: str
    algorithm: Algorithm
    files: dict[str, pathlib.Path]

    def close(self, name: str, output: str, expected: tf.Tensor, **inputs: np.ndarray) -> None:
        """Checks that a file answers within 1e-4 of the answer's range: float32, in another order of sums."""
        found = convert.run(self.files[name], **inputs)[output]
        assert found.shape == expected.shape
        assert np.ptp(expected) > 0.1 or expected.shape == (1,)
        size = np.ptp(expected) if np.ptp(expected) > 0 else np.abs(expected).max()
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * size)

    def given(self, *names: str) -> list[np.ndarray]:
        """One image or latent each."""
        return [latent_models.given(self.algorithm, batch=1)[name] for name in names]


def models(*having: str):
    """Asks a test of the models that have these endpoints without sampling; all have `decode`."""
    kinds = latent_models.every("divergence_triangle", "abp")
    able = [
        kind for kind in kinds if set(having) <= FILES.get(kind.values[0], INFERRED | {"energy"})
    ]
    return pytest.mark.parametrize("model", able, indirect=True)


@pytest.fixture(scope="module")
def model(request, tmp_path_factory):
    place = tmp_path_factory.mktemp(request.param)
    algorithm = latent_models.build(request.param, place / "run")
    return Model(
        request.param,
        algorithm,
        {path.stem: path for path in convert.write(algorithm, place / "tflite")},
    )


@models()
def test_there_is_a_file_for_all_that_needs_no_sampling(model):
    assert set(model.files) == FILES.get(model.kind, INFERRED | {"energy"})


@models()
def test_all_operators_are_built_in(model):
    for path in model.files.values():
        assert built_in(path)


@models()
def test_a_latent_is_decoded_as_the_library_does(model):
    (latent,) = model.given("latent")
    model.close("decode", "image", model.algorithm.tasks.decode(tf.constant(latent)), latent=latent)


@models("encode")
def test_an_image_is_encoded_as_the_library_does(model):
    (image,) = model.given("image")
    mean, log_var = model.algorithm.inference(tf.constant(image), training=False)
    model.close("encode", "latent", mean, image=image)
    model.close("encode", "log_var", log_var, image=image)


@models("reconstruct")
def test_an_image_is_reconstructed_as_the_library_does(model):
    (image,) = model.given("image")
    model.close(
        "reconstruct", "image", model.algorithm.tasks.reconstruct(tf.constant(image)), image=image
    )


@models("energy")
def test_the_energy_is_the_librarys(model):
    (image,) = model.given("image")
    model.close("energy", "energy", model.algorithm.tasks.energy(tf.constant(image)), image=image)


@models("interpolate")
@pytest.mark.parametrize("spherical", [True, False])
def test_the_way_between_two_images_is_the_librarys(model, spherical):
    first, second = model.given("first", "second")
    for t in np.float32([[0.0], [0.3], [1.0]]):
        given = {"first": first, "second": second, "position": t, "spherical": np.array(spherical)}
        expected = model.algorithm.tasks.interpolate(*map(tf.constant, given.values()))
        model.close("interpolate", "image", expected, **given)


@models("complete")
def test_a_completion_is_the_librarys_with_its_noise_and_no_steps_under_the_energy(model):
    image, mask = model.given("image", "mask")
    tasks, seed = model.algorithm.tasks, random.root(5)
    noise = [random.normal(tasks.generator.latent_shape, random.fold_in(seed, i)) for i in range(2)]
    expected = tasks.complete(tf.constant(image), tf.constant(mask), seed, 0)
    model.close("complete", "image", expected, image=image, mask=mask, noise=np.stack(noise))


@models("complete")
def test_rounds_taken_one_at_a_time_are_the_completion(model):
    """Whatever stands at missing pixels of the result is seen by the next round, zeros by the first."""
    image, mask = model.given("image", "mask")
    noise = (
        np.random.default_rng(1)
        .standard_normal((2, *model.algorithm.generator.latent_shape))
        .astype("f")
    )
    filled = mask * image
    for draw in noise:
        filled = convert.run(
            model.files["complete_step"], image=filled, mask=mask, noise=draw[None]
        )["image"]
    expected = convert.run(model.files["complete"], image=image, mask=mask, noise=noise)["image"]
    np.testing.assert_allclose(filled, expected, atol=1e-5)


@models("complete")
def test_a_completion_keeps_known_pixels_and_follows_the_noise(model):
    image, mask = model.given("image", "mask")
    noise = (
        np.random.default_rng(0)
        .standard_normal((2, 2, *model.algorithm.generator.latent_shape))
        .astype("f")
    )
    first, second = (
        convert.run(model.files["complete"], image=image, mask=mask, noise=n)["image"]
        for n in noise
    )
    known = np.broadcast_to(mask == 1, image.shape)
    assert np.array_equal(first[known], image[known])
    assert np.abs(first - second)[~known].max() > 0.01


# --- what the converter does not understand by itself ----------------------------------------------------------


def converted(function, place: pathlib.Path, **inputs: np.ndarray) -> np.ndarray:
    """What a function answers out of a file."""
    signature = [tf.TensorSpec(value.shape, tf.float32, name) for name, value in inputs.items()]
    (place / "f.tflite").write_bytes(
        convert.convert(Endpoint(lambda *x: {"y": function(*x)}, signature))["float32"]
    )
    assert built_in(place / "f.tflite")
    return convert.run(place / "f.tflite", **inputs)["y"]


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def test_an_endpoint_is_traced_once_for_all_variants():
    traces = []

    def answer(x: tf.Tensor) -> dict[str, tf.Tensor]:
        traces.append(x)
        return {"y": 2 * x}

    made = convert.convert(Endpoint(answer, [tf.TensorSpec([1, 3], name="x")]), convert.VARIANTS)
    assert len(traces) == 1
    assert set(made) == set(convert.VARIANTS)


def test_a_custom_gradient_is_no_hindrance(tmp_path):
    x, kernel = normal(1, 5, 5, 2), normal(3, 3, 2, 4)
    np.testing.assert_allclose(
        converted(convolve, tmp_path, x=x, k=kernel), convolve(x, kernel), atol=1e-5
    )


@pytest.mark.parametrize(
    ("size", "strides", "padding"),
    [
        (4, 2, 1),
        (3, 1, 1),
        (5, 2, 2),
        ((4, 5), 3, 1),
        (4, 1, 0),
        (2, 3, 0),
        (5, 2, 1),
        (4, 1, 1),
        ((4, 5), 2, 1),
    ],
)
def test_transposed_convolutions_keep_their_padding(tmp_path, size, strides, padding):
    x, layer = normal(1, 3, 4, 2), ConvTranspose(3, size, strides, padding, initializer_scale=1.0)
    expected = layer(tf.constant(x))
    np.testing.assert_allclose(converted(layer, tmp_path, x=x), expected, atol=1e-5)
