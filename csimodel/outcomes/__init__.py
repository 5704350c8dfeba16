"""What a point of satisfaction is worth: regressions of repurchase on the index.

`repurchase` makes the regression; the others look at it or go on from it:

- `repurchase_shape`, `compare_shapes`, `calibration`: does it bend, which form predicts, do its
  predictions come true;
- `repurchase_segments`, `repurchase_top_drop`: is the curve the same in every market, and what a
  step below the top costs;
- `corrected_slopes`: what a point is worth when the index's measurement error is taken off;
- `repurchase_asymmetry`: does quality below expectations weigh more than above;
- `repurchase_time`: how long until they buy again or leave;
- `repurchase_panel`: firms over periods, firm and period effects apart;
- `repurchase_mixed`: customers within firms, slopes within and between firms;
- `complaint_repurchase`: who complains, how that was handled, who buys again;
- `programme_impacts`: what changes of drivers do to repurchase and money, by unit and period;
- `money`: retention, lifetime value, profit, budgets; `literature`: published figures to compare.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from csimodel.outcomes.models.estimate import Estimate
from csimodel.outcomes.models.repurchase import repurchase
from csimodel.outcomes.models.result import Repurchase

if TYPE_CHECKING:
    from csimodel.outcomes import literature, money
    from csimodel.outcomes.complaints import Complaints, complaint_repurchase
    from csimodel.outcomes.impacts import programme_impacts
    from csimodel.outcomes.measurement_error import (
        CorrectedSlopes,
        Reliability,
        corrected_slopes,
        group_reliability,
        index_reliability,
    )
    from csimodel.outcomes.models.asymmetry import (
        Asymmetry,
        repurchase_asymmetry,
    )
    from csimodel.outcomes.models.duration import RepurchaseTime, repurchase_time
    from csimodel.outcomes.models.mixed import RepurchaseMixed, repurchase_mixed
    from csimodel.outcomes.models.panel import (
        RepurchasePanel,
        repurchase_panel,
    )
    from csimodel.outcomes.models.segments import (
        Segments,
        TopDrop,
        repurchase_segments,
        repurchase_top_drop,
    )
    from csimodel.outcomes.models.shape import Shape, repurchase_shape
    from csimodel.outcomes.prediction import (
        Calibration,
        ShapeComparison,
        calibration,
        compare_shapes,
    )

__all__ = [
    "Asymmetry",
    "Calibration",
    "Complaints",
    "CorrectedSlopes",
    "Estimate",
    "Reliability",
    "Repurchase",
    "RepurchaseMixed",
    "RepurchasePanel",
    "RepurchaseTime",
    "Segments",
    "Shape",
    "ShapeComparison",
    "TopDrop",
    "calibration",
    "compare_shapes",
    "complaint_repurchase",
    "corrected_slopes",
    "group_reliability",
    "index_reliability",
    "literature",
    "money",
    "programme_impacts",
    "repurchase",
    "repurchase_asymmetry",
    "repurchase_mixed",
    "repurchase_panel",
    "repurchase_segments",
    "repurchase_shape",
    "repurchase_time",
    "repurchase_top_drop",
]

# Loaded when first used, so that `import csimodel` stays quick.
_LAZY = {
    "Asymmetry": "models.asymmetry",
    "repurchase_asymmetry": "models.asymmetry",
    "Complaints": "complaints",
    "complaint_repurchase": "complaints",
    "CorrectedSlopes": "measurement_error",
    "Reliability": "measurement_error",
    "corrected_slopes": "measurement_error",
    "group_reliability": "measurement_error",
    "index_reliability": "measurement_error",
    "Calibration": "prediction",
    "ShapeComparison": "prediction",
    "calibration": "prediction",
    "compare_shapes": "prediction",
    "Segments": "models.segments",
    "TopDrop": "models.segments",
    "repurchase_segments": "models.segments",
    "repurchase_top_drop": "models.segments",
    "Shape": "models.shape",
    "repurchase_shape": "models.shape",
    "RepurchaseTime": "models.duration",
    "repurchase_time": "models.duration",
    "RepurchasePanel": "models.panel",
    "repurchase_panel": "models.panel",
    "RepurchaseMixed": "models.mixed",
    "repurchase_mixed": "models.mixed",
    "programme_impacts": "impacts",
    "literature": "literature",
    "money": "money",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'csimodel.outcomes' has no attribute {name!r}")
    module = import_module(f"csimodel.outcomes.{_LAZY[name]}")
    value = module if name == _LAZY[name] else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
