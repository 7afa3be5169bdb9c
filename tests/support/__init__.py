"""What tests share: registries, small models, runs, and programs that they start."""
