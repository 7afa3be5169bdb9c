"""Energy landscapes: local minima, the barriers between them, and the tree that these make."""

from tfgen.analysis.landscape.survey import EnergyLandscape, Survey

# the former name, until its users know the new one
Landscape = EnergyLandscape

__all__ = ["EnergyLandscape", "Landscape", "Survey"]
