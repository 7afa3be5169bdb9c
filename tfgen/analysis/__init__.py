"""What measurements compute with: energy landscapes, annealed importance sampling, features, minibatched maps."""
