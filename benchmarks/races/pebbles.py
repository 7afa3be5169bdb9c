"""An introspective network on pebbles: new samples through all classifiers so far, and how near their patches are."""

import dataclasses
from typing import ClassVar

import tensorflow as tf

from benchmarks.races.race import Race, Ruler, once
from experiments import textures
from tfgen.algorithms.introspective import STOPS
from tfgen.models.synthesis import OBJECTIVES


@dataclasses.dataclass(frozen=True)
class IntrospectivePebbles(Race):
    """New samples, from noise."""

    goal: float = 142.0
    milestones: tuple[int, ...] = (1, *range(120, 1201, 120))
    window: int = 2
    count: int = textures.NUM_SAMPLES

    title: ClassVar = "Introspective pebbles"
    flagfile: ClassVar = "introspective_pebbles_cpu"
    paper: ClassVar = (
        "--batch_size=50",
        "--steps=54000",
        "--introspective.stages=60",
        "--introspective.stage_updates=900",
        "--introspective.stop_loss=0.005",
        "--introspective.memory=60",
        "--introspective.step_size=0.01",
        "--introspective.step_decay=1",
        "--introspective.synthesis_steps=500",
    )
    peer: ClassVar = "torch_introspective_training"
    measure: ClassVar = (
        f"sliced Wasserstein distance of {textures.NUM_SAMPLES} new samples to the picture, x 1000"
    )
    source: ClassVar = "generate"
    compared: ClassVar = ("cross_entropy", "discriminator_grad_norm")

    def net_name(self, role):
        return "classifier"

    def own_constants(self, experiment):
        algorithm = experiment.algorithm
        margin, _ = STOPS["margin"]
        threshold = float(OBJECTIVES[algorithm.synthesis.objective](tf.constant(margin)))
        sizes = {"seen": algorithm.image_shape[0], "area": algorithm.synthesis.area}
        return sizes | {"threshold": threshold, "decay": algorithm.decay}

    def draws(self, experiment, seed):
        algorithm, batch = experiment.algorithm, experiment.values.batch_size
        negatives = algorithm.negatives.draw(
            batch, algorithm.stage.value, algorithm.image_shape[0], seed
        )
        return once({"start": algorithm.start.numpy(), "negatives": negatives})

    def ruler(self, experiment, runs) -> Ruler:
        del runs
        picture = experiment.images.train.whole()
        return lambda samples: textures.distance(picture, samples)
