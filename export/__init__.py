"""Trained models, out of the library: SavedModel for serving, LiteRT for devices."""
