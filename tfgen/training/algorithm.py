"""The base of every algorithm: one training step, its randomness, its logs, its optimizers."""

import abc
import contextlib
import functools
import inspect
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfgen import errors, random
from tfgen.errors import UserError
from tfgen.models import Model
from tfgen.training import batches
from tfgen.training.schedules import PerUpdate
from tfgen.types import Batch, Image, Seed

Transform = Callable[[tf.Tensor, keras.Variable], tf.Tensor]
"""Changes one variable's gradient, given the variable."""


class Algorithm(keras.Model, abc.ABC):
    """A way to train a model on images; a subclass writes `update`, and the rest is here.

    A subclass's positional constructor parameters are roles, the nets that it is given. Its
    keyword-only ones are hyperparameters, whose ranges are declared as `Annotated` types and
    checked before the constructor runs.

    Args:
        model: what is learned.
        logged: the names of the numbers that `update` returns.
        seed: of all that training draws.

    Attributes:
        model: what is learned.
        nets: the nets that optimizers train, by role.
        step: how many updates have been made, int64.
    """

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        if "__init__" in vars(cls):
            cls.__init__ = _checked(cls.__init__)

    def __init__(self, model: Model, *, logged: Sequence[str], seed: int):
        super().__init__()
        self.model = model
        self.nets = dict(model.nets)
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
        self.transforms: dict[str, Transform] = {}
        self.clip_norms: dict[str, float] = {}
        self.built = True

    @property
    def num_updates(self) -> int:
        """How many updates have been made, as a number."""
        return int(tf.convert_to_tensor(self.step.value).numpy())

    @property
    def finished(self) -> bool:
        """Whether the algorithm has come to its own end, such as its last stage."""
        return False

    @abc.abstractmethod
    def update(self, batch: Batch, seed: Seed) -> dict[str, tf.Tensor]:
        """Makes one iteration of the algorithm.

        Args:
            batch: this replica's share of the examples.
            seed: int32 [2], this step's and replica's own.

        Returns:
            The logged numbers, scalars.
        """

    @abc.abstractmethod
    def pictures(self, batch: Batch) -> dict[str, Image]:
        """Returns what to look at while training, by name: images [b, h, w, c]."""

    def callbacks(self) -> list[keras.callbacks.Callback]:
        """Returns what the algorithm does between updates; `fit` adds it."""
        return []

    def compile(
        self,
        optimizers: Mapping[str, str | keras.optimizers.Optimizer],
        *,
        clip_norms: Mapping[str, float] | None = None,
        transforms: Mapping[str, Transform] | None = None,
        jit_compile: bool = False,
    ) -> None:
        """Gives each role its optimizer.

        A learning-rate schedule counts updates of the algorithm, however many steps of an
        optimizer an update makes.

        Args:
            optimizers: by role, each an optimizer of its own or the name of one.
            clip_norms: by role; the largest norm of a net's whole gradient, averaged over the
                replicas, positive.
            transforms: by role; change each gradient after it is clipped.
            jit_compile: whether XLA compiles the training step.

        Raises:
            ValueError: if the roles are not the algorithm's, or two share an optimizer.

        Example:
            >>> algorithm.compile({"generator": "adam", "inference": keras.optimizers.Adam(1e-3)})
        """
        # without optimizer=None Keras makes an RMSprop
        super().compile(optimizer=None, jit_compile=jit_compile)
        self._check_roles("optimizers", optimizers, every=True)
        self._check_roles("clip_norms", clip_norms or {})
        self._check_roles("transforms", transforms or {})
        made = {role: keras.optimizers.get(given) for role, given in optimizers.items()}
        if len({id(optimizer) for optimizer in made.values()}) < len(made):
            raise ValueError("Expected an optimizer of its own for each role. Received: one twice")
        self.optimizers = made
        self.clip_norms = dict(clip_norms or {})
        self.transforms = dict(transforms or {})
        for role, optimizer in made.items():
            PerUpdate.count_updates(optimizer, self.step)
            optimizer.build(self.parameters(role))

    def _check_roles(self, name: str, given: Mapping[str, Any], every: bool = False) -> None:
        unknown, missing = given.keys() - self.nets.keys(), self.nets.keys() - given.keys()
        if unknown or (every and missing):
            raise ValueError(
                f"Expected {name} for the roles {', '.join(self.nets)}. "
                f"Received: {', '.join(given) or 'none'}"
            )

    def fit(self, x=None, y=None, *, batch_size: int | None = None, **options):
        """Trains, as Keras does.

        Args:
            x: images, an array [n, h, w, c] of uint8, or of floats in [-1, 1]; or a `tf.data`
                stream of images, of (image, label) pairs or of `Batch`es.
            y: classes of the images of an array, integers [n].
            batch_size: examples an update, of an array; None takes 32.
            options: see `keras.Model.fit`; the algorithm's own callbacks are added to the given.

        Returns:
            Keras's history.

        Raises:
            UserError: if the images are of another rank or range.

        Example:
            >>> algorithm.fit(images, epochs=10, batch_size=100)
        """
        if not self.optimizers:
            raise ValueError("Expected a compiled algorithm. Received: one without optimizers")
        if isinstance(x, np.ndarray):
            x, steps = batches.of_arrays(x, y, batch_size or 32, self.seed, self.num_updates)
            options = {"steps_per_epoch": steps, **options}
        given = options.pop("callbacks", None) or []
        own = [c for c in self.callbacks() if type(c) not in {type(other) for other in given}]
        # batches come in an order of their own
        options = {"shuffle": False, **options}
        return super().fit(x, callbacks=[*own, *given], **options)

    def parameters(self, role: str) -> list[keras.Variable]:
        """Returns what a role's optimizer trains: its net's weights."""
        return self.nets[role].trainable_variables

    def train_step(self, batch: Batch) -> dict[str, tf.Tensor]:
        """Makes an update with seeds of its own and keeps its numbers; `fit` calls it."""
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        step = tf.convert_to_tensor(self.step.value)
        seed = random.fold_in(random.fold_in(random.root(self.seed), step), replica)
        with random.compiled(self.jit_compile):
            logged = self.update(batches.as_batch(batch), seed)
        for name, value in logged.items():
            self.means[name].update_state(value)
        self.step.assign_add(1)
        return self.get_metrics_result()

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The means over the present logging interval."""
        return list(self.means.values())

    def minimize(
        self,
        role: str,
        tape: tf.GradientTape,
        loss: tf.Tensor,
        transform: Transform | None = None,
    ) -> list[tf.Tensor]:
        """Makes one optimizer step of one net down a loss, averaged over the replicas.

        Args:
            role: whose net and optimizer.
            tape: has recorded the loss.
            loss: a scalar, this replica's mean.
            transform: changes each gradient before it is clipped.

        Returns:
            See `apply_gradients`.
        """
        gradients = tape.gradient(loss, self.trainable_tensors(role))
        return self.apply_gradients(role, gradients, transform)

    def minimize_together(
        self,
        roles: Sequence[str],
        tape: tf.GradientTape,
        loss: tf.Tensor,
        ascending: Sequence[str] = (),
    ) -> dict[str, tf.Tensor]:
        """Makes one optimizer step of several nets by one gradient.

        Args:
            roles: whose nets and optimizers.
            tape: has recorded the loss.
            loss: a scalar, this replica's mean.
            ascending: those of the roles that go up the loss, not down.

        Returns:
            The norm of each net's gradient, as ROLE_grad_norm.
        """
        found = tape.gradient(loss, {role: self.trainable_tensors(role) for role in roles})
        norms = {}
        for role in roles:
            gradients = found[role]
            if role in ascending:
                gradients = [g if g is None else -g for g in gradients]
            applied = self.apply_gradients(role, gradients)
            norms[f"{role}_grad_norm"] = tf.linalg.global_norm(applied)
        return norms

    def trainable_tensors(self, role: str) -> list[tf.Tensor]:
        """Returns what a tape is asked the role's gradients of."""
        return [v.value for v in self.parameters(role)]

    def apply_gradients(
        self,
        role: str,
        gradients: Sequence[tf.Tensor | None],
        transform: Transform | None = None,
    ) -> list[tf.Tensor]:
        """Makes one optimizer step of one net against its gradients, averaged over the replicas.

        Variables whose gradient is None stay as they are.

        Args:
            role: whose net and optimizer.
            gradients: of this replica's mean loss, in the order of `trainable_tensors`.
            transform: changes each gradient before it is clipped.

        Returns:
            The averaged gradients of the variables that the loss reaches, before the transform.
        """
        pairs = zip(gradients, self.parameters(role), strict=True)
        reached = [(g, v) for g, v in pairs if g is not None]
        variables = [v for _, v in reached]
        raw = [tf.cast(g, tf.float32) for g, _ in reached]
        context = tf.distribute.get_replica_context()
        replicas = context.num_replicas_in_sync
        if replicas > 1:
            raw = context.all_reduce(tf.distribute.ReduceOp.MEAN, raw)
        changed = _each(transform, raw, variables)
        if self.clip_norms.get(role):
            changed, _ = tf.clip_by_global_norm(changed, self.clip_norms[role])
        changed = _each(self.transforms.get(role), changed, variables)
        # the optimizer sums over the replicas
        self.optimizers[role].apply([g / replicas for g in changed], variables)
        return raw

    def save_model(self, path: pathlib.Path) -> None:
        """Writes the model, with averaged weights where an optimizer keeps them.

        Args:
            path: the model's directory.
        """
        self.model.updates = self.num_updates
        with self.averaged_weights():
            self.model.save(path)

    @contextlib.contextmanager
    def averaged_weights(self) -> Iterator[None]:
        """Within the block, weights are their moving averages where an optimizer keeps them."""
        averaging = [role for role, optimizer in self.optimizers.items() if optimizer.use_ema]
        raw = {role: [v.numpy() for v in self.parameters(role)] for role in averaging}
        for role in averaging:
            self.optimizers[role].finalize_variable_values(self.parameters(role))
        try:
            yield
        finally:
            for role in averaging:
                for variable, value in zip(self.parameters(role), raw[role], strict=True):
                    variable.assign(value)


def grad_norms(*roles: str) -> list[str]:
    """Returns the names that `minimize_together` gives the norms of nets' gradients."""
    return [f"{role}_grad_norm" for role in roles]


def labels_of(batch: Batch) -> tf.Tensor:
    """Returns the classes of a batch, int32 [b].

    Raises:
        UserError: if the data have none.
    """
    if "label" not in batch:
        raise UserError("dataset: expected labels, which this model learns from, and found none")
    return tf.cast(batch["label"], tf.int32)


def _checked(constructor: Callable) -> Callable:
    """Wraps a constructor so that its hyperparameters are in the ranges that they declare."""
    signature = inspect.signature(constructor)

    @functools.wraps(constructor)
    def construct(self, *args, **kwargs):
        given = signature.bind(self, *args, **kwargs).arguments
        errors.check_parameters(constructor, given)
        constructor(self, *args, **kwargs)

    # Keras reads the names of the parameters off it
    construct.__signature__ = signature  # type: ignore[attr-defined]
    return construct


def _each(
    transform: Transform | None, gradients: list[tf.Tensor], variables: list[keras.Variable]
) -> list[tf.Tensor]:
    if transform is None:
        return gradients
    return [transform(g, v) for g, v in zip(gradients, variables, strict=True)]
