"""Figures of results; they draw what other modules computed and compute nothing.

Every function returns a `matplotlib.figure.Figure` made without ``pyplot``: nothing stays
open, no global setting changes, a notebook shows it, and ``figure.savefig(…)`` writes it.
"""

from __future__ import annotations

from csimodel.plots import fonts
from csimodel.plots.calibration import calibration
from csimodel.plots.charts import index_bars, intervals
from csimodel.plots.comparison import compare
from csimodel.plots.contributions import contributions
from csimodel.plots.curve import repurchase_curve
from csimodel.plots.curves import repurchase_curves
from csimodel.plots.diagram import path_diagram
from csimodel.plots.dot import to_dot
from csimodel.plots.heat_map import heat_map
from csimodel.plots.importance import importance_performance
from csimodel.plots.invariance import micom
from csimodel.plots.loadings import loadings
from csimodel.plots.lorenz import lorenz
from csimodel.plots.moderation import moderation
from csimodel.plots.necessity import necessary_conditions
from csimodel.plots.profile import profile
from csimodel.plots.ranking import ranking
from csimodel.plots.segments import segments
from csimodel.plots.slopes import slopes
from csimodel.plots.svg import to_svg
from csimodel.plots.trend import small_multiples, trend
from csimodel.plots.waterfall import money_steps, waterfall

__all__ = [
    "calibration",
    "compare",
    "contributions",
    "fonts",
    "heat_map",
    "importance_performance",
    "index_bars",
    "intervals",
    "loadings",
    "lorenz",
    "micom",
    "moderation",
    "money_steps",
    "necessary_conditions",
    "path_diagram",
    "profile",
    "ranking",
    "repurchase_curve",
    "repurchase_curves",
    "segments",
    "slopes",
    "small_multiples",
    "to_dot",
    "to_svg",
    "trend",
    "waterfall",
]
