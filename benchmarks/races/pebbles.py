"""An introspective network on pebbles, judged by the patches of new samples."""

import dataclasses
from typing import ClassVar

import tensorflow as tf

from benchmarks.races.race import Race, Ruler, once
from experiments import textures
from tfgen.models.synthesis import STOPS


@dataclasses.dataclass(frozen=True)
class IntrospectivePebbles(Race):
    """New samples, which go from noise through all classifiers so far."""

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
        model = experiment.algorithm.model
        # PyTorch compares the objective itself, not log-odds
        log_odds, _ = STOPS["margin"]
        return {
            "seen": model.image_shape[0],
            "area": model.synthesis.area,
            "threshold": float(model.synthesis.descended(tf.constant(log_odds))),
            "decay": model.decay,
        }

    def draws(self, experiment, seed):
        algorithm, count = experiment.algorithm, experiment.values.batch_size
        size = algorithm.model.image_shape[0]
        negatives = algorithm.negatives.draw(count, algorithm.stage.value, size, seed)
        return once({"start": algorithm.start.numpy(), "negatives": negatives})

    def ruler(self, experiment, runs) -> Ruler:
        del runs
        picture = experiment.images.train.as_float()
        return lambda samples: textures.distance(picture, samples)
