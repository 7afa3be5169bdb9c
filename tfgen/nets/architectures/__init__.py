"""Net classes that the families build, and the tables they are built from."""
