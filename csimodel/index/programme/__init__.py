"""An index programme: many firms over many periods, and all levels above them."""

from csimodel.index.programme.programme import programme
from csimodel.index.programme.ranking import Ranking
from csimodel.index.programme.result import Programme

__all__ = ["Programme", "Ranking", "programme"]
