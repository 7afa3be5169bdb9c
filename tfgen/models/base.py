"""The Model: what was learned, how it is sampled, and what it can be asked for."""

import abc
import dataclasses
import inspect
import pathlib
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any

import keras

from tfgen import distributions, samplers
from tfgen.errors import UserError
from tfgen.models import saved
from tfgen.models.endpoints import Endpoint, Task
from tfgen.models.inputs import Input
from tfgen.samplers import Kernel, SamplingKernel
from tfgen.types import EnergyFn, Hole, Image, Label, Seed


@dataclasses.dataclass(frozen=True)
class Sampling:
    """How a model is sampled; its kernel's bounds and temperature belong to the model.

    Args:
        kernel: how images move.
        steps: of a new sample or completion, not negative.
        denoising_steps: noise-free steps after these.
        learning_steps: steps between two updates of training, the length of a short run; 0 where
            training took none.
        shifts: places in each direction that images take in turn on the net's grid of strides.
    """

    kernel: SamplingKernel
    steps: int = 0
    denoising_steps: int = 0
    learning_steps: int = 0
    shifts: int = 1

    def __post_init__(self) -> None:
        if self.shifts > 1 and self.kernel.target_acceptance < 1:
            raise UserError(
                f"shifts: expected 1 for a kernel that rejects moves and found {self.shifts}"
            )

    def moving(self, kernel: Kernel, fill: Iterable[float], hole: Hole | None = None) -> Kernel:
        """Returns a kernel under which images take all places in turn, if there are several.

        Args:
            kernel: this sampling's, or another like it.
            fill: what surrounds images, a number a channel.
            hole: if given, known pixels stay as they are.
        """
        if self.shifts == 1 and hole is None:
            return kernel
        return samplers.Shifted(kernel, self.shifts, tuple(map(float, fill)), hole)

    def with_step_size(self, step_size: float) -> "Sampling":
        """Returns the sampling with another step size of its kernel."""
        return dataclasses.replace(
            self, kernel=dataclasses.replace(self.kernel, step_size=step_size)
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the sampling as numbers and names."""
        return dataclasses.asdict(self) | {"kernel": samplers.config(self.kernel)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Sampling":
        """Makes the sampling that `get_config` described."""
        return cls(**(dict(config) | {"kernel": samplers.from_config(config["kernel"])}))


@dataclasses.dataclass(frozen=True)
class Target:
    """A density on images: all that a measurement of a density asks of a model.

    Attributes:
        energy: U / T in nats, one per example; p(x) ∝ exp(-U(x) / T).
        distribution: a known distribution on the same space, whose bounds are the space's box.
        image_shape: height, width, channels.
    """

    energy: EnergyFn
    distribution: distributions.Distribution
    image_shape: tuple[int, ...]


class Model(keras.Model, abc.ABC):
    """What an algorithm has learned: nets, constants, and the tasks they are used for.

    A subclass declares its tasks as methods marked with `@task`, and the inputs that these take
    in `inputs`. Everything that evaluates, draws, exports or serves a model reads these two.

    Args:
        nets: by role, each built.
        image_shape: height, width, channels of one image.
        num_classes: classes that examples belong to; 1 where there are none.
        sampling: how the model is sampled; None where nothing is.

    Attributes:
        updates: training updates behind the weights.
    """

    def __init__(
        self,
        nets: Mapping[str, keras.Model],
        *,
        image_shape: tuple[int, ...],
        num_classes: int = 1,
        sampling: Sampling | None = None,
    ):
        super().__init__()
        self.nets = dict(nets)
        self.image_shape = tuple(image_shape)
        self.num_classes = num_classes
        self.sampling = sampling
        self.updates = 0
        self.graphs: dict[Hashable, Callable] = {}  # compiled tasks, see `Task`
        self.built = True  # by its nets; Keras would otherwise call the model to build it

    @abc.abstractmethod
    def inputs(self) -> dict[str, Input]:
        """Returns all inputs that the tasks of this model may take, by name."""

    def inputs_of(self, task: str) -> dict[str, Input]:
        """Returns the inputs of one task by name: `inputs`, unless the task takes other images."""
        del task
        return self.inputs()

    def unable(self) -> set[str]:
        """Returns the names of the class's tasks that this model cannot do."""
        return set()

    def capabilities(self) -> frozenset[str]:
        """Returns the names of the tasks that this model can be asked for."""
        return frozenset(self.endpoints())

    def endpoints(self) -> dict[str, Endpoint]:
        """Returns the tasks with their inputs and outputs, by name.

        An input is a parameter of the task's method that `inputs` declares.
        """
        unable = self.unable()
        return {
            name: found.endpoint(self, self.inputs_of(name))
            for name, found in sorted(tasks_of(type(self)).items())
            if name not in unable
        }

    def endpoint(self, name: str) -> Endpoint:
        """Returns one of the tasks.

        Raises:
            UserError: if the model cannot do it.
        """
        endpoints = self.endpoints()
        if name not in endpoints:
            able = ", ".join(endpoints)
            raise UserError(f"task: this model can {able}, and cannot {name}")
        return endpoints[name]

    def energy_fn(self, label: Label | None = None, training: bool = False) -> EnergyFn:
        """Returns U, the energy of images.

        Args:
            label: each example's class, [b], or None where there are none.
            training: whether nets run in training mode.

        Raises:
            UserError: if the model has no energy.
        """
        del label, training
        raise UserError(f"model: expected one with an energy and found a {type(self).__name__}")

    def target(self, label: Label | None = None) -> Target:
        """Returns the density that this model is, of each example's class.

        Raises:
            UserError: if the model is no density.
        """
        del label
        raise UserError(f"model: expected one with a density and found a {type(self).__name__}")

    def score_target(self, label: Label | None = None) -> Target:
        """Returns the density by whose energy single images are compared, of each example's class.

        It is the model's own density, `target`, unless a part of that is no matter of the image.

        Raises:
            UserError: if the model is no density.
        """
        return self.target(label)

    def chain_starts(self, count: int, seed: Seed) -> Image:
        """Returns images that long chains start from, [count, h, w, c].

        They are the persistent chains that training left, or else what new samples start from.
        """
        return self.target().distribution.sample((count, *self.image_shape), seed)

    def revision(self) -> Hashable:
        """Returns what compiled tasks depend on beside the values of variables."""
        return ()

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as numbers, names and lists.

        Raises:
            UserError: if a net cannot be described by a config.
        """
        return {
            "nets": {role: saved.config_of(role, net) for role, net in self.nets.items()},
            "image_shape": list(self.image_shape),
            # num_classes is left out: each class derives it from its nets
            "sampling": self.sampling and self.sampling.get_config(),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Model":
        """Makes an untrained model with the constructor's arguments that `get_config` returned."""
        given = dict(config)
        nets = {
            role: keras.saving.deserialize_keras_object(net)
            for role, net in given.pop("nets").items()
        }
        sampling = given.pop("sampling")
        given["sampling"] = sampling and Sampling.from_config(sampling)
        given["image_shape"] = tuple(given["image_shape"])  # JSON has lists only
        return cls(**nets, **given)

    def save(self, path: str | pathlib.Path, compact: bool = False) -> None:
        """Writes the config and the weights, without anything of the training.

        Args:
            path: a directory, which appears whole or not at all; `tfgen.load` reads it.
            compact: whether numbers are rounded to 16 bits and compressed, which takes less than
                half of the space.

        Raises:
            UserError: if a weight is not finite, or a net cannot be described by a config.

        Example:
            >>> model.save("models/digits")
            >>> again = tfgen.load("models/digits")
        """
        saved.write(self, pathlib.Path(path), compact)

    def call(self, *args, **kwargs):
        """Refuses to be called: a model has tasks by name."""
        able = ", ".join(self.endpoints())
        raise TypeError(f"Expected one of the model's tasks: {able}. Received: a call of the model")


def tasks_of(cls: type[Model]) -> dict[str, Task]:
    """Returns the tasks that a class and its bases declare, by name."""
    # static, since a look-up by name would call properties
    members = inspect.getmembers_static(cls)
    return {name: member for name, member in members if isinstance(member, Task)}
