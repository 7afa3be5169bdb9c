"""What a training run consists of: flags, data, checkpoints, metrics, callbacks."""
