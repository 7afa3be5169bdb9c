"""Kernels by name, and kernels as plain data."""

from typing import Any

import tensorflow as tf

from tfgen.errors import OneOf, UserError
from tfgen.samplers.adam import Adam
from tfgen.samplers.adaptation import Adapted
from tfgen.samplers.annealed import Annealed
from tfgen.samplers.base import Interval, Kernel, Scalar
from tfgen.samplers.descent import Descent
from tfgen.samplers.hmc import HMC
from tfgen.samplers.langevin import Langevin
from tfgen.samplers.mala import MALA
from tfgen.samplers.patchwork import Patchwork
from tfgen.samplers.scheduled import Scheduled
from tfgen.samplers.shifted import Shifted
from tfgen.samplers.until import Until

KernelName = OneOf("langevin", "mala", "hmc")
"""The names that `kernel` knows, to annotate a hyperparameter: `Annotated[str, KernelName]`."""

NAMES = KernelName.choices

SamplingKernel = Langevin | MALA | HMC
"""The kernels that leave exp(-U / T) invariant, exactly or but for the step size."""

CLASSES = (
    *(Adam, Adapted, Annealed, Descent, HMC, Langevin),
    *(MALA, Patchwork, Scheduled, Shifted, Until),
)
"""The kernels that can be written as plain data."""


def kernel(
    name: str,
    *,
    step_size: Scalar,
    temperature: Scalar = 1.0,
    max_grad_norm: float | None = None,
    bounds: Interval | None = None,
    noise_scale: Scalar | None = None,
    num_leapfrog_steps: int | None = None,
) -> SamplingKernel:
    """Builds a sampling kernel by its name.

    Args:
        name: langevin, mala or hmc.
        step_size: ε in units of x, positive.
        temperature: T of the density exp(-U / T): not negative for langevin, positive for others.
        max_grad_norm: langevin only: the largest norm of an example's gradient.
        bounds: the interval that x stays in.
        noise_scale: langevin only: the standard deviation of the noise, in place of ε √T.
        num_leapfrog_steps: hmc only: gradient evaluations a step.

    Returns:
        The kernel.

    Raises:
        UserError: if the name is unknown, a value is out of its range, or the kernel does not have
            what was asked for.

    Example:
        ```python
        samplers.kernel("mala", step_size=0.05, bounds=(-1.0, 1.0))
        ```
    """
    if name not in NAMES:
        raise UserError(f"kernel: expected {KernelName.words} and found {name}")
    _refuse_foreign_options(
        name,
        max_grad_norm=max_grad_norm,
        noise_scale=noise_scale,
        num_leapfrog_steps=num_leapfrog_steps,
    )
    if name == "langevin":
        return Langevin(step_size, temperature, max_grad_norm, bounds, noise_scale)
    if not tf.is_tensor(temperature) and temperature == 0:
        raise UserError(
            f"temperature: expected a number above 0 for the kernel {name}, whose Metropolis "
            "correction has no meaning at 0, and found 0; without noise, use langevin"
        )
    if name == "mala":
        return MALA(step_size, temperature, bounds)
    steps = {} if num_leapfrog_steps is None else {"num_leapfrog_steps": num_leapfrog_steps}
    return HMC(step_size, temperature=temperature, bounds=bounds, **steps)


def config(kernel: Kernel) -> dict[str, Any]:
    """Describes a kernel as plain data that JSON can hold; `from_config` restores it exactly.

    Args:
        kernel: one of this package's, also around another.

    Returns:
        The name of its class as "class", and its constants by name.

    Raises:
        UserError: if the class is not one of this package's, or a constant is a tensor.
    """
    if type(kernel) not in CLASSES:
        raise UserError(
            f"kernel: expected one of {_class_names()} and found {type(kernel).__name__}"
        )
    found: dict[str, Any] = {"class": type(kernel).__name__}
    for name, value in vars(kernel).items():
        found[name] = _plain(f"{type(kernel).__name__}.{name}", value)
    return found


def from_config(described: dict[str, Any]) -> Kernel:
    """Builds the kernel that `config` describes.

    Args:
        described: what `config` returned, also after it has been written and read as JSON.

    Returns:
        The kernel, equal to the one that was described.

    Raises:
        UserError: if the class is unknown, or a constant is out of its range.
    """
    classes = {cls.__name__: cls for cls in CLASSES}
    if described.get("class") not in classes:
        raise UserError(
            f"kernel: expected one of {_class_names()} and found {described.get('class')}"
        )
    given = {name: _restored(value) for name, value in described.items() if name != "class"}
    return classes[described["class"]](**given)


def _plain(where: str, value: Any) -> Any:
    if isinstance(value, Kernel):
        return config(value)
    if isinstance(value, tuple):
        return [_plain(where, part) for part in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise UserError(
        f"{where}: expected a plain number to be saved and found a {type(value).__name__}"
    )


def _restored(value: Any) -> Any:
    if isinstance(value, dict):
        return from_config(value)
    if isinstance(value, list):  # JSON knows no tuples, and kernels hold no lists
        return tuple(value)
    return value


def _refuse_foreign_options(name: str, **options: Any) -> None:
    """Raises a UserError at an option that was given and belongs to another kernel."""
    owners = {"max_grad_norm": "langevin", "noise_scale": "langevin", "num_leapfrog_steps": "hmc"}
    for option, value in options.items():
        if value is not None and owners[option] != name:
            raise UserError(
                f"{option}: expected none for the kernel {name}, since only {owners[option]} has "
                f"it, and found {value}"
            )


def _class_names() -> str:
    return ", ".join(cls.__name__ for cls in CLASSES)
