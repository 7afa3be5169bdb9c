"""The plumbing under every algorithm: one training step, its randomness, its logs, its optimizers."""

import abc
from collections.abc import Callable, Mapping, Sequence

import keras
import tensorflow as tf

from tfgen import random
from tfgen.errors import UserError, check
from tfgen.models import LatentTasks
from tfgen.training.buffers import MissingPixels
from tfgen.types import Batch, Endpoint, Image, Seed

Transform = Callable[[tf.Tensor, keras.Variable], tf.Tensor]
"""Changes one variable's gradient, given the variable."""


class Algorithm(keras.Model, abc.ABC):
    """A way to train nets on images; a subclass writes `update`, and the rest is here.

    Args:
        logged: the names of the numbers that `update` returns.
        seed: of all that training draws.

    Attributes:
        step: how many updates have been made, int64.
    """

    def __init__(self, logged: Sequence[str], seed: int):
        super().__init__()
        self.seed = seed
        self.means = {name: keras.metrics.Mean(name=name) for name in logged}
        self.step = self.add_weight(
            shape=(),
            dtype="int64",
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
            name="step",
        )
        self.optimizers: dict[str, keras.optimizers.Optimizer] = {}
        self.built = True

    @property
    def num_updates(self) -> int:
        """How many updates have been made, as a number."""
        return int(tf.convert_to_tensor(self.step.value).numpy())

    @abc.abstractmethod
    def update(self, batch: Batch, seed: Seed) -> dict[str, tf.Tensor]:
        """One iteration of the algorithm.

        Args:
            batch: this replica's share of the examples.
            seed: int32 [2], this step's and replica's own.

        Returns:
            The logged numbers, scalars.
        """

    @abc.abstractmethod
    def endpoints(self) -> dict[str, Endpoint]:
        """What the trained model can be asked for, and export may publish."""

    @abc.abstractmethod
    def pictures(self, batch: Batch) -> dict[str, Image]:
        """What to look at while training, by name: images [b, h, w, c]."""

    def callbacks(self) -> list[keras.callbacks.Callback]:
        """What the algorithm does between updates."""
        return []

    def compile(
        self,
        optimizers: Mapping[str, keras.optimizers.Optimizer],
        jit_compile: bool = False,
        transforms: Mapping[str, Transform] | None = None,
    ) -> None:
        """Gives each role its optimizer.

        Args:
            optimizers: by role; each role is an attribute of the algorithm, a net. An optimizer's
                `global_clipnorm` bounds the norm of its net's whole gradient.
            jit_compile: whether XLA compiles the training step.
            transforms: by role; changes each clipped gradient.
        """
        super().compile(optimizer=None, jit_compile=jit_compile)
        self.optimizers = dict(optimizers)
        self.transforms = dict(transforms or {})
        # the optimizer itself would clip a replica's share, and after the transform
        self.bounds = {
            role: optimizer.global_clipnorm for role, optimizer in self.optimizers.items()
        }
        for optimizer in self.optimizers.values():
            optimizer.global_clipnorm = None
        for role, optimizer in self.optimizers.items():
            optimizer.build(self.parameters(role))

    def parameters(self, role: str) -> list[keras.Variable]:
        """What a role's optimizer trains: its net's weights."""
        return getattr(self, role).trainable_variables

    def train_step(self, batch: Batch) -> dict[str, tf.Tensor]:
        """What `fit` calls: seeds the update, keeps its numbers, counts it."""
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        seed = random.fold_in(random.fold_in(random.root(self.seed), self.step.value), replica)
        with random.compiled(self.jit_compile):
            logged = self.update(batch, seed)
        for name, value in logged.items():
            self.means[name].update_state(value)
        self.step.assign_add(1)
        return self.get_metrics_result()

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The means over the present logging interval."""
        return list(self.means.values())

    def descend(
        self, role: str, tape: tf.GradientTape, loss: tf.Tensor, transform: Transform | None = None
    ) -> list[tf.Tensor]:
        """One optimizer step of one net down a loss, averaged over the replicas.

        Args:
            role: whose net and optimizer.
            tape: has recorded the loss.
            loss: a scalar, this replica's mean.
            transform: changes each gradient before it is clipped.

        Returns:
            See `follow`.
        """
        return self.follow(role, tape.gradient(loss, self.watched(role)), transform)

    def descend_together(
        self,
        roles: Sequence[str],
        tape: tf.GradientTape,
        loss: tf.Tensor,
        ascending: Sequence[str] = (),
    ) -> dict[str, tf.Tensor]:
        """One optimizer step of several nets by one gradient.

        Args:
            roles: whose nets and optimizers.
            tape: has recorded the loss.
            loss: a scalar, this replica's mean.
            ascending: those of the roles that go up the loss, not down.

        Returns:
            The norm of each net's gradient, as ROLE_grad_norm.
        """
        gradients = tape.gradient(loss, {role: self.watched(role) for role in roles})
        for role in ascending:
            gradients[role] = [g if g is None else -g for g in gradients[role]]
        return {
            f"{role}_grad_norm": tf.linalg.global_norm(self.follow(role, gradients[role]))
            for role in roles
        }

    def watched(self, role: str) -> list[tf.Tensor]:
        """What a tape is asked the role's gradients of."""
        return [v.value for v in self.parameters(role)]

    def follow(
        self, role: str, gradients: Sequence[tf.Tensor | None], transform: Transform | None = None
    ) -> list[tf.Tensor]:
        """One optimizer step of one net against its gradients, averaged over the replicas.

        Variables whose gradient is None stay as they are.

        Args:
            role: whose net and optimizer.
            gradients: of this replica's mean loss, in the order of `watched`.
            transform: changes each gradient before it is clipped.

        Returns:
            The averaged gradients of the variables that the loss reaches, before the transform.
        """
        reached = [
            (g, v) for g, v in zip(gradients, self.parameters(role), strict=True) if g is not None
        ]
        variables = [v for _, v in reached]
        context, optimizer = tf.distribute.get_replica_context(), self.optimizers[role]
        replicas = context.num_replicas_in_sync
        raw = [tf.cast(g, tf.float32) for g, _ in reached]
        if replicas > 1:
            raw = context.all_reduce(tf.distribute.ReduceOp.MEAN, raw)
        changed = _each(transform, raw, variables)
        if self.bounds[role]:
            changed, _ = tf.clip_by_global_norm(changed, self.bounds[role])
        changed = _each(self.transforms.get(role), changed, variables)
        # the optimizer sums over the replicas
        optimizer.apply([g / replicas for g in changed], variables)
        return raw


def _each(
    transform: Transform | None, gradients: list[tf.Tensor], variables: list[keras.Variable]
) -> list[tf.Tensor]:
    if transform is None:
        return gradients
    return [transform(g, v) for g, v in zip(gradients, variables, strict=True)]


class LatentAlgorithm(Algorithm):
    """A way to train a generator of images from latents; a subclass writes `update` and `tasks`.

    Args:
        logged: the names of the numbers that `update` returns.
        generator: g, latents to images.
        image_shape: height, width, channels.
        num_incomplete: training images with missing pixels; 0 where all are whole.
        seed: of all that training draws.
        completion_rounds: times that a completion is inferred from, at least 1.
    """

    def __init__(
        self,
        logged: Sequence[str],
        generator: keras.Model,
        image_shape: tuple[int, int, int],
        num_incomplete: int,
        seed: int,
        completion_rounds: int,
    ):
        super().__init__(logged, seed)
        self.generator = generator
        self.image_shape = tuple(image_shape)
        self.missing = MissingPixels(num_incomplete, self.image_shape)
        self.completion_rounds = check("completion_rounds", completion_rounds, least=1)

    @property
    @abc.abstractmethod
    def tasks(self) -> LatentTasks:
        """What the nets are used for."""

    def endpoints(self) -> dict[str, Endpoint]:
        return self.tasks.endpoints()

    def pictures(self, batch: Batch) -> dict[str, Image]:
        return self.tasks.pictures(self.missing.fill(batch), random.root(self.seed))


def check_latents(
    generator: keras.Model, inference: keras.Model, image_shape: tuple[int, int, int]
) -> None:
    """Raises UserError unless what is inferred from images is what images are generated from."""
    wanted = tuple(generator.latent_shape)
    inferred = tuple(inference(tf.zeros((1, *image_shape)), training=False)[0].shape[1:])
    if inferred != wanted:
        raise UserError(
            f"inference.latent_dim: expected latents of the generator's shape {wanted} and found {inferred}"
        )
