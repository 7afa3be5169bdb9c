"""What a user would pick instead of tfgen: the same work in other libraries, a process each.

A module for each library and work has `entry(words)`, which says what the library enters, given the words after the
module's name; `python -m benchmarks.peers` serves it. The processes run in an environment of their own (`make
bench-peers`) and import nothing of tfgen but `benchmarks.peers`, which needs NumPy alone.
"""
