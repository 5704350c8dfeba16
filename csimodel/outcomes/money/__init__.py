"""From the satisfaction index to money, with the uncertainty carried to the last amount.

The index gives a probability of repurchase, that a retention, and retention the value of the
customers. Draws go in and draws come out, so every amount has its interval.
"""

from csimodel.outcomes.money.change import lifetime_value, profit_of_change, profit_of_retention
from csimodel.outcomes.money.complaints import complaint_budget, more_complaints
from csimodel.outcomes.money.customers import (
    acquisition_or_retention,
    buying_rates,
    fewer_defections,
)
from csimodel.outcomes.money.driver import profit_of_driver, profits_of_drivers
from csimodel.outcomes.money.result import Money
from csimodel.outcomes.money.retention import Retention, retention_of
from csimodel.outcomes.money.spending import break_even_spending, net_present_value
from csimodel.outcomes.money.value import Economics

__all__ = [
    "Economics",
    "Money",
    "Retention",
    "acquisition_or_retention",
    "break_even_spending",
    "buying_rates",
    "complaint_budget",
    "fewer_defections",
    "lifetime_value",
    "more_complaints",
    "net_present_value",
    "profit_of_change",
    "profit_of_driver",
    "profit_of_retention",
    "profits_of_drivers",
    "retention_of",
]
