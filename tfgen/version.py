"""The library's version: stamped on every measurement and every export."""

__version__ = "0.1.0"
