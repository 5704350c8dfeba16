"""ABC classes of customers by their sales, with the Lorenz curve and Gini's coefficient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.errors import OptionError, SurveyError, choose
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.inference.domains import Domains, DomainStatistics, function_of_means
from csimodel.measures.measure import Measure
from csimodel.measures.respondents import GroupedSurvey, Names
from csimodel.options import require_number
from csimodel.survey import Survey
from csimodel.survey.headers import ColumnName
from csimodel.translation import message

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Cut = Literal["customers", "sales"]

_CLASSES = ("A", "B", "C")
_SHARES = {"customers": (0.2, 0.3), "sales": (0.7, 0.2)}
_ROUNDING = 1e-12
_POINTS = 1_000  # of the curve that is kept


@own_errstate_in
@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class AbcClasses(Measure):
    """Classes of customers by their sales. Made by `abc_classes`.

    Attributes
    ----------
    classes
        Class of each customer; index as of the data. Customers without sales known have none.
    customers
        A row for each class: customers, share_of_customers, sales, share_of_sales, lowest and
        highest sales of a customer; and dissatisfied and sales_at_risk where satisfaction is known.
    concentration
        Gini's coefficient.
    lorenz
        Points of the Lorenz curve, from the smallest customers: columns customers and sales,
        cumulated shares.
    outcomes
        Means of the outcomes by class, or None.
    at_risk
        Dissatisfied customers with their class, sales and satisfaction, the largest first.
    """

    classes: pd.Series
    customers: pd.DataFrame
    concentration: Measure
    lorenz: pd.DataFrame
    outcomes: Measure | None = None
    at_risk: pd.DataFrame | None = None

    @property
    def gini(self) -> pd.DataFrame:
        """Gini's coefficient with its error."""
        return self.concentration.table

    @property
    def by_class(self) -> pd.DataFrame:
        """Mean of each outcome by class, with errors.

        Raises
        ------
        OptionError
            When no outcome was named.
        """
        if self.outcomes is None:
            raise OptionError("No outcome was named; give satisfaction= or outcomes=.")
        return self.outcomes.table


@own_errstate
@checked
def abc_classes(
    data: Survey | pd.DataFrame,
    sales: ColumnName,
    *,
    cut: Cut = "customers",
    shares: tuple[float, float] | None = None,
    satisfaction: ColumnName | None = None,
    dissatisfied_to: float | None = None,
    outcomes: Names | None = None,
    level: float = 0.95,
) -> AbcClasses:
    """Sort customers into classes A, B and C by their sales.

    Customers are ranked by sales. Class A begins with the largest and ends with the one in whom it
    reaches its share of customers (or of cumulated sales); B goes on likewise, C are the rest.
    Customers with equal sales stay together.

    Parameters
    ----------
    data
        A survey or frame, a row for each customer; weights say how many customers a row is.
    sales
        Column of sales, 0 or more.
    cut
        ``"customers"``: classes are shares of the customers; ``"sales"``: of cumulated sales.
    shares
        Shares of A and of B; by default .2 and .3 of the customers, or .7 and .2 of sales.
    satisfaction
        Column whose mean is compared between classes, and by which customers are dissatisfied.
    dissatisfied_to
        The highest answer that means dissatisfied; sales of such customers are at risk.
    outcomes
        Further columns compared between classes, such as repurchase.
    level
        Coverage.

    Returns
    -------
    AbcClasses
        ``table`` (share of sales by class, or of customers where classes are shares of sales; its
        errors allow for borders learnt from the sample), ``gini``, ``lorenz``, ``customers``,
        ``classes``, ``by_class`` (means of outcomes; ``outcomes.differences`` compares them),
        ``at_risk``. `csi.plots.lorenz` draws the curve.

    Raises
    ------
    SurveyError
        When sales are negative, or nobody has any.
    OptionError
        When shares are none, or a bound has no column to go with.

    References
    ----------
    Langel, M., Tillé, Y. (2013). Variance estimation of the Gini index: revisiting a result several
    times published. Journal of the Royal Statistical Society A 176, 521-540.
    https://doi.org/10.1111/j.1467-985X.2012.01048.x

    Kovačević, M. S., Binder, D. A. (1997). Variance estimation for measures of income inequality
    and polarization: the estimating equations approach. Journal of Official Statistics 13, 41-58.

    Examples
    --------
    >>> frame = pd.DataFrame({"sales": [50, 20, 5, 5, 5, 5, 4, 3, 2, 1]})
    >>> result = abc_classes(frame, "sales")
    >>> result.table["estimate"].tolist(), round(float(result.gini["estimate"].iloc[0]), 3)
    ([0.7, 0.2, 0.1], 0.58)
    """
    choose("cut", cut, _SHARES)
    if dissatisfied_to is not None and satisfaction is None:
        raise OptionError("dissatisfied_to= needs satisfaction=, the column it divides.")
    grouped = GroupedSurvey.of(data)
    (name,) = grouped.names("sales", sales)
    values = grouped.numbers([name])
    own = values[:, 0]
    if (own < 0).any():
        raise SurveyError(
            f"Column {name!r} holds {int((own < 0).sum())} negative sales; leave such rows out, or "
            "give sales of a longer period."
        )
    if not np.nansum(own) > 0:
        raise SurveyError(f"Column {name!r} holds no sales above 0; give another column.")
    edges = _edges(cut, shares)
    known = np.isfinite(own)
    domains = Domains(grouped.domains.answers, np.where(known, 0, -1), 1)
    weights = np.where(known, domains.weights, 0.0)
    codes = np.where(known, _classes(np.nan_to_num(own), weights, edges, cut), -1)
    told = grouped.findings([name], values)
    rows = grouped.survey.data.index[domains.answers.rows]
    labels = np.array([*_CLASSES, None], dtype=object)
    curve = ClassShares(np.nan_to_num(own), known, edges, cut)
    gini = GiniCoefficient(np.nan_to_num(own), known)
    customers = _customers(own, weights, codes)
    means = _outcomes(grouped, codes, satisfaction, outcomes, level)
    risk = None
    if satisfaction is not None and dissatisfied_to is not None:
        bound = require_number("dissatisfied_to", dissatisfied_to)
        glad = grouped.numbers(grouped.names("satisfaction", satisfaction))[:, 0]
        unhappy = known & (glad <= bound)
        customers["dissatisfied"] = _sums(np.where(unhappy, weights, 0.0), codes)
        customers["sales_at_risk"] = _sums(np.where(unhappy, own, 0.0) * weights, codes)
        frame = pd.DataFrame(
            {"class": labels[codes], "sales": own, "satisfaction": glad}, index=rows
        )
        risk = frame[unhappy].sort_values("sales", ascending=False, kind="stable")
    return AbcClasses(
        title=message(
            "Share of sales by class" if cut == "customers" else "Share of customers by class"
        ),
        statistics=curve.statistics(domains),
        groups=None,
        names=pd.Index(_CLASSES, name="class"),
        level=level,
        told=told,
        classes=pd.Series(labels[codes], index=rows, name="class"),
        customers=customers,
        concentration=Measure(
            "Gini's coefficient",
            gini.statistics(domains),
            None,
            pd.Index([name], name="column"),
            level,
            told=told,
        ),
        lorenz=_lorenz(own[known], weights[known]),
        outcomes=means,
        at_risk=risk,
        further=((message("Classes"), customers),),
    )


@dataclass(frozen=True, eq=False)
class ClassShares:
    """Shares of sales of classes that are shares of customers, or the other way round.

    Attributes
    ----------
    sales
        (rows,)
    known
        Customers whose sales are known, (rows,).
    edges
        Cumulated shares where A and B end.
    cut
        Of what.
    """

    sales: Floats
    known: NDArray[np.bool_]
    edges: tuple[float, float]
    cut: Cut

    def __call__(self, weights: Floats) -> Floats:
        """Return the shares, (1, classes)."""
        w = np.where(self.known, weights, 0.0)
        codes = _classes(self.sales, w, self.edges, self.cut)
        sums = np.bincount(codes, w * self.sales if self.cut == "customers" else w, 3)
        return np.asarray(sums / sums.sum())[None]

    def statistics(self, domains: Domains) -> DomainStatistics:
        """Return the shares with what each customer adds.

        With q the sales at a border that a share p of customers is above, a customer adds
        ``((x - q) 1(x ≥ q) + p q - S x)/μ`` to the share S of sales above it, and ``-μ/q`` times
        that to the share p of customers, where S is given.
        """
        w = np.where(self.known, domains.weights, 0.0)
        codes = _classes(self.sales, w, self.edges, self.cut)
        mean = float(w @ self.sales / w.sum())
        parts = np.zeros((len(w), 2))
        for place in range(2):
            above = (codes <= place) & self.known
            q = float(self.sales[above].min(initial=np.inf))
            p = float(w[above].sum() / w.sum())
            share = float(w[above] @ self.sales[above] / (w @ self.sales))
            if np.isfinite(q):
                moved = (self.sales - q) * above + p * q - share * self.sales
                parts[:, place] = moved / mean if self.cut == "customers" else -moved / q
        scaled = (w / w.sum())[:, None] * parts
        values = np.column_stack([scaled[:, 0], scaled[:, 1] - scaled[:, 0], -scaled[:, 1]])
        member = np.repeat(self.known[:, None], 3, axis=1)
        return DomainStatistics(domains, self(domains.weights), values, member, self)


@dataclass(frozen=True, eq=False)
class GiniCoefficient:
    """Gini's coefficient ``Σ Σ w w' |x - x'| / (2 W² μ)``, with any weights.

    Attributes
    ----------
    sales, known
        As in `ClassShares`.
    """

    sales: Floats
    known: NDArray[np.bool_]

    def __call__(self, weights: Floats) -> Floats:
        """Return the coefficient, (1, 1)."""
        distance, mean, w = self._distances(weights)
        return np.array([[float(w @ distance / w.sum() / (2.0 * mean))]])

    def statistics(self, domains: Domains) -> DomainStatistics:
        """Return the coefficient with what each customer adds.

        ``(D(x) - H - G (x - μ))/μ`` with D(x) the mean distance to the others and H its mean.
        """
        distance, mean, w = self._distances(domains.weights)
        whole = float(w @ distance / w.sum())
        gini = whole / (2.0 * mean)
        influence = (distance - whole - gini * (self.sales - mean)) / mean
        values = (w / w.sum() * influence)[:, None]
        return DomainStatistics(domains, np.array([[gini]]), values, self.known[:, None], self)

    def _distances(self, weights: Floats) -> tuple[Floats, float, Floats]:
        """Return each customer's mean distance to all, (rows,), the mean, and weights."""
        w = np.where(self.known, weights, 0.0)
        total = w.sum()
        mean = float(w @ self.sales / total)
        order = np.argsort(self.sales, kind="stable")
        x = self.sales[order]
        count, sums = np.cumsum(w[order]) / total, np.cumsum(w[order] * x) / total
        last = np.searchsorted(x, self.sales, side="right") - 1
        distance = self.sales * (2.0 * count[last] - 1.0) + mean - 2.0 * sums[last]
        return distance, mean, w


def _edges(cut: Cut, shares: tuple[float, float] | None) -> tuple[float, float]:
    """Return the cumulated shares where A and B end."""
    a, b = (require_number("shares", own, above=0.0, below=1.0) for own in shares or _SHARES[cut])
    if a + b >= 1.0:
        raise OptionError(
            f"shares={shares!r} must leave something for class C; their sum is {a + b:g} and must "
            "be below 1."
        )
    return a, a + b


def _classes(sales: Floats, weights: Floats, edges: tuple[float, float], cut: Cut) -> Codes:
    """Return the class of each customer, 0 to 2; equal sales together."""
    levels, place = np.unique(-sales, return_inverse=True)
    size = weights * (sales if cut == "sales" else 1.0)
    each = np.bincount(place, size, len(levels))
    before = (np.cumsum(each) - each) / each.sum()
    return np.asarray(np.searchsorted(edges, before + _ROUNDING, side="right")[place])


def _sums(values: Floats, codes: Codes) -> Floats:
    held = codes >= 0
    return np.bincount(codes[held], values[held], 3).astype(np.float64)


def _customers(sales: Floats, weights: Floats, codes: Codes) -> pd.DataFrame:
    """Return what each class is."""
    count, amount = _sums(weights, codes), _sums(weights * np.nan_to_num(sales), codes)
    own = [sales[codes == k] for k in range(3)]
    return pd.DataFrame(
        {
            "customers": [len(part) for part in own],
            "share_of_customers": count / count.sum(),
            "sales": amount,
            "share_of_sales": amount / amount.sum(),
            "lowest": [part.min() if len(part) else np.nan for part in own],
            "highest": [part.max() if len(part) else np.nan for part in own],
        },
        index=pd.Index(_CLASSES, name="class"),
    )


def _outcomes(
    grouped: GroupedSurvey,
    codes: Codes,
    satisfaction: str | None,
    outcomes: Names | None,
    level: float,
) -> Measure | None:
    """Return means of outcomes by class."""
    names = () if satisfaction is None else grouped.names("satisfaction", satisfaction)
    if outcomes is not None:
        more = grouped.names("outcomes", outcomes)
        names = (*names, *(name for name in more if name not in names))
    if not names:
        return None
    values = grouped.numbers(names)
    return Measure(
        "Outcomes by class",
        function_of_means(Domains(grouped.domains.answers, codes, 3), values),
        pd.Index(_CLASSES, name="class"),
        pd.Index(names, name="item"),
        level,
        told=grouped.findings(names, values),
    )


def _lorenz(sales: Floats, weights: Floats) -> pd.DataFrame:
    """Return points of the Lorenz curve."""
    order = np.argsort(sales, kind="stable")
    count = np.concatenate([[0.0], np.cumsum(weights[order])])
    amount = np.concatenate([[0.0], np.cumsum((weights * sales)[order])])
    kept = np.unique(np.linspace(0, len(count) - 1, min(len(count), _POINTS)).round().astype(int))
    return pd.DataFrame(
        {"customers": (count / count[-1])[kept], "sales": (amount / amount[-1])[kept]}
    )
