"""A role's optimizer and its learning rate over the steps."""

import dataclasses
import inspect
import math
from typing import Annotated, Any, NamedTuple

import keras
import tensorflow as tf
from absl import flags

from tfgen.errors import AtLeastOne, Fraction, NotNegative, OneOf, Positive, Range, UserError
from tfgen.training.optimized import Transform
from tfgen.training.schedules import Schedule
from trainers.run import options

OPTIMIZERS: dict[str, type[keras.optimizers.Optimizer]] = {
    "adam": keras.optimizers.Adam,
    "sgd": keras.optimizers.SGD,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class OptimizerOptions:
    """Options of a role's optimizer and learning rate: each field is a flag `--ROLE.FIELD`.

    A field that is named like an argument of a Keras optimizer is handed to the optimizers that
    have it.
    """

    optimizer: Annotated[str, OneOf(*OPTIMIZERS)] = "adam"
    """Update rule of the net's weights."""
    learning_rate: Annotated[float, NotNegative] = 1e-4
    """Learning rate at its height."""
    momentum: Annotated[float, Fraction] = 0.0
    """Momentum of sgd."""
    beta_1: Annotated[float, Fraction] = 0.9
    """Decay of adam's mean gradient per update."""
    beta_2: Annotated[float, Fraction] = 0.999
    """Decay of adam's mean squared gradient per update."""
    epsilon: Annotated[float, Positive] = 1e-7
    """Term that adam adds to the root of the mean squared gradient."""
    decay: Annotated[float, NotNegative] = 1.0
    """Factor on the learning rate after each decay_steps updates."""
    decay_steps: Annotated[int, AtLeastOne] = 1000
    """Updates after which the learning rate is multiplied by decay."""
    warmup_steps: Annotated[int, NotNegative] = 0
    """Updates over which the learning rate rises linearly."""
    constant_fraction: Annotated[float, Fraction] = 1.0
    """Share of the updates before the learning rate falls linearly to zero."""
    clip_norm: Annotated[float, NotNegative] = 0.0
    """Largest norm of the whole gradient; 0: no bound."""
    l2: Annotated[float, NotNegative] = 0.0
    """Weight decay: this times each weight is added to its clipped gradient."""
    ema: Annotated[float, Range(least=0, most=0.999999)] = 0.0
    """Momentum of the moving average of the weights, which sampling and export use; 0: none."""


NAMES = tuple(field.name for field in dataclasses.fields(OptimizerOptions))
"""Options of a role's optimizer; all other flags of the role are options of its net."""


class Updates(NamedTuple):
    """The optimizer of a role's net, its schedule and what happens to its gradients."""

    schedule: Schedule
    optimizer: keras.optimizers.Optimizer
    transform: Transform | None
    """Of each clipped gradient; None leaves it."""
    clip_norm: float
    """Largest norm of the whole gradient; 0: no bound."""


def read(values: flags.FlagValues, role: str) -> OptimizerOptions:
    """Returns the options of a role's optimizer, from its flags.

    Raises:
        UserError: if the learning rate is infinite.
    """
    found = options.read(OptimizerOptions, values, prefix=f"{role}.")
    if not math.isfinite(found.learning_rate):
        raise UserError(
            f"--{role}.learning_rate: expected a finite number and found {found.learning_rate}"
        )
    return found


def build(values: flags.FlagValues, role: str) -> Updates:
    """Builds the optimizer of a role's net, from its flags."""
    found = read(values, role)
    schedule = Schedule(
        rate=found.learning_rate,
        decay=found.decay,
        decay_steps=found.decay_steps,
        warmup_steps=found.warmup_steps,
        total_steps=values.steps,
        constant_fraction=found.constant_fraction,
    )
    cls = OPTIMIZERS[found.optimizer]
    optimizer = cls(**_arguments_of(cls, found) | {"learning_rate": schedule})
    transform = _l2(found.l2) if found.l2 else None
    return Updates(schedule, optimizer, transform, found.clip_norm)


def _arguments_of(cls: type[keras.optimizers.Optimizer], found: OptimizerOptions) -> dict[str, Any]:
    """Returns the arguments of a Keras optimizer, which has other names for some options."""
    known = inspect.signature(cls).parameters
    given = {name: value for name, value in vars(found).items() if name in known}
    if found.ema:
        given |= {"use_ema": True, "ema_momentum": found.ema, "ema_overwrite_frequency": None}
    return given


def _l2(rate: float) -> Transform:
    """Returns the addition of rate |w|² / 2's gradient: what PyTorch's Adam calls weight decay."""
    return lambda gradient, variable: gradient + rate * tf.cast(variable.value, gradient.dtype)
