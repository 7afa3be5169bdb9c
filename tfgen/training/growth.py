"""Growth of a net layer by layer while it is trained."""

from collections.abc import Callable

import keras

from tfgen.training.algorithm import Algorithm


class LayerGrowth(keras.callbacks.Callback):
    """Adds a layer of a net every so many updates.

    The depth is a function of the step, so that a resumed run stands where it stood.

    Args:
        algorithm: whose net grows.
        role: of the net, which has a `depth` and a `max_depth`.
        every: updates between two layers, at least 1.
        then: called after each new layer.

    Source: A Theory of Generative ConvNet, Algorithm 1.
    """

    def __init__(self, algorithm: Algorithm, role: str, every: int, then: Callable[[], None]):
        super().__init__()
        self.algorithm = algorithm
        self.net = algorithm.nets[role]
        self.every = every
        self.then = then

    def on_train_begin(self, logs=None):
        # a resumed run derives its depth from the step, and begins anywhere
        self.grow(self.algorithm.num_updates)

    def on_train_batch_begin(self, batch, logs=None):
        step = self.algorithm.num_updates
        if step % self.every == 0 and 0 < step < self.net.max_depth * self.every:
            self.grow(step)
            self.then()

    def grow(self, step: int) -> None:
        """Gives the net the depth that it has at an update."""
        self.net.depth = min(step // self.every + 1, self.net.max_depth)
        # the graph traced before has the old depth
        self.algorithm.make_train_function(force=True)
