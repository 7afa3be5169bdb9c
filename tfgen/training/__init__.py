"""What every algorithm trains with: the training step, chains, replay buffers, stages."""
