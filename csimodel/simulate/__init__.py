"""Surveys with a known truth: populations, samples, and how often a study finds what is there."""

from csimodel.simulate.population import population
from csimodel.simulate.power import Power, power
from csimodel.simulate.replicate import Replications, replicate
from csimodel.simulate.shapes import HeavyTailed, Normal, Skewed
from csimodel.simulate.survey_design import Firms, Missing, Outcome
from csimodel.simulate.truth import Truth

__all__ = [
    "Firms",
    "HeavyTailed",
    "Missing",
    "Normal",
    "Outcome",
    "Power",
    "Replications",
    "Skewed",
    "Truth",
    "population",
    "power",
    "replicate",
]
