"""The optimizers of several nets, and how these follow their gradients."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from tfgen import microbatches
from tfgen.errors import UserError
from tfgen.training import replicas
from tfgen.training.schedules import PerUpdate

Transform = Callable[[tf.Tensor, keras.Variable], tf.Tensor]
"""Changes one variable's gradient, given the variable."""


class Optimized(keras.Model):
    """Nets by role, each with an optimizer of its own.

    A subclass counts its updates in a weight `step`.

    Args:
        nets: by role.

    Attributes:
        nets: the nets that optimizers train, by role.
        step: updates made, int64.
        optimizers: by role, once compiled.
    """

    step: keras.Variable
    train_function: Any
    steps_per_execution: int

    def __init__(self, nets: Mapping[str, keras.Model]):
        super().__init__()
        self.nets = dict(nets)
        self.optimizers: dict[str, keras.optimizers.Optimizer] = {}
        self.transforms: dict[str, Transform] = {}
        self.clip_norms: dict[str, float] = {}
        self.accumulate = 1

    def compile(
        self,
        optimizers: Mapping[str, str | keras.optimizers.Optimizer],
        *,
        clip_norms: Mapping[str, float] | None = None,
        transforms: Mapping[str, Transform] | None = None,
        jit_compile: bool = False,
        steps_per_execution: int = 1,
        accumulate: int = 1,
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
            steps_per_execution: updates that one call of the graph makes, at least 1; `fit` makes
                a multiple of them.
            accumulate: micro-batches that an update takes its batch in, one after the other, at
                least 1; a replica's examples are a multiple of them. See `microbatches`.

        Raises:
            ValueError: if the roles are not the algorithm's, or two share an optimizer.
            UserError: if micro-batches of several replicas would share batch statistics.

        Example:
            >>> algorithm.compile({"generator": "adam", "inference": keras.optimizers.Adam(1e-3)})
        """
        # without optimizer=None Keras makes an RMSprop
        super().compile(
            optimizer=None, jit_compile=jit_compile, steps_per_execution=steps_per_execution
        )
        self._check_roles("optimizers", optimizers, every=True)
        self._check_roles("clip_norms", clip_norms or {})
        self._check_roles("transforms", transforms or {})
        self._check_state(accumulate)
        self.accumulate = accumulate
        made = {role: keras.optimizers.get(given) for role, given in optimizers.items()}
        if len({id(optimizer) for optimizer in made.values()}) < len(made):
            raise ValueError("Expected an optimizer of its own for each role. Received: one twice")
        self.optimizers = made
        self.clip_norms = dict(clip_norms or {})
        self.transforms = dict(transforms or {})
        for role, optimizer in made.items():
            PerUpdate.count_updates(optimizer, self.step)
            # now, in the strategy's scope: variables cannot be made inside of a training step
            optimizer.build(self.parameters(role))

    def execute_together(self, steps_per_execution: int) -> None:
        """Sets how many updates a call of the graph makes from the next `fit` on; see `compile`."""
        if steps_per_execution != self.steps_per_execution:
            self.steps_per_execution = steps_per_execution
            self.train_function = None  # it was traced with the number before

    def make_train_function(self, force: bool = False) -> None:
        """Makes what `fit` calls for each batch; see Keras."""
        if not replicas.has_workers(self.distribute_strategy):
            super().make_train_function(force)
        elif force or self.train_function is None:
            self.train_function = replicas.train_function(
                self.distribute_strategy,
                self.train_step,
                self.steps_per_execution,
                self.jit_compile,
            )

    def _maybe_symbolic_build(self, iterator=None, data_batch=None) -> None:
        """Builds nothing, since all nets are built, where Keras would average a batch of workers.

        Its reduction takes no batch by name, and no images of different workers.
        """
        if not replicas.has_workers(self.distribute_strategy):
            super()._maybe_symbolic_build(iterator=iterator, data_batch=data_batch)

    def _check_roles(self, name: str, given: Mapping[str, Any], every: bool = False) -> None:
        unknown, missing = given.keys() - self.nets.keys(), self.nets.keys() - given.keys()
        if unknown or (every and missing):
            raise ValueError(
                f"Expected {name} for the roles {', '.join(self.nets)}. "
                f"Received: {', '.join(given) or 'none'}"
            )

    def _check_state(self, accumulate: int) -> None:
        if accumulate == 1 or replicas.count() == 1:
            return
        # TensorFlow lets no thread but a replica's own exchange them, or assign to them
        for role, net in self.nets.items():
            # growth alone assigns to the share of a level, between updates
            if any(variable is not net.fade for variable in net.non_trainable_variables):
                raise UserError(
                    f"accumulate: expected 1 on {replicas.count()} replicas, since the net {role} "
                    f"has batch statistics or spectral norms, and found {accumulate}"
                )

    def parameters(self, role: str) -> list[keras.Variable]:
        """Returns what a role's optimizer trains: its net's weights."""
        return self.nets[role].trainable_variables

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
        # all gradients before any step, so that no net meets another one as just updated
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
        # averaged before it is clipped, by the norm of the whole minibatch's gradient
        raw = replicas.mean(raw)
        microbatches.once(lambda: self._step(role, raw, variables, transform))
        return raw

    def _step(
        self,
        role: str,
        gradients: list[tf.Tensor],
        variables: list[keras.Variable],
        transform: Transform | None,
    ) -> None:
        """Makes one optimizer step against gradients that are alike on all replicas."""
        changed = _each(transform, gradients, variables)
        if self.clip_norms.get(role):
            changed, _ = tf.clip_by_global_norm(changed, self.clip_norms[role])
        changed = _each(self.transforms.get(role), changed, variables)
        # the optimizer sums over the replicas, all of which hold the mean already
        self.optimizers[role].apply([g / replicas.count() for g in changed], variables)

    def clip_weights(self, role: str, bound: float) -> None:
        """Clips all weights of a net to [-bound, bound], on every replica.

        Args:
            role: whose net.
            bound: positive.
        """

        def clip(weight: tf.Variable) -> None:
            weight.assign(tf.clip_by_value(weight, -bound, bound))

        def clip_each(strategy: tf.distribute.Strategy) -> None:
            for variable in self.parameters(role):
                strategy.extended.update(variable.value, clip, group=False)

        # a mirrored variable can be assigned to outside of replicas only
        microbatches.once(lambda: tf.distribute.get_replica_context().merge_call(clip_each))

    @contextlib.contextmanager
    def averaged_weights(self) -> Iterator[None]:
        """Within the block, weights are their moving averages where an optimizer keeps them.

        Also while a graph is traced: what is done in the block sees the averages there.
        """
        averaging = [role for role, optimizer in self.optimizers.items() if optimizer.use_ema]
        raw = {role: [tf.identity(v.value) for v in self.parameters(role)] for role in averaging}
        # Keras only offers to overwrite the weights by their averages, hence the copies
        for role in averaging:
            self._take_averages(role)
        try:
            yield
        finally:
            for role in averaging:
                for variable, value in zip(self.parameters(role), raw[role], strict=True):
                    variable.assign(value)

    def _take_averages(self, role: str) -> None:
        """Overwrites a net's weights by their moving averages, on every replica."""

        def overwrite(*_):
            self.optimizers[role].finalize_variable_values(self.parameters(role))

        replica = tf.distribute.get_replica_context()
        # Keras does it outside of replicas only
        overwrite() if replica is None else replica.merge_call(overwrite)


def _each(
    transform: Transform | None, gradients: list[tf.Tensor], variables: list[keras.Variable]
) -> list[tf.Tensor]:
    if transform is None:
        return gradients
    return [transform(g, v) for g, v in zip(gradients, variables, strict=True)]
