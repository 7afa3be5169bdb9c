"""What a user would pick instead of tfgen: the same work in other libraries, a process each.

The processes run in an environment of their own (`make bench-peers`) and import nothing of tfgen but
`benchmarks.peers`, which needs NumPy alone.
"""
