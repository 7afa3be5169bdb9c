"""The state of a training: all variables that a checkpoint keeps, by names of their own."""

import math
from collections.abc import Iterable, Mapping

import keras
import tensorflow as tf

from tfgen.errors import UserError
from tfgen.models import saved
from tfgen.training.algorithm import Algorithm

State = Mapping[str, keras.Variable]
"""All variables of a training by name, the same in every process."""


def state_of(algorithm: Algorithm) -> State:
    """Returns all variables that a checkpoint keeps of a training.

    Raises:
        UserError: if two have one name.
    """
    found = saved.named_variables(algorithm.model)
    known = {id(v) for v in found.values()}  # by identity, since variables compare by value
    # means are of the logging interval: a run that is stopped goes on within it
    means = [v for metric in algorithm.metrics for v in metric.variables]
    own = [v for v in algorithm.weights if id(v) not in known]
    named = [(f"training/{v.path.removeprefix(algorithm.name + '/')}", v) for v in own]
    named += [(f"means/{v.path}", v) for v in means]
    for role, optimizer in algorithm.optimizers.items():
        named += _of_optimizer(algorithm, role, optimizer)
    count = len(found) + len(named)
    found |= dict(named)
    if len(found) < count:
        raise UserError("state: expected a name of its own for each variable and found one twice")
    return found


def _of_optimizer(
    algorithm: Algorithm, role: str, optimizer: keras.optimizers.Optimizer
) -> list[tuple[str, keras.Variable]]:
    """Returns the variables of a role's optimizer, named by the weights that they belong to."""
    # Keras numbers nets without a name by how many were made before
    names = {v.path.replace("/", "_"): name for name, v in _parameters(algorithm, role).items()}
    found = []
    for variable in optimizer.variables:
        tail = variable.path.removeprefix(f"{optimizer.name}/")
        owners = [path for path in names if tail.startswith(f"{path}_")]
        owner = max(owners, key=len, default=None)
        if owner is not None:
            tail = f"{names[owner]}/{tail.removeprefix(owner + '_')}"
        found.append((f"optimizers/{role}/{tail}", variable))
    return found


def _parameters(algorithm: Algorithm, role: str) -> dict[str, keras.Variable]:
    """Returns what a role's optimizer trains, by name."""
    names = {id(v): name for name, v in algorithm.nets[role].named_variables().items()}
    parameters = algorithm.parameters(role)
    return {names.get(id(v), v.path.rpartition("/")[2]): v for v in parameters}


def not_finite(state: State) -> str | None:
    """Returns the name of the first variable that holds NaN or infinity, or None."""
    floats = {n: v for n, v in state.items() if tf.as_dtype(v.dtype).is_floating}
    flags = [tf.reduce_all(tf.math.is_finite(tf.convert_to_tensor(v))) for v in floats.values()]
    finite = tf.stack(flags).numpy() if flags else []  # one answer from the device
    return next((name for name, good in zip(floats, finite, strict=True) if not good), None)


def names_of(state: State, variables: Iterable[keras.Variable]) -> set[str]:
    """Returns the names that variables have in a state."""
    wanted = {id(v) for v in variables}  # by identity, since variables compare by value
    return {name for name, variable in state.items() if id(variable) in wanted}


def bytes_of(state: State) -> int:
    """Returns the bytes of a state, which is what training keeps between two updates."""
    return sum(math.prod(v.shape) * tf.as_dtype(v.dtype).size for v in state.values())


def described(state: State) -> dict[str, list]:
    """Returns data types and shapes by name."""
    return {name: [keras.backend.standardize_dtype(v.dtype), *v.shape] for name, v in state.items()}
