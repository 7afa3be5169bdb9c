"""Measurements: one file each, with an `Evaluator` whose `run` yields names and values.

A measurement's name is its file's. The keyword-only fields of its class are its protocol, which is
written beside every value.
"""
