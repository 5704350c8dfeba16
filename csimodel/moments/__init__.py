"""Sample moments with an optional batch axis, and the resampling designs that batch them."""

from csimodel.moments.moments import Moments
from csimodel.moments.resampling import Resampling
from csimodel.moments.sample import CrossProducts, group_moments, moments_of

__all__ = [
    "CrossProducts",
    "Moments",
    "Resampling",
    "group_moments",
    "moments_of",
]
