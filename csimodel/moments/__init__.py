"""Sample moments with an optional batch axis, and the resampling designs that batch them."""

from csimodel.moments.cross_products import CrossProducts
from csimodel.moments.moments import Moments
from csimodel.moments.resampling import Resampling
from csimodel.moments.sample import group_moments, moments_of

__all__ = [
    "CrossProducts",
    "Moments",
    "Resampling",
    "group_moments",
    "moments_of",
]
