"""Energy landscapes: local minima, the barriers between them, and the tree that these make."""

from tfgen.analysis.landscape.survey import EnergyLandscape, Survey

__all__ = ["EnergyLandscape", "Survey"]
