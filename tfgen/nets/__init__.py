"""Net families: one file per paper table, a function per role."""
