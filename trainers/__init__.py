"""Commands that train, sample and evaluate: everything with flags and files."""
