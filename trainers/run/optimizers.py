"""A role's optimizer and its learning rate over the steps."""

import dataclasses
import inspect
import math
from typing import Annotated, Any, NamedTuple

import keras
import tensorflow as tf
from absl import flags

from tfgen.errors import AtLeastOne, Fraction, NotNegative, OneOf, Positive, Range, UserError
from tfgen.training.algorithm import Transform
from tfgen.training.schedules import Schedule

OPTIMIZERS: dict[str, type[keras.optimizers.Optimizer]] = {
    "adam": keras.optimizers.Adam,
    "sgd": keras.optimizers.SGD,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class OptimizerOptions:
    """How a role's net is updated: each field is a flag `--ROLE.FIELD`.

    A field that is named like an argument of a Keras optimizer is handed to the optimizers that
    have it.
    """

    optimizer: Annotated[str, OneOf(*OPTIMIZERS)] = "adam"
    """How the net is updated."""
    learning_rate: Annotated[float, NotNegative] = 1e-4
    """Its learning rate."""
    momentum: Annotated[float, Fraction] = 0.0
    """Of sgd."""
    beta_1: Annotated[float, Fraction] = 0.9
    """Of adam: the decay of the mean gradient, an update."""
    beta_2: Annotated[float, Fraction] = 0.999
    """Of adam: the decay of the mean squared gradient, an update."""
    epsilon: Annotated[float, Positive] = 1e-7
    """Of adam: added to the root of the mean squared gradient."""
    decay: Annotated[float, NotNegative] = 1.0
    """Factor on the rate every decay_steps updates."""
    decay_steps: Annotated[int, AtLeastOne] = 1000
    """Updates between two factors of decay."""
    warmup_steps: Annotated[int, NotNegative] = 0
    """Updates over which the rate rises."""
    constant_fraction: Annotated[float, Fraction] = 1.0
    """Share of the steps before the rate falls linearly to zero."""
    clip_norm: Annotated[float, NotNegative] = 0.0
    """Largest norm of the whole gradient; 0: no bound."""
    l2: Annotated[float, NotNegative] = 0.0
    """Times each weight, added to its clipped gradient (L2)."""
    ema: Annotated[float, Range(least=0, most=0.999999)] = 0.0
    """Momentum of the weights' moving average, which sampling and export then use; 0: none."""


NAMES = tuple(field.name for field in dataclasses.fields(OptimizerOptions))
"""What a role's flags say of its optimizer; all others are options of its net."""


class Updates(NamedTuple):
    """How a role's net is updated."""

    schedule: Schedule
    optimizer: keras.optimizers.Optimizer
    transform: Transform | None
    """Of each clipped gradient; None leaves it."""
    clip_norm: float
    """Largest norm of the whole gradient; 0: no bound."""


def read(values: flags.FlagValues, role: str) -> OptimizerOptions:
    """Returns what a role's flags say of its optimizer.

    Raises:
        UserError: if the learning rate is infinite.
    """
    given: dict[str, Any] = {name: values[f"{role}.{name}"].value for name in NAMES}
    options = OptimizerOptions(**given)
    if not math.isfinite(options.learning_rate):
        raise UserError(
            f"--{role}.learning_rate: expected a finite number and found {options.learning_rate}"
        )
    return options


def build(values: flags.FlagValues, role: str) -> Updates:
    """Returns how a role's net is updated, from its flags."""
    options = read(values, role)
    schedule = Schedule(
        rate=options.learning_rate,
        decay=options.decay,
        decay_steps=options.decay_steps,
        warmup_steps=options.warmup_steps,
        total_steps=values.steps,
        constant_fraction=options.constant_fraction,
    )
    cls = OPTIMIZERS[options.optimizer]
    optimizer = cls(**_arguments_of(cls, options) | {"learning_rate": schedule})
    transform = _l2(options.l2) if options.l2 else None
    return Updates(schedule, optimizer, transform, options.clip_norm)


def _arguments_of(
    cls: type[keras.optimizers.Optimizer], options: OptimizerOptions
) -> dict[str, Any]:
    """Returns the arguments of a Keras optimizer, which has other names for some options."""
    known = inspect.signature(cls).parameters
    given = {name: value for name, value in vars(options).items() if name in known}
    if options.ema:
        given |= {"use_ema": True, "ema_momentum": options.ema, "ema_overwrite_frequency": None}
    return given


def _l2(rate: float) -> Transform:
    """Returns the addition of rate |w|² / 2's gradient: what PyTorch's Adam calls weight decay."""
    return lambda gradient, variable: gradient + rate * tf.cast(variable.value, gradient.dtype)
