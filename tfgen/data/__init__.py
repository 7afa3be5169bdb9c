"""Data sets: sources of images, preparation, masks of missing pixels, batches."""

from tfgen.data.examples import Examples, Images
from tfgen.data.examples import load as load_images
from tfgen.data.masks import mask

__all__ = ["Examples", "Images", "load_images", "mask"]
