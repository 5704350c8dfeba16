"""`tetrads`: whether the items of a construct are reflections of one factor (CTA-PLS).

Where all items reflect one factor, covariances are products of loadings, so that of any four items
``s₁₂ s₃₄ = s₁₃ s₂₄ = s₁₄ s₂₃``: the differences of such products, tetrads, vanish. Of p items
p(p - 3)/2 of them imply all others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked, checked_in
from csimodel.errors import ModelError, OptionError, choose, suggest
from csimodel.estimators import Fit, Quantity, Solution, require_fit, require_own
from csimodel.findings import Finding
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.inference import Bootstrap, FitErrors, infer, linearize
from csimodel.inference.influence import without_influence
from csimodel.inference.intervals import INTERVALS, by_t
from csimodel.inference.replicates import errors_of_design
from csimodel.inference.sources import StandardErrors
from csimodel.model import Model
from csimodel.options import require_level, require_names
from csimodel.page import HasPage, Page, Section

Floats = NDArray[np.float64]
Tetrad = tuple[int, int, int, int]

_REJECTED = (
    "{different} of {tetrads} tetrads of {construct} differ from 0 (at {percent:g} % for all of "
    "them together), so its items are not reflections of one factor alone."
)
_ONE_REJECTED = (
    "A tetrad of {construct} differs from 0 (of {tetrads}, at {percent:g} % for all of them "
    "together), so its items are not reflections of one factor alone."
)
_NOT_REJECTED = (
    "None of the tetrads of {construct} ({tetrads}) is shown to differ from 0 (at {percent:g} % "
    "for all of them together), so these data do not speak against one factor that its items "
    "reflect."
)
_NOT_JUDGED = "Tetrads of {construct} have no errors, so nothing is said of it ({reason})."
_FEW = (
    "Constructs of fewer than four items have no tetrads, so that {constructs:8} could not be "
    "tested; borrow= takes items of another construct beside theirs."
)


def vanishing(places: Sequence[int], own: int) -> list[Tetrad]:
    """Return tetrads that imply all that vanish: i, j, k, l of ``sᵢⱼ sₖₗ - sᵢₖ sⱼₗ``.

    Of one factor's items the p(p - 3)/2 that have its first item and another in each product: ``s₁₂
    sₖₗ - s₁ₖ s₂ₗ`` of all k before l from the third on, and ``s₁₂ s₃ₗ - s₁ₗ s₂₃``. Where two of
    four items are another construct's, the factors may correlate and one tetrad vanishes.

    Parameters
    ----------
    places
        Of the items, those of the construct first.
    own
        How many are its own.

    Examples
    --------
    >>> vanishing([0, 1, 2, 3], 4)
    [(0, 1, 2, 3), (0, 1, 3, 2)]
    >>> len(vanishing(range(7), 7)), vanishing([0, 1, 5, 6], 2)
    (14, [(0, 5, 6, 1)])
    """
    first, second, third, *rest = places
    if own == 2:
        return [(first, third, rest[0], second)]
    later = [third, *rest]
    pairs = [(k, m) for at, k in enumerate(later) for m in later[at + 1 :]]
    return [(first, second, k, m) for k, m in pairs] + [(first, second, m, third) for m in rest]


def tetrads_of(cov: Floats, tetrads: Sequence[Tetrad]) -> Floats:
    """Return ``sᵢⱼ sₖₗ - sᵢₖ sⱼₗ`` of covariances, (..., tetrads).

    Examples
    --------
    >>> loadings = np.array([0.9, 0.8, 0.7, 0.6])
    >>> tetrads_of(np.outer(loadings, loadings), [(0, 1, 2, 3)]).round(12).tolist()
    [0.0]
    """
    i, j, k, m = np.array(tetrads, dtype=np.intp).reshape(-1, 4).T
    return np.asarray(cov[..., i, j] * cov[..., k, m] - cov[..., i, k] * cov[..., j, m])


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class TetradAnalysis(HasPage):
    """Tetrads of the constructs of a model, with errors; made by `tetrads`.

    Attributes
    ----------
    fit
        Whose items.
    table
        A row a tetrad, (construct, tetrad): estimate, in products of scale units, or of polychoric
        correlations where the fit is of these; se, df; lower and upper at the level of all tetrads
        of a construct together; p of the tetrad alone, p_bonferroni times their number; reason,
        where there is no error.
    untested
        Constructs of fewer than four items, for which none were borrowed.
    level
        Coverage of the limits of all tetrads of a construct together.
    """

    fit: Fit
    table: pd.DataFrame
    untested: tuple[str, ...]
    level: float

    @cached_property
    def verdicts(self) -> pd.Series:
        """``"rejected"``, ``"not rejected"``, ``"not judged"`` or ``"not tested"``, by construct.

        Rejected is that its items reflect one factor: 0 is outside the limits of a tetrad.
        """
        words = dict.fromkeys(self.untested, "not tested")
        for construct, rows in self.table.groupby(level="construct", sort=False):
            known = rows[["lower", "upper"]].notna().all(axis=None)
            apart = bool(((rows["lower"] > 0) | (rows["upper"] < 0)).any())
            words[str(construct)] = (
                "rejected" if apart else "not rejected" if known else "not judged"
            )
        order = [name for name in self.fit.model.construct_names if name in words]
        return pd.Series([words[name] for name in order], pd.Index(order, name="construct"))

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Which constructs are not reflected by their items alone."""
        return tuple(self._findings())

    def _findings(self) -> Iterator[Finding]:
        percent = 100.0 * (1.0 - self.level)
        for construct, verdict in self.verdicts.items():
            if verdict == "not tested":
                continue
            rows = self.table.loc[[construct]]
            names = {"construct": construct, "tetrads": len(rows)}
            subjects = (str(construct),)
            if verdict == "not judged":
                reason = next(reason for reason in rows["reason"] if reason)
                values = {"construct": construct, "reason": reason}
                yield Finding("tetrads-not-judged", _NOT_JUDGED, subjects, "warning", None, values)
                continue
            different = int(((rows["lower"] > 0) | (rows["upper"] < 0)).sum())
            if different > 1:
                values = {**names, "percent": percent, "different": different}
                yield Finding("tetrads-differ", _REJECTED, subjects, "warning", different, values)
            elif different:
                values = {**names, "percent": percent}
                yield Finding("tetrads-differ", _ONE_REJECTED, subjects, "warning", 1, values)
            else:
                values = {**names, "percent": percent}
                yield Finding("tetrads-vanish", _NOT_REJECTED, subjects, "note", None, values)
        if self.untested:
            values = {"constructs": self.untested}
            count = len(self.untested)
            yield Finding("too-few-items", _FEW, self.untested, "note", count, values)

    @property
    def page(self) -> Page:
        """The tetrads on a page."""
        return Page(
            f"Tetrads of {self.fit.model.name or 'the model'} (CTA-PLS)",
            facts=(
                "Items that reflect one factor have tetrads of 0; limits hold for all tetrads of a "
                f"construct together at {100 * self.level:g} % (Bonferroni).",
            ),
            findings=(*self.fit.diagnostics, *self.findings),
            sections=(
                Section("By construct", self.verdicts.to_frame("verdict")),
                Section("Tetrads", self.table, decimals=3),
            ),
        )


@own_errstate
@checked
def tetrads(
    fit: Fit,
    bootstrap: FitErrors | None = None,
    level: float = 0.95,
    interval: str = "auto",
    *,
    borrow: Mapping[str, Sequence[str]] | None = None,
) -> TetradAnalysis:
    """Test whether items are reflections of their construct (confirmatory tetrad analysis).

    Items of a composite need not have tetrads of 0, reflections of one factor have, whatever their
    loadings. That no tetrad is shown to differ does not make a construct reflective.

    Parameters
    ----------
    fit
        Of a model whose constructs have items; the test needs no estimates but their covariances.
    bootstrap
        Draws of this fit, or errors by `linearize`, which are the default.
    level
        Coverage of the limits of all tetrads of a construct together; each of m has ``1 - (1 -
        level)/m`` (Bonferroni).
    interval
        Kind of interval, as in `Bootstrap.table`; ``"auto"`` is of draws ``"normal"``, less the
        bias (Gudergan et al.), of influence values t.
    borrow
        For constructs of two or three items, items of another construct that make them four:
        ``{"Value": ["PERQ1", "PERQ2"]}``.

    Returns
    -------
    TetradAnalysis

    Raises
    ------
    OptionError
        For constructs or items that are not there, items that do not make four, draws of another
        fit.
    ModelError
        For models with products or constructs of constructs.
    EstimationError
        When the fit is no solution.

    Notes
    -----
    Tetrads are of covariances in scale units, by ``PLS(correlations="polychoric")`` of polychoric
    correlations: few categories of different shapes make tetrads of the answers as numbers differ
    from 0 though one factor is behind them. Those not implied by others, ``p(p - 3)/2`` of p
    items, are tested: the ones that have the first item and another in each product. Which are
    taken depends on the order of the items, and so do the verdicts of single tetrads (seminrExtras
    tests all, two of every four items, implied ones too). Of three items and a borrowed one all
    tetrads vanish where both constructs are reflective, of two and two borrowed one does.

    References
    ----------
    Bollen, K. A., Ting, K.-F. (2000). A tetrad test for causal indicators. Psychological Methods
    5(1), 3-22. https://doi.org/10.1037/1082-989X.5.1.3

    Gudergan, S. P., Ringle, C. M., Wende, S., Will, A. (2008). Confirmatory tetrad analysis in PLS
    path modeling. Journal of Business Research 61(12), 1238-1249.
    https://doi.org/10.1016/j.jbusres.2008.01.012

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> csi.assessment.tetrads(fit).verdicts[["Image", "Quality", "Value"]].tolist()
    ['not rejected', 'not rejected', 'not tested']
    """
    fit = require_fit(fit, "tetrads")
    level = require_level(level)
    choose("interval", interval, INTERVALS)
    require_own(bootstrap, fit, drawn=False)
    fit.model.require_one_stage("tetrads are of")
    fit.require_converged("tetrads")
    blocks = _blocks(fit.model, borrow or {})
    source = bootstrap or errors_of_design(fit)
    reason = "" if source is not None else without_influence(fit)
    errors = source if source is not None or reason else linearize(fit)
    if interval == "auto" and isinstance(errors, Bootstrap) and _normal(errors):
        interval = "normal"
    tables = [
        _table(fit, name, own, errors, reason, level, interval) for name, own in blocks.items()
    ]
    untested = tuple(name for name in fit.model.construct_names if name not in blocks)
    if not tables:
        raise ModelError(
            "No construct has four items, and tetrads are of four; borrow= takes items of another "
            "construct beside those of one with two or three."
        )
    return TetradAnalysis(fit, pd.concat(tables), untested, level)


def _normal(bootstrap: Bootstrap) -> bool:
    """Return whether draws are of so many units that limits need not be by t."""
    few = bool(by_t("auto", float(bootstrap.survey_design.df)))
    return bootstrap.replication is None and not few


def _blocks(model: Model, borrow: Mapping[str, Sequence[str]]) -> dict[str, list[Tetrad]]:
    """Return the tetrads of each construct that has some."""
    place = {item: at for at, item in enumerate(model.items)}
    names = list(model.construct_names)
    for name in borrow:
        if name not in names:
            raise OptionError(
                f"borrow= names {name!r}, which is no construct{suggest(name, names)}."
            )
    blocks: dict[str, list[Tetrad]] = {}
    for construct in model.constructs:
        items = list(construct.items)
        others = _others(model, construct.name, items, borrow)
        if len(items) > 3 or others:
            own = 2 if len(items) == 2 else len(items) + len(others)
            blocks[construct.name] = vanishing([place[item] for item in (*items, *others)], own)
    return blocks


def _others(
    model: Model, name: str, items: list[str], borrow: Mapping[str, Sequence[str]]
) -> list[str]:
    """Return the items that a construct borrows, which make four with its own."""
    if name not in borrow:
        return []
    others = list(require_names("borrow", borrow[name], "item"))
    unknown = [item for item in others if item not in model.items]
    if unknown:
        raise OptionError(
            f"borrow= names {unknown[0]!r}, which is no item of the model"
            f"{suggest(unknown[0], list(model.items))}."
        )
    owners = {c.name for c in model.constructs for item in others if item in c.items}
    if len(items) not in (2, 3) or len(items) + len(others) != 4 or len(owners) != 1:
        raise OptionError(
            f"borrow= gives {name!r} with {len(items)} items {len(others)} more; a construct of "
            "two or three items borrows as many as make four, all of one other construct."
        )
    if name in owners:
        raise OptionError(
            f"borrow= gives {name!r} items of its own; name items of another construct."
        )
    return others


def _table(
    fit: Fit,
    name: str,
    own: list[Tetrad],
    errors: FitErrors | None,
    reason: str,
    level: float,
    interval: str,
) -> pd.DataFrame:
    """Return the tetrads of a construct with errors at the level of all together."""
    items = fit.model.items
    words = [
        f"{items[i]} {items[j]} × {items[k]} {items[m]} - {items[i]} {items[k]} × "
        f"{items[j]} {items[m]}"
        for i, j, k, m in own
    ]
    labels = pd.MultiIndex.from_product([[name], words], names=["construct", "tetrad"])

    def entries(solution: Solution) -> Floats:
        return tetrads_of(solution.item_cov, own)

    each = 1.0 - (1.0 - level) / len(own)
    if errors is None:
        none = StandardErrors.none(len(own), reason)
        table = infer(labels, entries(fit.solution), none, each)
    else:
        table = errors.table(Quantity("tetrads", lambda _: labels, entries), interval, each)
    table.insert(len(table.columns) - 1, "p_bonferroni", np.minimum(len(own) * table["p"], 1.0))
    return table
