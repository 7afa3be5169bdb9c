"""Images from every source, in [-1, 1], in an order that depends on the seed and the step alone."""
