"""Net families, one file per paper table: all that --nets can name."""
