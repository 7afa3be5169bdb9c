"""The library's version: stamped on every measurement and every export."""

__version__ = "0.2.0.dev0"
