"""The base of every algorithm: one training step, its randomness, its logs, its optimizers."""

import abc
import functools
import inspect
import math
import pathlib
from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from tfgen import errors, microbatches, random
from tfgen.errors import UserError
from tfgen.models import Model
from tfgen.training import batches, replicas
from tfgen.training.optimized import Optimized
from tfgen.types import Batch, Image, Seed

RETRY = -3
"""What a run's root is folded with after a guard's roll-back, before the number of it."""

LEARNED = 0.01
"""Cross-entropy, in nats, below which a classifier has nothing left to learn."""


class Algorithm(Optimized, abc.ABC):
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
        retries: how often a guard has rolled the run back; the noise is of this try.
        step_factor: on the step size of the sampler in `update`, which a guard lowers.
        has_sampler: whether `update` samples by steps that `step_factor` shortens.
    """

    has_sampler = False

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        if "__init__" in vars(cls):
            cls.__init__ = _checked(cls.__init__)

    def __init__(self, model: Model, *, logged: Sequence[str], seed: int):
        super().__init__(model.nets)
        self.model = model
        self.seed = seed
        self.retries = 0
        self.step_factor = 1.0
        self.means = {name: replicas.Mean(name=name) for name in logged}
        self.step = self.add_weight(
            shape=(),
            dtype="int64",
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
            name="step",
        )
        self.built = True

    @property
    def num_updates(self) -> int:
        """Counts the updates that have been made."""
        return int(tf.convert_to_tensor(self.step.value).numpy())

    @property
    def finished(self) -> bool:
        """Tells whether the algorithm has come to its own end, such as its last stage."""
        return False

    @property
    def last_growth(self) -> int:
        """The update at which a net last grew or a stage last began; 0 unless there are such.

        Numbers that were logged before and after it cannot be compared.
        """
        return 0

    @property
    def growable(self) -> list[keras.Variable]:
        """Variables with a row for each stage, of which a run that goes on may have another number.

        What a checkpoint holds fills their first rows.
        """
        return []

    def check_restored(self) -> None:
        """Raises UserError if the state that was just restored is past the algorithm's end."""

    def has_learned(self, logged: Mapping[str, float]) -> bool:
        """Returns whether a vanishing gradient is no collapse, since nothing is left to learn.

        Args:
            logged: means over a logging interval.
        """
        return logged.get("cross_entropy", math.inf) < LEARNED

    @property
    def root(self) -> Seed:
        """The seed that all others of training are folded from, int32 [2]."""
        root = random.root(self.seed)
        if not self.retries:
            return root
        return random.fold_in(random.fold_in(root, RETRY), self.retries)

    def retry(self, retries: int, step_factor: float) -> None:
        """Sets which try the next `fit` is, and shortens the steps of the sampler.

        Args:
            retries: how often a guard has rolled the run back.
            step_factor: on the step size of the sampler in `update`, in (0, 1].
        """
        if (retries, step_factor) == (self.retries, self.step_factor):
            return
        self.retries, self.step_factor = retries, step_factor
        self.train_function = None  # it was traced with the values before

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
        # a user who gives such a callback replaces the algorithm's own
        own = [c for c in self.callbacks() if type(c) not in {type(other) for other in given}]
        # batches come in an order of their own
        options = {"shuffle": False, **options}
        return super().fit(x, callbacks=[*own, *given], **options)

    def train_step(self, batch: Batch) -> dict[str, tf.Tensor]:
        """Makes an update with seeds of its own and keeps its numbers; `fit` calls it."""
        # without state: a resumed run draws what the uninterrupted one would have drawn
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        step = tf.convert_to_tensor(self.step.value)
        cut = batches.parts(batches.as_batch(batch), self.accumulate)
        with random.compiled(self.jit_compile):
            seed = random.fold_in(self.root, step)
            # a micro-batch draws what it would draw as the batch of a replica of its own
            first = replica * self.accumulate
            parts = [(part, random.fold_in(seed, first + n)) for n, part in enumerate(cut)]
            logged = microbatches.run(self.update, parts)
        # one exchange for all: each replica's numbers are of its share of the batch
        means = dict(zip(logged, replicas.mean(list(logged.values())), strict=True))
        for name, value in means.items():
            self.means[name].update_state(value)
        self.step.assign_add(1)
        return self.get_metrics_result()

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The means over the present logging interval."""
        return list(self.means.values())

    def save_model(self, path: pathlib.Path) -> None:
        """Writes the model, with averaged weights where an optimizer keeps them.

        Args:
            path: the model's directory.
        """
        # the model's own record is brought up to date only here, where it is written
        self.model.updates = self.num_updates
        with self.averaged_weights():
            self.model.save(path)


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
