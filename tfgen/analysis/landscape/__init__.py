"""An energy's landscape: local minima, the barriers between them, the tree that these make."""

from tfgen.analysis.landscape.survey import Landscape, Survey

__all__ = ["Landscape", "Survey"]
