"""Quality below and above expectations: asymmetric disconfirmation."""

from csimodel.repurchase.asymmetry.entry import repurchase_asymmetry, repurchase_asymmetry_of_index
from csimodel.repurchase.asymmetry.result import Asymmetry

__all__ = ["Asymmetry", "repurchase_asymmetry", "repurchase_asymmetry_of_index"]
