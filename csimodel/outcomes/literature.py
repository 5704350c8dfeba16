"""Published numbers about satisfaction, loyalty and money, each with its source and its caveat.

No function of this package uses one of them unless you pass it:
``acquisition_cost=literature.acquisition_ratio.value * retention_cost``. Most travelled far from
the data they came from; estimate your own where you can.

Examples
--------
>>> from csimodel.outcomes import literature
>>> literature.acquisition_ratio
acquisition_ratio = 5 (costs of a customer won per cost of a customer kept; second-hand: ...)
>>> float(literature.table().loc["silent_share", "value"])
0.96
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

import pandas as pd

__all__ = ["Published", "table"]


@dataclass(frozen=True, repr=False)
class Published:
    """A published number.

    Attributes
    ----------
    name
        What it is called here.
    value
        The number; of a range its lower end.
    upper
        The upper end of a range, or None.
    unit
        What one is.
    standing
        ``"primary"``: stated in the work cited, from its own data or argument; ``"second-hand"``:
        known through works that repeat it; ``"unsourced"``: in wide use, no source with data
        found.
    source, year, doi, url
        Where it stands; year, doi and url None where there is none.
    caveat
        Why it may not hold for you, and what estimates it on your data.
    """

    name: str
    value: float
    upper: float | None
    unit: str
    standing: Literal["primary", "second-hand", "unsourced"]
    source: str
    year: int | None
    doi: str | None
    url: str | None
    caveat: str

    def __repr__(self) -> str:
        ends = f"{self.value:g}" + ("" if self.upper is None else f" to {self.upper:g}")
        return f"{self.name} = {ends} ({self.unit}; {self.standing}: {self.source})"


_EXAMPLE = "Worked example of teaching material on customer satisfaction indexes"
_TARP = (
    "Technical Assistance Research Programs, Consumer Complaint Handling in America, as repeated "
    "in Albrecht & Zemke, Service America! (1985)"
)
_REICHHELD = "Reichheld & Sasser, Zero defections, Harvard Business Review 68(5), 105-111"
_REICHHELD_URL = "https://hbr.org/1990/09/zero-defections-quality-comes-to-services"
_REASONS = "Trade folklore on customer care"
_REASONS_CAVEAT = (
    "Reasons told after the fact, in one list of three; no study with data found. Ask those who "
    "left; `outcomes.repurchase_time` shows what goes with leaving."
)
_JONES = "Jones & Sasser, Why satisfied customers defect, Harvard Business Review 73(6), 88-99"
_JONES_URL = "https://hbr.org/1995/11/why-satisfied-customers-defect"

repurchase_per_point = Published(
    "repurchase_per_point", 0.0058, None, "probability of repurchase per index point",
    "unsourced", _EXAMPLE, None, None, None,
    "One slope for every market and level of the index; `repurchase` estimates yours, "
    "`repurchase_segments` tests whether markets share it.",
)  # fmt: skip
repurchase_at_67 = Published(
    "repurchase_at_67", 0.75, None, "probability of repurchase at an index of 67",
    "unsourced", _EXAMPLE, None, None, None,
    "Starting point of the example that ends at .7674 with an index of 70; `Repurchase.predict` "
    "gives yours.",
)  # fmt: skip
repurchase_at_70 = Published(
    "repurchase_at_70", 0.7674, None, "probability of repurchase at an index of 70",
    "unsourced", _EXAMPLE, None, None, None,
    ".75 and three points of .0058; `Repurchase.contrast(67, 70)` gives yours with its interval.",
)  # fmt: skip
top_step = Published(
    "top_step", 6.0, None, "times as likely to repurchase, totally satisfied to satisfied",
    "primary", _JONES, 1995, None, _JONES_URL,
    "One firm (copiers), purchases over 18 months, a scale of five answers; in captive markets "
    "the step is small. `repurchase_top_drop` estimates yours, as a difference.",
)  # fmt: skip
complaining_share = Published(
    "complaining_share", 0.04, None, "share of dissatisfied customers who complain",
    "second-hand", _TARP, 1979, None, None,
    "Complaints to headquarters about goods of the 1970s; shares for dear or serious matters are "
    "many times larger. `complaint_repurchase` estimates yours.",
)  # fmt: skip
silent_share = Published(
    "silent_share", 0.96, None, "share of dissatisfied customers who do not complain",
    "second-hand", _TARP, 1979, None, None,
    "One less complaining_share; that all the silent leave does not follow. `complaint_repurchase` "
    "estimates yours and what they buy.",
)  # fmt: skip
recovered_if_resolved = Published(
    "recovered_if_resolved", 0.54, 0.70, "share of complainers who buy again if resolved",
    "second-hand", _TARP, 1979, None, None,
    "Stated intentions; 54 for dear and 70 for cheap matters. `complaint_repurchase` gives "
    "repurchase by how well a complaint was handled.",
)  # fmt: skip
recovered_if_fast = Published(
    "recovered_if_fast", 0.95, None, "share of complainers who buy again if resolved fast",
    "second-hand", _TARP, 1979, None, None,
    "Stated intentions about cheap matters; a recovery paradox is rare in later studies. "
    "`complaint_repurchase` tests for it.",
)  # fmt: skip
acquisition_ratio = Published(
    "acquisition_ratio", 5.0, None, "costs of a customer won per cost of a customer kept",
    "second-hand",
    "Repeated by, among many, Hart, Heskett & Sasser, The profitable art of service recovery, "
    "Harvard Business Review 68(4), 148-156; examined by Pfeifer, Journal of Targeting, "
    "Measurement and Analysis for Marketing 13, 179-188 (2005)",
    1990, "10.1057/palgrave.jt.5740142", None,
    "No data behind it was found; ratios of 3 to 20 are quoted, and an average ratio does not say "
    "where the next unit of money should go. `money.acquisition_or_retention` computes on yours.",
)  # fmt: skip
defections_cut = Published(
    "defections_cut", 0.05, None, "cut of the yearly defection rate, in share of customers",
    "primary", _REICHHELD, 1990, None, _REICHHELD_URL,
    "Five points of the rate, say from 10 % to 5 %, which doubles a customer's stay: a large "
    "change. `money.fewer_defections` computes on yours.",
)  # fmt: skip
profit_lift = Published(
    "profit_lift", 0.25, 0.85, "lift of profit from defections_cut, as a share",
    "primary", _REICHHELD, 1990, None, _REICHHELD_URL,
    "Net present value of a customer's profits in chosen service industries, where margins grow "
    "with the years. `money.fewer_defections` computes it on your numbers.",
)  # fmt: skip
existing_buys = Published(
    "existing_buys", 0.50, None, "probability that an existing customer buys",
    "unsourced", "Trade folklore on customer care", None, None, None,
    "No study found; other texts say 60 to 70 % (Farris et al., Marketing Metrics). "
    "`money.buying_rates` estimates yours.",
)  # fmt: skip
new_buys = Published(
    "new_buys", 0.15, None, "probability that a new customer buys",
    "unsourced", "Trade folklore on customer care", None, None, None,
    "No study found; other texts say 5 to 20 % (Farris et al., Marketing Metrics). "
    "`money.buying_rates` estimates yours.",
)  # fmt: skip
persons_told = Published(
    "persons_told", 10.0, 20.0, "persons that a dissatisfied customer tells",
    "second-hand", _TARP, 1979, None, None,
    "TARP's surveys say nine or ten on average, and more than twenty for one in eight; before the "
    "web. `complaint_repurchase(told=)` estimates yours.",
)  # fmt: skip
worth_of_fully_satisfied = Published(
    "worth_of_fully_satisfied", 10.0, None, "worth of a fully satisfied per satisfied customer",
    "unsourced", "Trade folklore on customer care", None, None, None,
    "No study found, and worth is not defined. `money.lifetime_value` with the retention of each "
    "group computes yours.",
)  # fmt: skip
willingness_of_satisfied = Published(
    "willingness_of_satisfied", 6.0, None, "times as willing to buy, satisfied to dissatisfied",
    "second-hand", _JONES, 1995, None, _JONES_URL,
    "Likely top_step retold: there it is totally satisfied against satisfied customers of one "
    "firm. `repurchase` estimates yours.",
)  # fmt: skip
recommended_share = Published(
    "recommended_share", 0.60, None, "share of new customers who come by recommendation",
    "unsourced", "Trade folklore on customer care", None, None, None,
    "No study found; it differs between trades. Ask new customers, and take "
    "`measures.answer_shares`.",
)  # fmt: skip
left_for_price = Published(
    "left_for_price", 0.15, None, "share of lost customers who left for a lower price",
    "unsourced", _REASONS, None, None, None, _REASONS_CAVEAT,
)  # fmt: skip
left_for_product = Published(
    "left_for_product", 0.15, None, "share of lost customers who left for the product",
    "unsourced", _REASONS, None, None, None, _REASONS_CAVEAT,
)  # fmt: skip
left_for_indifference = Published(
    "left_for_indifference", 0.70, None, "share of lost customers who left for indifferent staff",
    "unsourced", _REASONS, None, None, None, _REASONS_CAVEAT,
)  # fmt: skip
staff_first = Published(
    "staff_first", float("nan"), None, "satisfied staff come before satisfied customers: no number",
    "primary",
    "Heskett, Jones, Loveman, Sasser & Schlesinger, Putting the service-profit chain to work, "
    "Harvard Business Review 72(2), 164-174",
    1994, None, "https://hbr.org/2008/07/putting-the-service-profit-chain-to-work",
    "An order of causes argued from cases; `measures.branch_regression` gives the slope across "
    "your branches, which does not say what comes first.",
)  # fmt: skip
importance_scale = Published(
    "importance_scale", 1.0, 5.0, "value of an importance category, not to very important",
    "unsourced", "Teaching material on customer satisfaction indexes", None, None, None,
    "A convention that takes the categories as equally far apart; `measures.importance_weights` "
    "takes other values.",
)  # fmt: skip

_EVERY = (
    repurchase_per_point,
    repurchase_at_67,
    repurchase_at_70,
    top_step,
    complaining_share,
    silent_share,
    recovered_if_resolved,
    recovered_if_fast,
    acquisition_ratio,
    defections_cut,
    profit_lift,
    existing_buys,
    new_buys,
    persons_told,
    worth_of_fully_satisfied,
    willingness_of_satisfied,
    recommended_share,
    left_for_price,
    left_for_product,
    left_for_indifference,
    staff_first,
    importance_scale,
)


def table() -> pd.DataFrame:
    """Return every published number; rows names, columns as in `Published`.

    Examples
    --------
    >>> from csimodel.outcomes import literature
    >>> literature.table().loc["profit_lift", ["value", "upper"]].astype(float).tolist()
    [0.25, 0.85]
    """
    return pd.DataFrame([asdict(entry) for entry in _EVERY]).set_index("name")
