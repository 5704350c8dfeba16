"""Customer satisfaction index models: estimate, score, infer, and value in repurchase."""

from csimodel.estimators import PLS, Fit, GroupFits, fit, fit_groups
from csimodel.index import importance_performance, index_scores, respondent_index
from csimodel.inference import Bootstrap, Jackknife, bootstrap, jackknife
from csimodel.model import Construct, Model, Path, catalogue as models, composite, reflective
from csimodel.moments import Moments
from csimodel.survey import ConstructMinimum, Survey, load_acsi2015, load_mobi, read_survey

__version__ = "0.1.0"
