"""Algorithms: one file each, whose `update` reads like the paper's pseudo-code.

An algorithm's name is its file's; its class is the one subclass of `Algorithm` that the file defines. The
class's positional parameters are roles, nets to build; its keyword-only ones are hyperparameters.
"""
