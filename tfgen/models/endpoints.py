"""Tasks of a model, and the endpoints that export publishes of them."""

import dataclasses
import functools
import inspect
import types
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from tfgen import random
from tfgen.errors import UserError
from tfgen.models.inputs import Input

if TYPE_CHECKING:
    from tfgen.models.base import Model


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """A function with named inputs and outputs.

    Attributes:
        name: of the task.
        fn: takes the inputs as keywords and returns the outputs by name.
        inputs: in the order of the method's parameters.
        outputs: their names.
        meaning: the first sentence of the method's docstring.
    """

    name: str
    fn: Callable[..., dict[str, tf.Tensor]]
    inputs: tuple[Input, ...]
    outputs: tuple[str, ...]
    meaning: str = ""

    @property
    def input_names(self) -> tuple[str, ...]:
        """The names of the inputs."""
        return tuple(known.name for known in self.inputs)

    def traced(self) -> Callable[..., dict[str, tf.Tensor]]:
        """Returns a compiled function of keywords.

        An input that is not given takes its default. Keywords of no input are ignored, so that
        callers need not know which inputs a model has.
        """
        graph = compiled(self.fn)

        def answer(**given):
            return graph(**{known.name: as_tensor(known, given) for known in self.inputs})

        return answer


class Task:
    """A method of a model that can be asked for by name.

    Called by a user, it takes arrays, a whole number for a seed, and fills in defaults; it then
    runs compiled. Called while a graph is traced, it is the plain method.

    Args:
        method: takes tensors, in the order and with the names of its inputs.
        outputs: the names of what it returns: one tensor, or a tuple.
    """

    def __init__(self, method: Callable, outputs: tuple[str, ...]):
        self.method = method
        self.outputs = outputs
        self.__name__ = method.__name__
        self.__doc__ = method.__doc__
        self.__wrapped__ = method
        self.signature = inspect.signature(method)
        _, *self.parameters = self.signature.parameters  # all but self

    # like a function: of the class it is the task, of an instance a bound method
    def __get__(self, model: "Model | None", owner: type | None = None):
        return self if model is None else types.MethodType(self, model)

    def __call__(self, model: "Model", *args, **kwargs):
        if tf.inside_function():
            return self.method(model, *args, **kwargs)
        given = dict(self.signature.bind_partial(model, *args, **kwargs).arguments)
        del given["self"]
        found = self._compiled(model, self._tensors(model, given))
        return found[self.outputs[0]] if len(self.outputs) == 1 else tuple(found.values())

    def endpoint(self, model: "Model", known: Mapping[str, Input]) -> Endpoint:
        """Returns the task as an endpoint of a model.

        Args:
            model: whose task.
            known: all inputs that the model declares.
        """

        def fn(**given):
            found = self.method(model, **given)
            values = (found,) if len(self.outputs) == 1 else found
            return dict(zip(self.outputs, values, strict=True))

        inputs = tuple(known[name] for name in self.parameters if name in known)
        meaning = (inspect.getdoc(self) or "").partition("\n\n")[0].replace("\n", " ")
        return Endpoint(self.__name__, fn, inputs, self.outputs, meaning)

    def _tensors(self, model: "Model", given: Mapping[str, Any]) -> dict[str, tf.Tensor]:
        """Returns the arguments as tensors, defaults filled in."""
        known = model.inputs_of(self.__name__)
        for name in given.keys() - known.keys():
            if given[name] is not None:
                raise UserError(f"{name}: expected none, since this model takes no {name}")
        return {name: as_tensor(known[name], given) for name in self.parameters if name in known}

    def _compiled(self, model: "Model", given: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Runs the endpoint as a graph, which is kept for arguments of the same shapes."""
        shapes = tuple((name, tuple(value.shape)) for name, value in given.items())
        # the revision, since a graph traced before growth would keep the old depth
        key = (self.__name__, shapes, model.revision())
        if key not in model.graphs:
            endpoint = self.endpoint(model, model.inputs_of(self.__name__))
            model.graphs[key] = compiled(endpoint.fn)
        return model.graphs[key](**given)


def compiled(fn: Callable) -> Callable:
    """Returns a function as a graph that is traced for each shape of its arguments.

    Every task compiles the same inner function. A partial hides that from TensorFlow, which would
    take the tasks' graphs for one function that is traced too often, and warn.
    """
    return tf.function(functools.partial(fn), autograph=False)


def task(*outputs: str) -> Callable[[Callable], Task]:
    """Marks a method of a model as one of its tasks.

    Args:
        outputs: the names of what the method returns: one tensor, or a tuple of several.
    """
    return lambda method: Task(method, outputs)


def as_tensor(known: Input, given: Mapping[str, Any]) -> tf.Tensor:
    """Returns the value of an input as a tensor.

    Args:
        known: the input.
        given: values by name: tensors, arrays or numbers; a seed may be a whole number.

    Raises:
        UserError: if it is missing, or of another type or shape.
    """
    value = given.get(known.name)
    if value is None:
        value = known.default
    if value is None:
        raise UserError(f"{known.name}: expected {known.meaning} and found nothing")
    # a whole number for a user; within the library a seed is a pair
    if known.name == "seed" and np.ndim(value) == 0:
        return random.root(value)
    try:
        tensor = tf.cast(tf.convert_to_tensor(value), known.dtype)
    except (TypeError, ValueError, tf.errors.UnimplementedError) as error:
        raise UserError(f"{known.name}: expected {known.meaning} and found {value!r}") from error
    fits = known.spec.shape.is_compatible_with(tensor.shape)
    if not fits and not (known.per_row and known.row_spec.shape.is_compatible_with(tensor.shape)):
        expected = ", ".join("any" if side is None else str(side) for side in known.spec.shape)
        found = ", ".join(map(str, tensor.shape))
        raise UserError(f"{known.name}: expected the shape [{expected}] and found [{found}]")
    # while a graph is traced there are no numbers to check yet
    if tf.executing_eagerly():
        _check_numbers(known, tensor)
    return tensor


def _check_numbers(known: Input, value: tf.Tensor) -> None:
    """Raises UserError unless an input's numbers are finite, and what the input says they are."""
    if known.dtype.is_floating and not np.isfinite(value).all():
        raise UserError(f"{known.name}: expected finite numbers and found NaN or infinity")
    if known.check is None:
        return
    passed = np.reshape(known.check.test(value), -1)  # of each number, so that one can be named
    if not passed.all():
        refused = np.reshape(value, -1)[~passed][0]
        raise UserError(f"{known.name}: expected {known.check.words} and found {refused}")
