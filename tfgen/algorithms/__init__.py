"""Algorithms: one file each, whose `update` reads like the paper's pseudo-code.

An algorithm is named after its file; its class is the one subclass of `Algorithm` that the file
defines. The positional parameters of the class are roles, the nets to build. Its keyword-only ones
are hyperparameters.
"""
