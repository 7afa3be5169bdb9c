"""LiteRT files for devices."""
