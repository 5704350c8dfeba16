"""Constructs, items and paths: what is estimated, before any data.

Orientation, once for the whole package: ``paths[target, source]``,
``loadings[item, construct]``, ``weights[item, construct]``.
"""

from csimodel.model import catalogue
from csimodel.model.model import Construct, Model, Path, composite, reflective

__all__ = ["Construct", "Model", "Path", "catalogue", "composite", "reflective"]
