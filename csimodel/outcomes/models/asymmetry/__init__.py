"""Quality below and above expectations: asymmetric disconfirmation."""

from csimodel.outcomes.models.asymmetry.entry import (
    repurchase_asymmetry,
)
from csimodel.outcomes.models.asymmetry.result import Asymmetry

__all__ = ["Asymmetry", "repurchase_asymmetry"]
