"""Exploratory factors: how many there are, and what loads on them."""

from csimodel.measures.factors.exploration import explore_factors
from csimodel.measures.factors.result import FactorExploration

__all__ = ["FactorExploration", "explore_factors"]
