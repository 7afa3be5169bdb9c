"""How new clips move and look, beside held-out time of the same film and three controls."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

import numpy as np

from tfgen import random
from tfgen.analysis import dynamics, linear_dynamics
from tfgen.errors import AtLeastOne, NotNegative, UserError
from tfgen.evaluation.base import LOWER, NEITHER, Evaluator

MOST_CLIPS = 64
"""Clips of a split that are compared, spread evenly over it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Dynamics(Evaluator):
    """Motion, spectra in time and space, and moments of new clips against held-out clips.

    Yields for the samples and each control the distances of `tfgen.analysis.dynamics`, and their
    `novelty`: how far they are from the nearest training clip. Controls:

    `linear_system`: clips of a linear dynamic system that is fitted to the training clips.
    `training`: the training clips themselves; a copy has no novelty.
    `shuffled`: training clips whose frames are in random order. They look right and flicker.

    Args:
        num_samples: number of new clips.
        num_steps: sampling steps of new clips; None takes the model's own number.
        states: numbers in a state of the linear system.
    """

    needs: ClassVar = frozenset({"generate"})
    better: ClassVar[Mapping[str, str]] = {
        "samples_motion": NEITHER,
        "samples_novelty": NEITHER,
        "samples*": LOWER,
        "*": NEITHER,
    }

    num_samples: Annotated[int, AtLeastOne] = 16
    num_steps: Annotated[int | None, NotNegative] = None
    states: Annotated[int, AtLeastOne] = 20

    def check(self) -> None:
        super().check()
        if len(self.model.image_shape) != 4 or self.model.image_shape[0] < 3:
            raise UserError(
                f"{self.name()}: expected a model of clips of at least 3 frames and found one of "
                f"{'x'.join(map(str, self.model.image_shape))}"
            )

    def run(self) -> Iterator[tuple[str, float]]:
        train = some(self.images.train.shown())
        wanted = dynamics.statistics(some(self.images.test.shown()))
        for name, clips in self.clips(train).items():
            found = dynamics.distances(dynamics.statistics(clips), wanted)
            for value, number in found.items():
                yield f"{name}_{value}", number
            yield f"{name}_novelty", dynamics.novelty(clips, train)

    def clips(self, train: np.ndarray) -> dict[str, np.ndarray]:
        """Returns the samples and the controls, float32 [n, t, h, w, c] in [-1, 1], by name.

        Args:
            train: training clips.
        """
        rng = np.random.default_rng(self.seed)
        system = linear_dynamics.fitted(train, self.states)
        return {
            "samples": self.samples(),
            "linear_system": system.sample(self.num_samples, train.shape[1], self.seed),
            "training": train,
            "shuffled": _shuffled(train, rng),
        }

    def samples(self) -> np.ndarray:
        """Returns new clips of the model, [n, t, h, w, c] in [-1, 1]."""
        ask = self.model.endpoint("generate").traced()
        given: dict[str, Any] = {"count": self.num_samples, "num_steps": self.num_steps}
        return ask(**given, seed=random.root(self.seed))["image"].numpy()

    def protocol(self) -> dict[str, Any]:
        return super().protocol() | {"num_steps": self.steps_of("generate", self.num_steps)}


def some(clips: np.ndarray) -> np.ndarray:
    """Returns clips spread evenly over all, `MOST_CLIPS` at most."""
    return clips[np.linspace(0, len(clips) - 1, min(len(clips), MOST_CLIPS)).round().astype(int)]


def _shuffled(clips: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Returns clips with the frames of each in random order."""
    return np.stack([clip[rng.permutation(len(clip))] for clip in clips])
