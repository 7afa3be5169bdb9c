"""Comparisons of tfgen with the libraries that a user would pick instead."""
