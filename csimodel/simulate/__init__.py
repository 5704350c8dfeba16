"""Surveys with a known truth: populations, samples, and how often a study finds what is there.

Examples
--------
>>> import csimodel as csi
>>> model = csi.Model.from_syntax('''
...     Quality =~ q1 + q2 + q3
...     Satisfaction =~ s1 + s2 + s3
...     Loyalty =~ l1 + l2
...     Satisfaction ~ Quality
...     Loyalty ~ Satisfaction
... ''')
>>> truth = csi.simulate.population(
...     model,
...     paths={"Satisfaction ~ Quality": 0.6, "Loyalty ~ Satisfaction": 0.5},
...     loadings={"Quality": 0.8, "Satisfaction": [0.9, 0.85, 0.8], "Loyalty": 0.75},
...     scale=(1, 10),
...     mean=7.5,
...     sd=2.0,
...     outcome=csi.simulate.Outcome(slope=0.0058),
... )
>>> float(truth.total_effects.loc["Loyalty", "Quality"])
0.3
>>> survey = truth.survey(400, rng=1)
>>> csi.fit(model, survey, csi.ML())
<Fit of 3 constructs by ML: 400 rows, converged>
>>> study = csi.simulate.power(truth, n=[100, 400], estimator=csi.ML(), draws=200)
>>> bool(study.table.loc[(400, "Loyalty", "Satisfaction"), "power"] > 0.99)
True
"""

from csimodel.simulate.parameters import population
from csimodel.simulate.population import Population
from csimodel.simulate.power import Power, power
from csimodel.simulate.programme import SimulatedProgramme, programme
from csimodel.simulate.replicate import Replications, replicate
from csimodel.simulate.shapes import HeavyTailed, Normal, Skewed
from csimodel.simulate.survey_design import Firms, Missing, Outcome

__all__ = [
    "Firms",
    "HeavyTailed",
    "Missing",
    "Normal",
    "Outcome",
    "Population",
    "Power",
    "Replications",
    "SimulatedProgramme",
    "Skewed",
    "population",
    "power",
    "programme",
    "replicate",
]
