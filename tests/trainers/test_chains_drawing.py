"""`--task=chains` draws the chains that training left, each once."""

import types

import numpy as np

from tfgen import random, samplers
from tfgen.models import EnergyModel, Sampling
from tfgen.nets.families import generative_convnet_digits
from trainers.drawings import chains, pictures
from trainers.drawings.request import Request


def test_all_chains_are_drawn():
    net = generative_convnet_digits.energy((8, 8, 1), width=0.1)
    sampling = Sampling(samplers.Langevin(0.1), 3)
    model = EnergyModel(
        net, image_shape=(8, 8, 1), image_mean=[0.0], sigma=1.0, sampling=sampling, num_chains=3
    )
    found = random.uniform([3, 8, 8, 1], random.root(0), -1.0, 1.0)
    model.persistent_chains.state.assign(found)
    sheet = chains.draw(types.SimpleNamespace(model=model), Request())
    np.testing.assert_array_equal(sheet, pictures.sheet(found.numpy()))
