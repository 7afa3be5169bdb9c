"""Generation by back-propagation into the image: how images move under a classifier."""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from tfgen import energies, random
from tfgen.errors import UserError
from tfgen.samplers import Adam, Annealed, Kernel, Langevin, Patchwork, Scheduled, Until
from tfgen.types import EnergyFn, Hole, Image, Seed

OBJECTIVES: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "log_odds": lambda f: -f,
    # what the released code descends: patches that have crossed the boundary pull less
    "cross_entropy": lambda f: tf.nn.softplus(-f),
}
"""What synthesis descends, of log-odds f = ln g: -ln g (equation 11), or -ln q(+1|x)."""

STOPS = {
    "boundary": (0.0, 20),  # section 4.1: the mean over a window crosses the decision boundary
    "margin": (0.1521, 1),  # released code: a cross-entropy of 0.62, ln(1 / (e^0.62 - 1))
    "quantile": (None, 1),  # as likely an image as a quantile of images; Lee et al., WINN, 2018
}
"""When synthesis stops: at which log-odds, averaged over how many steps."""

SCALES = (1, 3, 7, 15, 31)
"""Sides, in pixels, of the squares that smooth noise is averaged over."""


def white_noise(shape, seed: Seed, wrap: tf.Tensor | bool = False) -> Image:
    """Draws white noise of variance 1; all its borders fit together."""
    del wrap
    return random.normal(shape, seed)


def smooth_noise(shape, seed: Seed, wrap: tf.Tensor | bool = False) -> Image:
    """Draws normal noise of several scales, alike at every pixel and of variance 1.

    It is the sum of independent white noises, each averaged over squares of one of `SCALES`, which
    all have the same share of the variance.

    Args:
        shape: [b, h, w, c].
        seed: int32 [2].
        wrap: whether opposite borders fit together; height and width are then at least the largest
            of `SCALES`, or the variance is larger.
    """
    count, height, width, channels = (shape[axis] for axis in range(4))
    total = tf.zeros(shape)
    for number, side in enumerate(SCALES):
        sides = [tf.range(known + side - 1) for known in (height, width)]
        wide = (count, tf.size(sides[0]), tf.size(sides[1]), channels)
        white = random.normal(wide, random.fold_in(seed, number))
        for axis, (at, known) in enumerate(zip(sides, (height, width), strict=True), start=1):
            white = tf.gather(white, tf.where(wrap, at % known, at), axis=axis)
        # a mean of side² standard normals has a standard deviation of 1 / side
        total += side * tf.nn.avg_pool2d(white, side, 1, "VALID")
    return total / len(SCALES) ** 0.5


STARTS: dict[str, Callable[..., Image]] = {"white": white_noise, "smooth": smooth_noise}
"""What synthesis starts from, of variance 1: white noise, or noise of several scales."""

OPTIMIZERS = ("adam", "sgd")

BOUNDS = (-1.0, 1.0)

LogOdds = Callable[[Image], tf.Tensor]
"""A classifier: images [b, h, w, c] to ln q(+1|x) - ln q(-1|x), [b]."""


class Pace(NamedTuple):
    """How the steps of one synthesis shrink: geometrically, then they stay."""

    first: float | tf.Tensor = 1.0
    """Factor on the synthesis's step size at the first step."""
    fall: float | tf.Tensor = 1.0
    """Factor that the steps have fallen by at the last of `num_steps`, positive."""
    num_steps: int | tf.Tensor = 1


CONSTANT = Pace()
"""The steps that a synthesis has of itself."""


@dataclasses.dataclass(frozen=True)
class Synthesis:
    """How images move across a classifier's boundary.

    Args:
        optimizer: adam or sgd.
        step_size: in pixel units; the steps of sgd are step_size times the gradient.
        beta_1: of Adam.
        noise: standard deviation, in pixel units, of noise added to the first step; 0 adds none.
        noise_decay: factor on the noise a step.
        objective: a name of `OBJECTIVES`.
        window: steps over which the mean objective is averaged before it is compared with the
            threshold.
        num_steps: the most steps under one classifier.
        sigma: standard deviation, in pixel units, of the noise that images start from.
        patch_size: side of what the classifier sees of an image; None where it sees the whole.
        patches: seen at a step, of `area` pixels of an image.
        area: see patches.
        origin: a name of `STARTS`.

    Source: INNg, sections 3.2.2, 3.3, 3.5 and 4.1.
    """

    optimizer: str
    step_size: float
    beta_1: float
    noise: float
    noise_decay: float
    objective: str
    window: int
    num_steps: int
    sigma: float
    patch_size: int | None
    patches: int
    area: int
    origin: str = "white"

    def get_config(self) -> dict[str, Any]:
        """Returns the fields by name."""
        return dataclasses.asdict(self)

    def times(self, group: int) -> "Synthesis":
        """Returns the same with as many times the steps."""
        return dataclasses.replace(self, num_steps=group * self.num_steps)

    def start(self, shape, seed: Seed, wrap: tf.Tensor | bool = False) -> Image:
        """Draws from p_0, in [-1, 1]: white noise, or noise of several scales.

        Args:
            shape: [b, h, w, c].
            seed: int32 [2].
            wrap: whether opposite borders fit together.
        """
        return tf.clip_by_value(self.sigma * STARTS[self.origin](shape, seed, wrap), *BOUNDS)

    def descended(self, log_odds: tf.Tensor) -> tf.Tensor:
        """Computes the objective of log-odds."""
        return OBJECTIVES[self.objective](log_odds)

    def across(
        self,
        log_odds: LogOdds,
        threshold: tf.Tensor,
        shape,
        *,
        pace: Pace = CONSTANT,
        per_example: bool = False,
        hole: Hole | None = None,
        wrap: tf.Tensor | bool = False,
    ) -> tuple[Kernel, EnergyFn]:
        """Returns a kernel and an energy that move images across a classifier's boundary.

        Args:
            log_odds: the classifier.
            threshold: log-odds at which the move is over.
            shape: [b, h, w, c] of the images.
            pace: how the steps shrink.
            per_example: whether each image stops on its own, or the batch by its mean.
            hole: if given, known pixels stay as they are.
            wrap: whether patches reach over the border to the other side.
        """
        moving = self._kernel(shape, pace, hole=hole, wrap=wrap)
        kernel = Until(moving, self.descended(threshold), self.window, per_example)

        def energy(x):
            return self.descended(log_odds(x))

        if hole is None or self.patch_size is not None:
            return kernel, energy
        return kernel, energies.clamped(energy, hole.image, hole.mask)

    def near(
        self, log_odds: LogOdds, content: Image, gamma: tf.Tensor, pace: Pace = CONSTANT
    ) -> tuple[Kernel, EnergyFn]:
        """Returns a kernel and an energy that move images to a model's liking, and keep them near.

        Each patch descends gamma |x - content|_2 - (1 - gamma) ln p(x), whatever the objective.

        Args:
            log_odds: ln p up to a constant, the sum of all classifiers' log-odds.
            content: the pictures to stay near to, [b, h, w, c].
            gamma: in [0, 1].
            pace: how the steps shrink.

        Source: INNg, section 4.2.
        """

        # `beside`: where the classifier sees patches, those of the content at the same places
        def energy(x, beside=content):
            return gamma * energies.norm(x - beside) - (1 - gamma) * log_odds(x)

        return self._kernel(tf.shape(content), pace, beside=content), energy

    def _kernel(self, shape, pace: Pace, **seen: Any) -> Kernel:
        """Returns the kernel that moves images of a shape.

        Args:
            shape: [b, h, w, c].
            pace: how the steps shrink.
            seen: what else `Patchwork` takes, where the classifier sees patches.
        """
        kernel: Kernel
        fall = pace.fall
        if self.optimizer == "adam":
            kernel = Adam(self.step_size * pace.first, self.beta_1, bounds=BOUNDS)
        else:
            # gradient descent is Langevin dynamics at T = 0, whose step is ε²/2 times the gradient
            step_size, fall = (2 * self.step_size * pace.first) ** 0.5, fall**0.5
            kernel = Langevin(step_size, temperature=0.0, bounds=BOUNDS)
        if self.noise:
            kernel = Annealed(kernel, self.noise, self.noise_decay, BOUNDS)
        if tf.is_tensor(fall) or fall != 1:
            kernel = Scheduled(kernel, pace.num_steps, fall)
        if self.patch_size is None:
            return kernel
        # as many patches a pixel as in training, whatever the size of the images
        share = tf.cast(shape[1] * shape[2], tf.float32) / self.area
        patches = tf.cast(tf.math.ceil(self.patches * share), tf.int32)
        return Patchwork(kernel, self.patch_size, patches, **seen)


def canvas_shape(
    image_shape: tuple[int, int, int], side: int, padding: int
) -> tuple[int, int, int]:
    """Returns height, width, channels of the images that training synthesizes, border included.

    Args:
        image_shape: height, width, channels of what the classifier sees.
        side: of the square canvas; 0 takes the image's own size.
        padding: pixels around the canvas.

    Raises:
        UserError: if images are not square, or the sizes do not fit.
    """
    height, width, channels = image_shape
    if height != width:
        raise UserError(f"image_size: expected square images and found {height}x{width}")
    if side and side + 2 * padding < height:
        least = height - 2 * padding
        raise UserError(
            f"canvas: expected at least {least} pixels for patches of {height}, and found {side}"
        )
    if padding and not side:
        raise UserError(
            "padding: expected 0 without a canvas, since the classifier sees whole images"
        )
    side = side + 2 * padding if side else height
    return side, side, channels
