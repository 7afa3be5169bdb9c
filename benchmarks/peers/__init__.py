"""Comparisons of tfgen with the libraries that a user would pick instead, each in a process of its own."""
