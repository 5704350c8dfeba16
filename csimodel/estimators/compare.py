"""Fits of one model side by side: PLS, PLSc, covariance SEM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from csimodel.errors import ModelError, OptionError
from csimodel.estimators.estimates import Outcome
from csimodel.estimators.fit import Fit
from csimodel.estimators.quantities import Quantity, find


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Fits of the same constructs and paths, a column each.

    Attributes
    ----------
    fits
        What is compared.
    names
        What the columns are called.
    """

    fits: tuple[Fit, ...]
    names: tuple[str, ...]

    def table(self, quantity: str | Quantity) -> pd.DataFrame:
        """Return a quantity of every fit, entries × fits; NaN for a fit without a solution."""
        found = find(quantity)
        columns = {}
        for name, fit in zip(self.names, self.fits, strict=True):
            values = pd.Series(found.values(fit.solution), found.labels(fit.model))
            columns[name] = values if fit.converged else values * float("nan")
        return pd.DataFrame(columns)

    @cached_property
    def paths(self) -> pd.DataFrame:
        """Standardised paths, with the `spread` between the largest and the smallest."""
        table = self.table("paths")
        return table.assign(spread=table.max(axis=1) - table.min(axis=1))

    @cached_property
    def trust(self) -> pd.DataFrame:
        """How far each fit can be trusted: outcome, and findings counted by severity."""
        rows = []
        for fit in self.fits:
            severities = [finding.severity for finding in fit.diagnostics]
            rows.append(
                {
                    "outcome": Outcome(int(fit.estimates.outcome)).reason,
                    "rows": fit.n,
                    "failures": severities.count("failure"),
                    "warnings": severities.count("warning"),
                }
            )
        return pd.DataFrame(rows, index=pd.Index(self.names, name="fit"))

    def __repr__(self) -> str:
        return (
            f"Paths\n{self.paths.round(3).to_string()}\n\nR²\n"
            f"{self.table('r2').round(3).to_string()}\n\nHow far to trust them\n"
            f"{self.trust.to_string()}"
        )

    def _repr_html_(self) -> str:
        parts = (self.paths.round(3), self.table("r2").round(3), self.trust)
        return "".join(part.to_html(border=0) for part in parts)


def compare(*fits: Fit, names: Sequence[str] | None = None) -> Comparison:
    r"""Put fits of the same constructs and paths side by side.

    PLS gives relations of weighted sums of answers, PLSc and covariance SEM those of the constructs
    behind them, so PLS paths of well measured constructs are nearer to the others than those of
    badly measured ones.

    Parameters
    ----------
    fits
        Two or more, of models with the same constructs and paths.
    names
        Of the columns; by default the estimators' names, numbered where they repeat.

    Raises
    ------
    OptionError
        For fewer than two fits, or names that do not fit.
    ModelError
        When constructs or paths differ.

    Examples
    --------
    >>> import csimodel as csi
    >>> model = csi.Model.from_syntax("Q =~ PERQ1 + PERQ3 + PERQ5\nV =~ PERV1 + PERV2\nV ~ Q")
    >>> fits = [csi.fit(model, csi.load_mobi(), by) for by in (csi.PLS(), csi.ML())]
    >>> csi.compare(*fits).paths.round(3).iloc[0].tolist()
    [0.565, 0.688, 0.123]
    """
    if len(fits) < 2:
        raise OptionError(f"compare takes two fits or more, and got {len(fits)}.")
    first = fits[0].model
    for fit in fits[1:]:
        same = fit.model.construct_names == first.construct_names and fit.model.paths == first.paths
        if not same:
            raise ModelError(
                "The fits are of models with other constructs or paths, which have no common "
                "table; compare fits of one model."
            )
    if names is None:
        labels = [fit.estimator.label for fit in fits]
        names = [
            label if labels.count(label) == 1 else f"{label} ({labels[:k].count(label) + 1})"
            for k, label in enumerate(labels)
        ]
    if len(set(names)) != len(fits):
        raise OptionError(
            f"names={list(names)!r} must name the {len(fits)} fits, each differently."
        )
    return Comparison(tuple(fits), tuple(names))
