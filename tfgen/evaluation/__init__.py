"""Measurements: one file each, an `Evaluator` whose `run` yields names and values.

A measurement's name is its file's. The keyword-only parameters of its class are its protocol, written
beside every value.
"""
