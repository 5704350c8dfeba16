"""Constructs, items and paths: what is estimated, before any data.

Orientation, once for the whole package: ``paths[target, source]``,
``loadings[item, construct]``, ``weights[item, construct]``.
"""

from csimodel.model import catalogue
from csimodel.model.constructs import Construct, Path, composite, reflective
from csimodel.model.definitions import Definition
from csimodel.model.model import Model
from csimodel.model.parameters import Parameter

__all__ = [
    "Construct",
    "Definition",
    "Model",
    "Parameter",
    "Path",
    "catalogue",
    "composite",
    "reflective",
]
