"""Tools of measurements: energy landscapes, annealed importance sampling, features, minibatches."""
