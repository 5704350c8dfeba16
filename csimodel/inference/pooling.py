"""`pool`: estimates of several imputations as one, by Rubin's rules.

With Q_k the estimate of imputation k of m and U_k its variance: ``Q̄`` is their mean, Ū that of
the variances, B the variance of the estimates, and ``T = Ū + (1 + 1/m) B`` that of Q̄. Degrees of
freedom are Barnard and Rubin's, which never exceed those of the complete data.

References
----------
Rubin, D. B. (1987). Multiple Imputation for Nonresponse in Surveys. Wiley.
https://doi.org/10.1002/9780470316696

Barnard, J., Rubin, D. B. (1999). Small-sample degrees of freedom with multiple imputation.
Biometrika 86, 948-955. https://doi.org/10.1093/biomet/86.4.948
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked, checked_in
from csimodel.errors import OptionError
from csimodel.estimators import Fit, Quantity, find, require_fit
from csimodel.findings import Finding, gravest_first, text
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.inference.infer import infer
from csimodel.inference.intervals import require_by_t
from csimodel.inference.linearized import Linearized, linearize
from csimodel.inference.sources import StandardErrors
from csimodel.options import shown
from csimodel.page import HasPage, Page, sections

Floats = NDArray[np.float64]

_COLUMNS = ("estimate", "se", "df")


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class Pooled(HasPage):
    """Fits of several imputations as one. Made by `pool`.

    Attributes
    ----------
    fits
        One of each imputation.
    """

    fits: tuple[Fit, ...]

    @cached_property
    def _linearized(self) -> tuple[Linearized, ...]:
        return tuple(linearize(fit) for fit in self.fits)

    def table(
        self,
        quantity: str | Quantity,
        interval: str = "auto",
        level: float = 0.95,
        *,
        by: str | Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Return the pooled estimates of a quantity.

        Parameters
        ----------
        quantity, level, by
            As in `Linearized.table`.
        interval
            ``"auto"`` or ``"t"``, which are the same here.

        Returns
        -------
        DataFrame
            Columns estimate, se, df, lower, upper, p, reason as from `infer`, and
            missing_information: the share of information that the missing answers took.

        Examples
        --------
        >>> import csimodel as csi
        >>> mobi = csi.load_mobi()
        >>> holes = mobi.data.mask(np.random.default_rng(1).random(mobi.data.shape) < 0.1)
        >>> imputed = csi.impute(csi.read_survey(holes, scale=(1, 10)), m=3, rng=1, progress=False)
        >>> pooled = csi.inference.pool(csi.fit(csi.models.ecsi(), own) for own in imputed)
        >>> bool(pooled.table("index")["missing_information"].between(0, 0.5).all())
        True
        """
        require_by_t(interval)
        tables = [own.table(quantity, level=level, by=by) for own in self._linearized]
        return pool_tables(tables, level, find(quantity).null)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What a reader must know of the fits: each finding once, with how many have it."""
        of_code: dict[str, list[Finding]] = {}
        for fit in self.fits:
            for finding in {own.code: own for own in fit.diagnostics}.values():
                of_code.setdefault(finding.code, []).append(finding)
        return gravest_first(
            own[0].within("{some} of {all} imputations", some=len(own), all=len(self.fits))
            for own in of_code.values()
        )

    @property
    def page(self) -> Page:
        """The pooled paths on a page."""
        fit = self.fits[0]
        return Page(
            text(
                "{name} by {label}, {fits} imputations pooled",
                name=fit.model.name or "The model",
                label=fit.estimator.label,
                fits=len(self.fits),
            ),
            findings=self.findings,
            sections=sections({text("Paths"): self.table("paths")} if fit.model.paths else {}, 3),
        )


@own_errstate
@checked
def pool(fits: Iterable[Fit]) -> Pooled:
    """Pool fits of one model to several imputations of a survey.

    Parameters
    ----------
    fits
        Two or more, as in ``csi.inference.pool(csi.fit(model, own) for own in imputations)``.

    Returns
    -------
    Pooled

    Raises
    ------
    OptionError
        For fewer than two, or fits of different models.

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> float(pool([fit, fit]).table("r2").loc["Satisfaction", "missing_information"])
    0.0
    """
    if isinstance(fits, str | Fit) or not isinstance(fits, Iterable):
        raise OptionError(
            f"pool wants the fits of several imputations, and fits is {shown(fits)}; give "
            "(csi.fit(model, own) for own in csi.impute(survey))."
        )
    own = tuple(require_fit(fit, "pool") for fit in fits)
    if len(own) < 2:
        raise OptionError(
            f"pool wants the fits of at least 2 imputations, and there are {len(own)}."
        )
    if any(fit.model != own[0].model for fit in own):
        raise OptionError("pool wants fits of one model; these are of different ones.")
    for fit in own:
        linearize(fit)
    return Pooled(own)


@own_errstate
@checked
def pool_tables(
    tables: Iterable[pd.DataFrame], level: float = 0.95, null: float | None = 0.0
) -> pd.DataFrame:
    """Pool tables of estimates, one of each imputation: whatever has estimate, se and df.

    Parameters
    ----------
    tables
        Two or more with the same rows, as the coefficients of a regression.
    level
        Coverage of the limits.
    null
        The value of no effect for p-values; None where zero means nothing.

    Returns
    -------
    DataFrame
        As from `infer`, and missing_information: Barnard and Rubin's γ.

    Raises
    ------
    OptionError
        For fewer than two, other columns, or different rows.

    Examples
    --------
    >>> parts = [pd.DataFrame({"estimate": [q], "se": [1.0], "df": [np.inf]}) for q in (1.0, 3.0)]
    >>> pool_tables(parts)[["estimate", "se", "df"]].round(3).iloc[0].tolist()
    [2.0, 2.0, 1.778]
    """
    parts = list(tables) if isinstance(tables, Iterable) and not isinstance(tables, str) else []
    if len(parts) < 2 or not all(
        isinstance(own, pd.DataFrame) and set(_COLUMNS) <= set(own) for own in parts
    ):
        raise OptionError(
            "pool_tables wants the tables of at least 2 imputations, each with the columns "
            "estimate, se and df."
        )
    labels = parts[0].index
    if any(not own.index.equals(labels) for own in parts):
        raise OptionError("pool_tables wants tables with the same rows in the same order.")
    estimates, errors, degrees = (
        np.array([own[name].to_numpy(np.float64) for own in parts]) for name in _COLUMNS
    )
    estimate = estimates.mean(axis=0)
    se, df, lost = pooled_errors(estimates, errors, degrees.min(axis=0))
    table = infer(labels, estimate, StandardErrors(se, df), level, null)
    reasons = [own["reason"].to_numpy() for own in parts if "reason" in own]
    for own in reasons:
        table["reason"] = np.where((table["reason"] != "") & (own != ""), own, table["reason"])
    return table.assign(missing_information=np.where(np.isfinite(table["se"]), lost, np.nan))


def pooled_errors(estimates: Floats, errors: Floats, df: Floats) -> tuple[Floats, Floats, Floats]:
    """Return standard errors, degrees of freedom and missing information of pooled estimates.

    Parameters
    ----------
    estimates, errors
        Of each imputation, (imputations, entries).
    df
        Degrees of freedom of the complete data, (entries,).

    References
    ----------
    Barnard and Rubin (1999), eqs. 3-5.
    """
    m = len(estimates)
    within = (errors**2).mean(axis=0)
    between = (1.0 + 1.0 / m) * estimates.var(axis=0, ddof=1)
    total = within + between
    share = np.where(total > 0, between / np.where(total > 0, total, 1.0), 0.0)
    of_imputation = (m - 1) / np.where(share > 0, share, np.nan) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = np.where(np.isinf(df), np.inf, (df + 1.0) / (df + 3.0) * df * (1.0 - share))
        pooled = np.where(share > 0, 1.0 / (1.0 / of_imputation + 1.0 / observed), df)
    ratio = between / np.where(within > 0, within, np.nan)
    lost = (ratio + 2.0 / (pooled + 3.0)) / (1.0 + ratio)
    return np.sqrt(total), pooled, np.where(share > 0, lost, 0.0)
