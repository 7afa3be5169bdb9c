"""Dynamics of training: which kernel samples, and how its step and temperature change."""

import dataclasses
from typing import Any

import keras
import tensorflow as tf

from tfgen import microbatches, samplers
from tfgen.errors import UserError
from tfgen.samplers import Kernel, SamplingKernel
from tfgen.training import schedules

FOLLOWING = 100
"""Adaptations after which the rate of adaptation falls no further."""


@dataclasses.dataclass(frozen=True)
class Dynamics:
    """A kernel whose step size and temperature may follow schedules.

    Within a run of L steps they go from their present values to `run_step_factor` and
    `run_temperature_factor` times these. Over training they go to `final_step_size` and
    `final_temperature`.

    Args:
        kernel: langevin, mala or hmc.
        step_size: ε in units of what moves, positive.
        temperature: T, not negative; positive for mala and hmc.
        max_grad_norm: gradients are scaled down to this norm; None leaves them. Of langevin.
        bounds: the interval that what moves is kept in, or None.
        run_step_factor: factor on the step size from the first step of a run to its last.
        run_temperature_factor: factor on T likewise; 0 ends a run without noise. Positive for mala
            and hmc.
        final_step_size: after `anneal_updates` updates; None keeps it.
        final_temperature: after `anneal_updates` updates; None keeps it.
        anneal_updates: updates over which these change, at least 1.
        target_acceptance: below 1; of mala and hmc, whose step size is adapted to it; 0 leaves the
            step.

    Raises:
        UserError: if the kernel cannot do what is asked.
    """

    kernel: str = "langevin"
    step_size: float = 0.1
    temperature: float = 1.0
    max_grad_norm: float | None = None
    bounds: tuple[float, float] | None = None
    run_step_factor: float = 1.0
    run_temperature_factor: float = 1.0
    final_step_size: float | None = None
    final_temperature: float | None = None
    anneal_updates: int = 1000
    target_acceptance: float = 0.0

    def __post_init__(self):
        if self.target_acceptance and self.kernel == "langevin":
            raise UserError(
                "target_acceptance: expected 0 for langevin, which accepts every step, and found "
                f"{self.target_acceptance:g}; choose --kernel=mala or hmc"
            )
        if self.target_acceptance and self.final_step_size is not None:
            raise UserError(
                "final_step_size: expected none, since target_acceptance adapts the step size"
            )
        if self.run_temperature_factor == 0 and self.kernel != "langevin":
            raise UserError(
                f"run_temperature_factor: expected a number above 0 for the kernel {self.kernel}, "
                "whose Metropolis correction has no meaning at a temperature of 0, and found 0"
            )
        if self.final_temperature is not None and self.temperature == 0:
            raise UserError(
                "temperature: expected a number above 0, since a geometric change to "
                "final_temperature cannot start from 0, and found 0"
            )
        # made once here, so that a wrong combination fails now and not while a graph is traced
        self._kernel(self.step_size, self.temperature)

    @property
    def first(self) -> SamplingKernel:
        """The kernel as training begins."""
        return self._kernel(self.step_size, self.temperature)

    @property
    def last(self) -> SamplingKernel:
        """The kernel as training ends; its temperature is the learned density's."""
        step_size = self.step_size if self.final_step_size is None else self.final_step_size
        temperature = self.final_temperature
        return self._kernel(step_size, self.temperature if temperature is None else temperature)

    def kernel_at(
        self, step: tf.Tensor, num_steps: int, tracked: keras.Variable | None = None
    ) -> Kernel:
        """Returns the kernel of an update.

        Args:
            step: updates made.
            num_steps: of the run.
            tracked: the adapted step size; see `tracked_step_size`.
        """
        step_size: Any = self.step_size
        temperature: Any = self.temperature
        if tracked is not None:
            step_size = tracked.value
        elif self.final_step_size is not None:
            step_size = self._annealed(self.step_size, self.final_step_size, step)
        if self.final_temperature is not None:
            temperature = self._annealed(self.temperature, self.final_temperature, step)
        kernel = self._kernel(step_size, temperature)
        if self.run_step_factor == 1 and self.run_temperature_factor == 1:
            return kernel
        return samplers.Scheduled(
            kernel,
            num_steps,
            step_factor_end=self.run_step_factor,
            temperature_factor_end=self.run_temperature_factor,
        )

    def tracked_step_size(self, owner: keras.layers.Layer) -> keras.Variable | None:
        """Returns a weight of `owner` that holds the adapted step size, or None."""
        if not self.target_acceptance:
            return None
        return owner.add_weight(
            shape=(),
            initializer=keras.initializers.Constant(self.step_size),
            trainable=False,
            aggregation="mean",  # each replica adapts by its own chains
            name="step_size",
        )

    def adapt(self, tracked: keras.Variable | None, acceptance: tf.Tensor, step: tf.Tensor) -> None:
        """Moves the adapted step size towards the target acceptance.

        Args:
            tracked: see `tracked_step_size`; None does nothing.
            acceptance: mean probabilities of the run, [b].
            step: updates made.
        """
        if tracked is None:
            return
        # the energy goes on changing, and the step size must go on following it
        count = tf.minimum(tf.cast(step, tf.int32), FOLLOWING)

        def moved(means: list[tf.Tensor]) -> None:
            target = self.target_acceptance
            tracked.assign(samplers.adapt(tracked.value, means[0], target, count))

        microbatches.mean([tf.reduce_mean(acceptance)], moved)

    def _annealed(self, first: float, last: float, step: tf.Tensor) -> tf.Tensor:
        return schedules.geometric(first, last, step, self.anneal_updates)

    def _kernel(self, step_size: Any, temperature: Any) -> SamplingKernel:
        return samplers.kernel(
            self.kernel,
            step_size=step_size,
            temperature=temperature,
            max_grad_norm=self.max_grad_norm,
            bounds=self.bounds,
        )
