"""Modules that do the same work in tfgen and in other libraries.

Each module has `entry(words)`, which returns the library's `contender.Entry` for the words after
the module's name; `python -m benchmarks.peers.contenders MODULE ...` serves it. A module of another
library runs in an environment of its own (`make bench-peers`) and imports nothing of tfgen but
`benchmarks.peers`, which needs NumPy alone.
"""
