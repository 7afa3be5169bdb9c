"""Growth of nets, layer by layer or level by level, while they are trained."""

from collections.abc import Callable, Sequence

import keras

from tfgen.errors import UserError
from tfgen.training.algorithm import Algorithm


class Growth(keras.callbacks.Callback):
    """Adds a layer, or a level, to nets every so many updates.

    Depth and share of the newest level are functions of the step, so that a resumed run stands
    where it stood.

    Args:
        algorithm: whose nets grow.
        roles: of the nets, all of one `max_depth`.
        every: updates between two layers, at least 1.
        fading: share of these updates in which a net's newest level goes from 0 to 1, in [0, 1]; of
            nets whose levels fade in.
        then: called after each new layer.

    Raises:
        UserError: if a net cannot grow, or nets grow to different depths.

    Source: A Theory of Generative ConvNet, Algorithm 1; Karras et al., Progressive growing of GANs,
        2018.
    """

    def __init__(
        self,
        algorithm: Algorithm,
        roles: Sequence[str],
        every: int,
        *,
        fading: float = 0.0,
        then: Callable[[], None] | None = None,
    ):
        super().__init__()
        self.algorithm = algorithm
        self.nets = [algorithm.nets[role] for role in roles]
        self.every = every
        self.fading = fading
        self.then = then
        depths = {net.max_depth for net in self.nets}
        if len(depths) > 1 or 1 in depths:
            raise UserError(
                "nets: expected nets that grow together, and found nets of "
                f"{' and '.join(map(str, sorted(depths)))} levels"
            )
        (self.max_depth,) = depths

    def depth_at(self, step: int) -> int:
        """Returns the layers in use at an update."""
        return min(step // self.every + 1, self.max_depth)

    def fade_at(self, step: int) -> float:
        """Returns the share of the newest level at an update, in [0, 1]."""
        depth = self.depth_at(step)
        since = step - (depth - 1) * self.every
        if depth == 1 or since >= self.fading * self.every:
            return 1.0
        # not zero: the newest level's weights must have a gradient
        return (since + 1) / (self.fading * self.every + 1)

    @property
    def last(self) -> int:
        """The update at which the newest layer came.

        It follows from the step: a run that goes on gives its nets their depth when it trains.
        """
        return (self.depth_at(self.algorithm.num_updates) - 1) * self.every

    @property
    def block_pixels(self) -> int:
        """The pixels of an image of which a net of levels sees one mean at its present depth.

        A gradient by the smaller image has so many times the squared length of that by the image.
        """
        return 4 ** (self.max_depth - self.nets[0].depth)

    def on_train_begin(self, logs=None):
        # a resumed run derives its depth from the step, and begins anywhere
        step = self.algorithm.num_updates
        self._grow(step)
        self._fade(step)

    def on_train_batch_begin(self, batch, logs=None):
        step = self.algorithm.num_updates
        grows = self.depth_at(step) != self.nets[0].depth
        if grows:
            self._grow(step)
        # a run that is resumed at this very update has its depth already
        begins = step > 0 and self.depth_at(step - 1) < self.depth_at(step)
        if self.then is not None and (grows or begins):
            self.then()
        self._fade(step)

    def _grow(self, step: int) -> None:
        """Gives the nets the depth that they have at an update."""
        for net in self.nets:
            net.depth = self.depth_at(step)
        # the graph traced before has the old depth
        self.algorithm.make_train_function(force=True)

    def _fade(self, step: int) -> None:
        """Gives the nets' newest level the share that it has at an update."""
        for net in self.nets:
            if net.fade is not None:
                net.fade.assign(self.fade_at(step))
