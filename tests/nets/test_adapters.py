"""A user's own Keras models in the roles of nets, and the errors of those that do not fit."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import net_registry

from tfgen import energies, random
from tfgen.errors import UserError
from tfgen.nets.architectures import adapters

SHAPE = (6, 5, 2)
ADAPTERS = {
    "energy": adapters.as_energy,
    "generator": adapters.as_generator,
    "inference": adapters.as_inference,
    "discriminator": adapters.as_discriminator,
    "classifier": adapters.as_classifier,
    "joint_discriminator": lambda net, shape: adapters.as_joint_discriminator(net, shape, (3,)),
}
FROM_IMAGES = ("energy", "inference", "discriminator", "classifier")


def functional(*outputs, shape=SHAPE):
    """Returns a functional model with a dense head for each of some numbers of outputs."""
    image = keras.Input(shape)
    h = keras.layers.Dense(7, activation="tanh")(keras.layers.Flatten()(image))
    heads = [keras.layers.Dense(n)(h) for n in outputs]
    return keras.Model(image, heads if len(heads) > 1 else heads[0])


def generator(declared=True):
    """Returns a generator of images of the shape, as a Sequential model."""
    layers = [
        keras.layers.Dense(60, activation="tanh", name="below"),
        keras.layers.Reshape(SHAPE, name="image"),
    ]
    return keras.Sequential([keras.Input((3,)), *layers] if declared else layers)


class Subclass(keras.Model):
    """A net that describes itself, not registered."""

    def __init__(self, units, layer=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.flatten = keras.layers.Flatten()
        self.dense = layer or keras.layers.Dense(units)
        self.norm = keras.layers.BatchNormalization()
        self.modes = []

    def call(self, x, training=False):
        self.modes.append(training)
        return self.norm(self.dense(self.flatten(x)), training=training)

    def get_config(self):
        return super().get_config() | {"units": self.units}


class Silent(Subclass):
    """A net that does not describe itself."""

    def get_config(self):
        raise NotImplementedError


class WithoutTraining(keras.Model):
    """A net whose call knows no training mode."""

    def __init__(self):
        super().__init__()
        self.flatten = keras.layers.Flatten()
        self.dense = keras.layers.Dense(1)

    def call(self, x):
        return self.dense(self.flatten(x))


def images(count=4, shape=SHAPE):
    """Returns standard normal images."""
    return random.normal([count, *shape], random.root(0))


def rebuilt(net):
    """Returns a net from another's config, as it comes back from a JSON file."""
    text = json.dumps(keras.saving.serialize_keras_object(net))
    return keras.saving.deserialize_keras_object(json.loads(text))


def of_pairs(units=1):
    """Returns a functional model of images and latents."""
    image, latent = keras.Input(SHAPE), keras.Input((3,))
    both = keras.layers.Concatenate()([keras.layers.Flatten()(image), latent])
    h = keras.layers.Dense(7, activation="tanh")(both)
    return keras.Model([image, latent], keras.layers.Dense(units)(h))


CASES = {
    "functional energy": ("energy", lambda: functional(1)),
    "functional energy of classes": ("energy", lambda: functional(4)),
    "functional inference": ("inference", lambda: functional(3, 3)),
    "functional discriminator": ("discriminator", lambda: functional(1)),
    "functional joint discriminator": ("joint_discriminator", of_pairs),
    "functional classifier": ("classifier", lambda: functional(5)),
    "sequential energy": (
        "energy",
        lambda: keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(1)]),
    ),
    "sequential generator": ("generator", generator),
    "subclass energy": ("energy", lambda: Subclass(1)),
    "subclass classifier": ("classifier", lambda: Subclass(3)),
    "net without a training mode": ("energy", WithoutTraining),
}
every_case = pytest.mark.parametrize("case", CASES)


def adapted(case):
    """Returns a case's net, the net in its role, and a batch for both."""
    keras.utils.set_random_seed(0)
    role, make = CASES[case]
    net = make()
    latents = random.normal([4, 3], random.root(0))
    x = {"generator": latents, "joint_discriminator": [images(), latents]}.get(role)
    return net, ADAPTERS[role](net, SHAPE), images() if x is None else x


@every_case
@pytest.mark.parametrize("training", [False, True])
def test_a_wrapped_net_computes_what_the_net_does(case, training):
    net, wrapped, x = adapted(case)
    theirs = tf.nest.flatten(net(x, training=training))
    ours = tf.nest.flatten(wrapped(x, training=training))
    for a, b in zip(ours, theirs, strict=True):
        assert a.dtype == tf.float32
        np.testing.assert_array_equal(a, tf.reshape(b, a.shape))


@every_case
def test_a_wrapped_net_has_the_nets_weights_and_gradients(case):
    net, wrapped, x = adapted(case)
    assert [v.path for v in wrapped.trainable_variables] == [
        v.path for v in net.trainable_variables
    ]
    found = []
    for each in (net, wrapped):
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = tf.nest.flatten(each(x, training=False))
            loss = tf.add_n([tf.reduce_sum(tf.sin(y)) for y in outputs])
        watched = [*tf.nest.flatten(x), *(v.value for v in net.trainable_variables)]
        found.append(tape.gradient(loss, watched))
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


@every_case
def test_a_wrapped_net_is_rebuilt_from_its_config(case):
    """With the same weights by the same names."""
    _, wrapped, x = adapted(case)
    if case == "net without a training mode":
        return  # it has no get_config
    other = rebuilt(wrapped)
    assert (type(other), other.name, other.built) == (type(wrapped), wrapped.name, True)
    weights = wrapped.named_variables()
    assert len(weights) == len(wrapped.variables)
    assert list(other.named_variables()) == list(weights)
    for name, variable in other.named_variables().items():
        assert variable.shape == weights[name].shape
        variable.assign(weights[name].value)
    for a, b in zip(
        *(tf.nest.flatten(n(x, training=False)) for n in (wrapped, other)), strict=True
    ):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("family", "role"), net_registry.per_architecture())
def test_nets_of_the_library_are_taken_as_they_are(family, role):
    net, shape = net_registry.net(family, role)
    assert ADAPTERS[role](net, shape) is net


def test_an_energy_of_a_column_is_a_vector():
    wrapped = adapters.as_energy(functional(1), SHAPE)
    assert wrapped(images()).shape == (4,)
    assert (wrapped.num_outputs, wrapped.any_size, wrapped.depth, wrapped.max_depth) == (
        1,
        False,
        1,
        1,
    )
    assert adapters.as_energy(functional(3), SHAPE).num_outputs == 3
    vector = keras.Sequential([keras.layers.Flatten(), keras.layers.Lambda(lambda x: x[:, 0])])
    assert adapters.as_energy(vector, SHAPE)(images()).shape == (4,)


def test_the_training_mode_is_always_passed_on():
    net = Subclass(1)
    wrapped = adapters.as_energy(net, SHAPE)
    net.modes.clear()
    wrapped(images())
    wrapped(images(), training=True)
    wrapped(images(), training=False)
    assert net.modes == [False, True, False]


def test_a_wrapped_nets_slope_is_the_nets():
    """Through the closures that samplers see, and in a graph."""
    net = functional(1)
    wrapped = adapters.as_energy(net, SHAPE)
    u, slope = tf.function(
        lambda x: energies.value_and_grad(energies.frozen(wrapped), x), autograph=False
    )(images())
    x = images()
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = net(x)
    np.testing.assert_allclose(u, y[:, 0], rtol=1e-5)
    np.testing.assert_allclose(slope, tape.gradient(y, x), rtol=1e-4, atol=1e-6)


def test_regularization_losses_are_the_nets():
    layer = keras.layers.Dense(1, kernel_regularizer=keras.regularizers.L2(0.1))
    net = keras.Sequential([keras.layers.Flatten(), layer])
    wrapped = adapters.as_energy(net, SHAPE)
    np.testing.assert_allclose(sum(wrapped.losses), 0.1 * np.sum(layer.kernel.numpy() ** 2), 1e-5)


def test_a_frozen_net_stays_frozen():
    net = functional(1)
    net.layers[2].trainable = False
    wrapped = adapters.as_energy(net, SHAPE)
    assert len(wrapped.trainable_variables) == 2
    assert len(rebuilt(wrapped).trainable_variables) == 2


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "float16", "float64"])
def test_outputs_are_float32_and_inputs_are_rounded_by_the_nets_own_policy_alone(policy):
    keras.config.set_dtype_policy(policy)
    try:
        net = functional(1)
        wrapped = adapters.as_energy(net, SHAPE)
    finally:
        keras.config.set_dtype_policy("float32")
    assert wrapped(images()).dtype == tf.float32
    np.testing.assert_array_equal(wrapped(images()), tf.cast(net(images()), tf.float32)[:, 0])
    other = rebuilt(wrapped)
    other.set_weights(wrapped.get_weights())
    np.testing.assert_array_equal(other(images()), wrapped(images()))


def test_a_float32_net_stays_one_where_the_global_policy_is_another():
    net = functional(1)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        wrapped = adapters.as_energy(net, SHAPE)
    finally:
        keras.config.set_dtype_policy("float32")
    np.testing.assert_array_equal(wrapped(images()), net(images())[:, 0])


def test_a_net_that_declares_open_sides_takes_images_of_any_size():
    image = keras.Input((None, None, 2))
    maps = keras.layers.Conv2D(3, 3, padding="same")(image)
    net = keras.Model(image, keras.layers.Dense(1)(keras.layers.GlobalAveragePooling2D()(maps)))
    wrapped = adapters.as_energy(net, SHAPE)
    assert wrapped.any_size
    assert rebuilt(wrapped).any_size
    wrapped.check_size(9, 9)
    assert wrapped(images(2, (9, 9, 2))).shape == (2,)


def test_images_of_another_size_than_a_nets_are_refused():
    with pytest.raises(UserError, match=r"image_size: expected images of 6x5, .*and found 8x5"):
        adapters.as_energy(functional(1), SHAPE).check_size(8, 5)


def test_a_wrapped_net_does_not_know_its_maps():
    wrapped = adapters.as_energy(functional(1), SHAPE)
    with pytest.raises(UserError, match="map_area_normalization: expected a net that knows"):
        wrapped.map_area(wrapped.variables[0], SHAPE)


def test_a_wrapped_discriminator_has_no_features():
    wrapped = adapters.as_discriminator(functional(1), SHAPE)
    assert not wrapped.has_features
    with pytest.raises(UserError, match="features: expected a discriminator that has features"):
        wrapped.features(images())


def test_a_wrapped_classifiers_features_are_its_logits():
    wrapped = adapters.as_classifier(functional(4), SHAPE)
    assert wrapped.num_outputs == 4
    np.testing.assert_array_equal(wrapped.head(wrapped.features(images())), wrapped(images()))


def test_latents_are_those_that_a_net_declares_or_those_that_are_given():
    assert adapters.as_generator(generator(), SHAPE).latent_shape == (3,)
    with pytest.raises(UserError, match=r"generator: .*shape of its latents.*give latent_shape"):
        adapters.as_generator(generator(declared=False), SHAPE)
    wrapped = adapters.as_generator(generator(declared=False), SHAPE, latent_shape=(9,))
    assert wrapped(tf.zeros([2, 9])).shape == (2, *SHAPE)
    assert rebuilt(wrapped).latent_shape == (9,)


# what does not fit


def flat_dense(*units):
    """Returns a model of dense layers over flattened images."""
    return keras.Sequential([keras.layers.Flatten(), *(keras.layers.Dense(n) for n in units)])


@pytest.mark.parametrize("role", FROM_IMAGES)
def test_outputs_of_another_shape_are_named(role):
    with pytest.raises(
        UserError,
        match=rf"^{role}: expected a net from images \[b, 6, 5, 2\] to .* and found outputs of "
        r"shape \[2, 6, 5, 3\]$",
    ):
        ADAPTERS[role](keras.Sequential([keras.layers.Conv2D(3, 1)]), SHAPE)


@pytest.mark.parametrize(
    ("role", "make", "said"),
    [
        ("discriminator", lambda: flat_dense(3), r"log-odds, \[b\] or \[b, 1\], .*\[2, 3\]"),
        ("joint_discriminator", lambda: of_pairs(2), r"images .* and latents .*\[2, 2\]"),
        ("classifier", lambda: flat_dense(1), r"logits, \[b, classes\], .*\[2, 1\]"),
        ("inference", lambda: flat_dense(8), r"a pair, .*of shape \[2, 8\]"),
        ("inference", lambda: functional(3, 4), r"a pair, .*of shape \[2, 3\] and \[2, 4\]"),
        ("energy", lambda: functional(1, 1), r"one energy each.*\[2, 1\] and \[2, 1\]"),
        (
            "energy",
            lambda: keras.Sequential([keras.layers.Lambda(tf.reduce_sum)]),
            r"one energy each.*shape \[\]",
        ),
    ],
)
def test_outputs_of_another_kind_are_named(role, make, said):
    with pytest.raises(UserError, match=said):
        ADAPTERS[role](make(), SHAPE)


def test_images_of_another_shape_from_a_generator_are_named():
    with pytest.raises(
        UserError,
        match=r"generator: expected a net from latents \[b, 3\] to images \[b, 8, 8, 1\], and "
        r"found outputs of shape \[2, 6, 5, 2\]",
    ):
        adapters.as_generator(generator(), (8, 8, 1))


@pytest.mark.parametrize("role", FROM_IMAGES)
def test_a_net_that_fails_on_such_images_says_why(role):
    net = functional(1, shape=(9, 9, 1))
    with pytest.raises(UserError, match=rf"^{role}: .* failed on zeros of that shape: \S.*$") as e:
        ADAPTERS[role](net, SHAPE)
    assert "(9, 9, 1)" in str(e.value) or "9, 9, 1" in str(e.value)
    assert "\x1b" not in str(e.value)


def test_the_users_own_error_is_told():
    class Failing(keras.Model):
        def call(self, x):
            raise KeyError("no such thing")

    with pytest.raises(UserError, match=r"energy: .*Failing failed on .*no such thing"):
        adapters.as_energy(Failing(), SHAPE)


@pytest.mark.parametrize("role", ADAPTERS)
def test_what_is_no_model_is_refused(role):
    latents = {"latent_shape": (3,)} if role == "generator" else {}
    with pytest.raises(UserError, match=rf"{role}: expected a keras.Model and found a function"):
        ADAPTERS[role](lambda x: x, SHAPE, **latents)


def test_a_net_without_a_config_trains_and_says_what_it_lacks_when_it_is_saved():
    wrapped = adapters.as_energy(Silent(1), SHAPE)
    assert wrapped(images(), training=True).shape == (4,)
    with pytest.raises(UserError, match=r"Silent: expected a net that can be saved.*get_config"):
        keras.saving.serialize_keras_object(wrapped)


def test_a_class_that_is_not_imported_is_not_imported_for_a_file():
    config = keras.saving.serialize_keras_object(adapters.as_energy(Subclass(1), SHAPE))
    config["config"]["net"]["module"] = "colorsys_that_is_not_there"
    with pytest.raises(TypeError, match="Subclass"):
        keras.saving.deserialize_keras_object(config)
