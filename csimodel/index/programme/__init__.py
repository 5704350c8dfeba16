"""An index programme: many firms over many periods, and all levels above them."""

from csimodel.index.programme.programme import programme
from csimodel.index.programme.ranking import Ranking
from csimodel.index.programme.result import Programme
from csimodel.index.programme.tables import ProgrammeTables

__all__ = ["Programme", "ProgrammeTables", "Ranking", "programme"]
