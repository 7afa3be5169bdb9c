"""The divergence triangle on the embedded digits, judged by the FID of its samples.

The features are those of a classifier of digits.
"""

import dataclasses
from typing import ClassVar

from benchmarks.races.race import Race, Ruler, once
from experiments import tables
from tfgen import random
from tfgen.algorithms.divergence_triangle import ROLES
from tfgen.analysis.features import Features
from tfgen.evaluation.fid import frechet_distance

DATA = tables.DATA["digits"]


@dataclasses.dataclass(frozen=True)
class TriangleDigits(Race):
    """New samples, by the moving average of the generator's weights where there is one."""

    goal: float = 10.0
    milestones: tuple[int, ...] = (1, *range(100, 2001, 100))
    count: int = DATA.generated

    title: ClassVar = "The divergence triangle's digits"
    flagfile: ClassVar = DATA.flagfile
    paper: ClassVar = (
        "--divergence_triangle.variational_weight=0.01",
        "--generator.l2=5e-4",
        "--generator.ema=0",
        *(f"--{role}.decay=0.998" for role in ROLES),
        *(f"--{role}.decay_steps=16" for role in ROLES),
    )
    peer: ClassVar = "torch_triangle_training"
    measure: ClassVar = f"FID of {DATA.generated} samples to the held-out digits"
    source: ClassVar = "generate"
    compared: ClassVar = (
        "kl_q_p",
        "latent_nll",
        "energy_data",
        "energy_samples",
        "energy_grad_norm",
    )

    def own_constants(self, experiment):
        algorithm, model = experiment.algorithm, experiment.algorithm.model
        return {
            "variational": algorithm.variational_weight,
            "adversarial": algorithm.adversarial_weight,
            "sigma": model.sigma,
            "temperature": model.temperature,
            "clip_norm": algorithm.clip_norms["energy"],
            "latents": model.generator.latent_shape[0],
        }

    def draws(self, experiment, seed):
        latent_shape = experiment.algorithm.model.generator.latent_shape
        shape = (experiment.values.batch_size, *latent_shape)
        prior, posterior = random.split(seed)
        draws = {"z": random.normal(shape, prior)}
        for number, noise_seed in enumerate(random.split(posterior)):
            draws[f"noise{number}"] = random.normal(shape, noise_seed)
        return once(draws)

    def ruler(self, experiment, runs) -> Ruler:
        tables.export_classifier(runs, DATA)
        features = Features(str(tables.features_of(runs, DATA)))
        real, _ = features(experiment.images.test.as_float())
        return lambda samples: frechet_distance(real, features(samples)[0])
