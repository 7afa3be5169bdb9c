"""The generative ConvNet on a brick wall, judged by its persistent chains' patches."""

import dataclasses
from typing import ClassVar

import numpy as np
import tensorflow as tf

from benchmarks.races.race import Race, Ruler, once
from experiments import textures
from tfgen import random


@dataclasses.dataclass(frozen=True)
class ConvNetBrick(Race):
    """Chains as evaluation shows them: denoised, without their margin."""

    goal: float = 128.0
    milestones: tuple[int, ...] = (1, *range(20, 401, 20))
    window: int = 3

    title: ClassVar = "The generative ConvNet's brick"
    flagfile: ClassVar = "generative_convnet_brick_cpu"
    paper: ClassVar = (
        "--steps=2100",
        "--energy.activation=relu",
        "--energy.optimizer=sgd",
        "--energy.learning_rate=5e-4",
        "--energy.decay=0.5",
        "--energy.decay_steps=700",
        "--energy.constant_fraction=1",
        "--generative_convnet.sigma=0.00784313725490196",
        "--generative_convnet.step_size=0.002352941176470588",
        "--generative_convnet.layer_iterations=700",
        "--generative_convnet.map_area_normalization",
        "--generative_convnet.max_gradient=20",
        "--generative_convnet.weight_decay=1e-4",
        "--generative_convnet.bias_rate=2",
        "--generative_convnet.clamp=false",
        "--generative_convnet.data_noise=0",
        "--generative_convnet.rejuvenation=0",
        "--generative_convnet.denoising_steps=0",
    )
    peer: ClassVar = "torch_convnet_training"
    measure: ClassVar = "sliced Wasserstein distance of the chains to the training picture, x 1000"
    source: ClassVar = "chains"
    compared: ClassVar = ("energy_data", "energy_samples", "weight_grad_norm")

    def own_constants(self, experiment):
        return {"image_mean": experiment.data["image_mean"]}

    def draws(self, experiment, seed):
        algorithm, model = experiment.algorithm, experiment.algorithm.model
        data_seed, start_seed, langevin_seed = random.split(seed, 3)
        observed = (experiment.values.batch_size, *model.image_shape)
        x = model.persistent_chains.take()
        which, noise = random.split(start_seed)
        anew = random.uniform((len(x), 1, 1, 1), which) < algorithm.rejuvenation
        white = model.image_mean + model.sigma * random.normal(tf.shape(x), noise)
        langevin = []
        for step in range(algorithm.langevin_steps):
            langevin.append(random.normal(x.shape, random.fold_in(langevin_seed, step)).numpy())
        rows = once(
            {"data_noise": random.normal(observed, data_seed), "chains": tf.where(anew, white, x)}
        )
        return rows | {"langevin": np.stack(langevin)}

    def ruler(self, experiment, runs) -> Ruler:
        del runs
        picture = experiment.images.train.as_float()
        return lambda samples: textures.distance(picture, samples)
