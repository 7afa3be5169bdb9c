"""What tfgen costs: seconds, operations and memory, each command a table of benchmarks/results.md."""
