"""Replicate weights: what each respondent counts in samples that the survey's makers drew again.

The variance of an estimate θ is ``c Σ_r a_r (θ_r - θ̄)²`` over replicates r, θ̄ their mean or, with
``mse=True``, the estimate itself; the method says c and a_r, or whoever made the weights does.

References
----------
Wolter, K. M. (2007). Introduction to Variance Estimation, chapters 3 to 5.
https://doi.org/10.1007/978-0-387-35099-8

Judkins, D. R. (1990). Fay's method for variance estimation. Journal of Official Statistics 6,
223-239.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.errors import OptionError, SurveyError, choose
from csimodel.findings import Finding
from csimodel.options import number_of, shown
from csimodel.survey.checks import number, numeric_block, plural
from csimodel.survey.headers import require_column
from csimodel.survey.replicate_patterns import likely_method
from csimodel.survey.sampling import ReplicateVariance, SurveyDesign
from csimodel.translation import message

Floats = NDArray[np.float64]
Scheme = Literal["jk1", "jkn", "brr", "fay", "bootstrap"]

_NOT_USED = (
    "The survey has {count} replicate weights, and errors by {what} do not use them: they are "
    "those of respondents drawn one by one; csi.replicate(fit) uses them."
)
_LABELS = {
    "jk1": message("jackknife, one unit left out at a time"),
    "jkn": message("jackknife within strata"),
    "brr": message("balanced repeated replication"),
    "fay": message("balanced repeated replication, Fay's"),
    "bootstrap": message("bootstrap"),
}
_INDEPENDENT = 1e-5  # of the largest singular value: below, a replicate is a sum of others


@dataclass(frozen=True)
class ReplicateMethod:
    """How replicate weights were made, and so how estimates from them become an error.

    Attributes
    ----------
    scheme
        ``"jk1"`` leaves out each unit, ``"jkn"`` each within its stratum, ``"brr"`` takes half of
        two units of each stratum, ``"fay"`` weights the other half down, not out; ``"bootstrap"``
        draws units again. The scale c is ``(R - 1)/R``, 1, ``1/R``, ``1/(R (1 - fay)²)`` and
        ``1/(R - 1)`` of R replicates.
    fay
        What the other half keeps of its weight under ``"fay"``, from 0 to below 1.
    scale
        The scale c, where it is another.
    rscales
        The factor a_r of each replicate, 1 by default; needed for ``"jkn"``, where it is ``(m -
        1)/m`` of a stratum of m units, times the share not drawn of a finite population.
    mse
        Whether deviations are from the estimate, not from the mean of the replicates.
    combined
        Whether replicate weights are whole weights (the default), or factors of the survey's.

    Examples
    --------
    >>> float(ReplicateMethod("fay", fay=0.5).scales(16)[0])
    0.25
    """

    scheme: Scheme
    fay: float = 0.0
    scale: float | None = None
    rscales: tuple[float, ...] | None = None
    mse: bool = False
    combined: bool = True

    def __post_init__(self) -> None:
        choose("replicate_method", self.scheme, get_args(Scheme))
        fay, scale = number_of(self.fay), number_of(self.scale)
        if fay is None or not 0.0 <= fay < 1.0 or (fay > 0.0 and self.scheme != "fay"):
            raise OptionError(
                f"fay={shown(self.fay)} must be from 0 to below 1, what the half left out keeps of "
                "its weight, and belongs to the method 'fay' only."
            )
        for name in ("mse", "combined"):
            if not isinstance(getattr(self, name), bool | np.bool_):
                raise OptionError(f"{name}={shown(getattr(self, name))} must be True or False.")
        if self.scale is not None and not (scale is not None and 0.0 < scale < np.inf):
            raise OptionError(f"scale={shown(self.scale)} must be a number above 0.")
        if self.rscales is None:
            return
        factors = [number_of(value) for value in self.rscales]
        for value, factor in zip(self.rscales, factors, strict=True):
            if factor is None or not 0.0 <= factor < np.inf:
                raise OptionError(f"rscales has {shown(value)}; its entries are numbers from 0 on.")
        object.__setattr__(self, "rscales", tuple(factors))

    def scales(self, replicates: int) -> Floats:
        """Return ``c a_r``, (replicates,)."""
        R = float(replicates)
        own = {
            "jk1": (R - 1.0) / R,
            "jkn": 1.0,
            "brr": 1.0 / R,
            "fay": 1.0 / (R * (1.0 - self.fay) ** 2),
            "bootstrap": 1.0 / (R - 1.0),
        }
        scale = own[self.scheme] if self.scale is None else self.scale
        return scale * (np.ones(replicates) if self.rscales is None else np.array(self.rscales))


@dataclass(frozen=True, eq=False)
class ReplicateWeights:
    """What rows count in each replicate, as factors of their weight.

    Attributes
    ----------
    factors
        (replicates, rows)
    replication
        How estimates from the replicates become an error.
    """

    factors: Floats
    replication: ReplicateVariance

    def take(self, rows: NDArray[np.intp]) -> ReplicateWeights:
        """Return those of some rows."""
        return ReplicateWeights(self.factors[:, rows], self.replication)


def unused_replicates(count: int, what: str) -> tuple[Finding, ...]:
    """Return what is said where errors of respondents do not use the replicate weights there are.

    >>> unused_replicates(0, "this regression")
    ()
    """
    if not count:
        return ()
    values = {"count": count, "what": what}
    return (Finding("replicates-not-used", _NOT_USED, count=count, values=values),)


def replicate_columns(frame: pd.DataFrame, names: str | Sequence[str]) -> tuple[str, ...]:
    """Return the columns of replicate weights: those that a pattern such as ``"rw*"`` fits.

    Raises
    ------
    SurveyError
        When a column is not there, or fewer than two are.

    Examples
    --------
    >>> frame = pd.DataFrame({"rw2": [1], "w": [1], "rw1": [1]})
    >>> replicate_columns(frame, "rw*")
    ('rw2', 'rw1')
    """
    if isinstance(names, str):
        fitting = tuple(name for name in frame.columns if fnmatchcase(str(name), names))
        many = f"{len(fitting)} {plural(len(fitting), 'column')}"
        seen = f"replicate_weights={names!r} fits {many} of the data"
    else:
        fitting = tuple(require_column(frame, name, "replicate_weights") for name in names)
        seen = f"replicate_weights names {len(fitting)} {plural(len(fitting), 'column')}"
    if len(fitting) < 2 or len(set(fitting)) < len(fitting):
        raise SurveyError(
            f"{seen}; give a pattern such as 'rw*', or a list of two or more different names."
        )
    return fitting


def require_scheme(method: object) -> Scheme:
    """Return the name of a method when it is one of those known.

    Raises
    ------
    OptionError
        When it is not.

    Examples
    --------
    >>> require_scheme("brr")
    'brr'
    """
    for known in get_args(Scheme):
        if method == known:
            scheme: Scheme = known
            return scheme
    choose("replicate_method", method, get_args(Scheme))
    raise AssertionError


def label_of_scheme(scheme: str) -> str:
    """Return what a method is called in a text.

    >>> label_of_scheme("brr")
    'balanced repeated replication'
    """
    return _LABELS.get(scheme, scheme)


def require_method(
    columns: tuple[str, ...],
    method: str | ReplicateMethod | None,
    frame: pd.DataFrame,
    weights: str | None,
) -> ReplicateMethod:
    """Return the method of replicate weights in a table, when it is complete.

    Raises
    ------
    OptionError
        When it is missing or not known, or needs factors of replicates.
    SurveyError
        When there are not as many factors as columns.
    """
    if method is None:
        raise OptionError(
            "Replicate weights need the method that made them; give replicate_method= as one of "
            f"{', '.join(map(repr, get_args(Scheme)))}, as their documentation says "
            f"({likely_method(frame, columns, weights)})."
        )
    if not isinstance(method, ReplicateMethod):
        method = ReplicateMethod(require_scheme(method))
    if method.scheme == "jkn" and method.rscales is None:
        raise OptionError(
            "replicate_method='jkn' needs the factor (m - 1)/m of each replicate's stratum; give "
            "csi.survey.ReplicateMethod('jkn', rscales=[…]), or make the replicates with "
            "csi.replicate_weights(survey, 'jkn')."
        )
    if method.rscales is not None and len(method.rscales) != len(columns):
        raise SurveyError(
            f"There are {len(columns)} columns of replicate weights and {len(method.rscales)} "
            "rscales; give one for each column."
        )
    return method


def replicates_of_rows(
    frame: pd.DataFrame,
    columns: tuple[str, ...],
    method: ReplicateMethod | None,
    weights: str | None,
    rows: NDArray[np.intp],
    design: SurveyDesign,
) -> ReplicateWeights | None:
    """Return the replicate weights of the rows at `rows`; None where there are none.

    Degrees of freedom are those of the design where strata or clusters are known; else one fewer
    than the replicates that are no sum of others.

    Raises
    ------
    SurveyError
        When a weight is negative, infinite or missing, a column is 0 throughout, or there are not
        as many as the method makes of the design.
    """
    if not columns or method is None:
        return None
    if method.combined and weights is None:
        raise SurveyError(
            "Replicate weights are whole weights, and the survey has none of its own to compare "
            "them with; name its column as weights=, or say ReplicateMethod(…, combined=False)."
        )
    values = numeric_block(frame, columns)[0][rows].T
    for name, own in zip(columns, values, strict=True):
        _require_weights(name, own, rows)
    factors, base = values, None
    if method.combined and weights is not None:
        base = numeric_block(frame, [weights])[0][rows, 0]
        factors = values / base
    known = design.strata > 1 or design.kind == "cluster"
    if known:
        _require_number(len(columns), method.scheme, design)
    df = design.df if known else _rank(factors if base is None else values) - 1
    replication = ReplicateVariance(method.scales(len(columns)), method.mse, df, method.scheme)
    return ReplicateWeights(factors, replication)


def require_same_weights(base: str | None, weights: str | None) -> None:
    """Refuse replicates of other weights than the survey's, as of those before raking.

    Raises
    ------
    SurveyError
        With the way out.
    """
    if base is not None and base != weights:
        now = "there are none" if weights is None else f"they are {weights!r}"
        raise SurveyError(
            f"The replicate weights vary the weights {base!r}, and now {now}; adjust weights "
            "first, then make replicates of them with csi.replicate_weights."
        )


def _require_weights(name: str, values: Floats, rows: NDArray[np.intp]) -> None:
    """Refuse a column with a weight that is none."""
    for wrong, kind in (
        (values < 0, "negative"),
        (np.isinf(values), "infinite"),
        (np.isnan(values), "missing"),
    ):
        places = np.flatnonzero(wrong)
        if len(places):
            first = places[0]
            seen = "" if kind == "missing" else f"{number(values[first])} "
            raise SurveyError(
                f"Replicate weight {name!r} has {len(places)} {kind} "
                f"{plural(len(places), 'value')} (first {seen}in row {rows[first] + 1}); replicate "
                "weights are 0 or positive numbers."
            )
    if not values.any():
        raise SurveyError(
            f"Replicate weight {name!r} is 0 in all rows, so that nothing can be estimated from "
            "it; leave the column out, with its factor."
        )


def _require_number(replicates: int, scheme: Scheme, design: SurveyDesign) -> None:
    """Refuse a number of replicates that the method cannot have made of a design."""
    units, strata = design.units, design.strata
    wrong = {
        "jk1": replicates != units,
        "jkn": not units - int(design.lonely_units.sum()) <= replicates <= units,
        "brr": replicates < strata,
        "fay": replicates < strata,
        "bootstrap": False,
    }
    if wrong[scheme]:
        needed = f"at least {strata}" if scheme in ("brr", "fay") else f"{units}"
        word = "stratum" if strata == 1 else "strata"
        raise SurveyError(
            f"There are {replicates} columns of replicate weights, and the method {scheme!r} makes "
            f"{needed} of {units} {design.kind}s in {strata} {word}; "
            "name all columns of one set, or correct strata, cluster or replicate_method."
        )


def _rank(values: Floats) -> int:
    """Return how many replicates are no sum of others."""
    size = np.linalg.eigvalsh(values @ values.T)
    return int((size > _INDEPENDENT**2 * size.max(initial=0.0)).sum())
