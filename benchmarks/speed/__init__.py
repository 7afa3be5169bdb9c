"""The cost of tfgen: seconds, operations, memory. Each command writes a table."""
