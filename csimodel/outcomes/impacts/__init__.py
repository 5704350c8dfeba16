"""What changes of drivers do to repurchase and money, for every unit of a programme."""

from csimodel.outcomes.impacts.entry import programme_impacts

__all__ = ["programme_impacts"]
