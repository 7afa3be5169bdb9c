"""Data sets: sources of images, preparation, masks of missing pixels, batches."""
