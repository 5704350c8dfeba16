"""Constructs, items and paths: what is estimated, before any data.

Orientation, once for the whole package: ``paths[target, source]``,
``loadings[item, construct]``, ``weights[item, construct]``.
"""

from csimodel.model import catalogue
from csimodel.model.constructs import Construct, Path, composite, reflective
from csimodel.model.model import Model

__all__ = ["Construct", "Model", "Path", "catalogue", "composite", "reflective"]
