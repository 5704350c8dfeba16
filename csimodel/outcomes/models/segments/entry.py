"""Markets side by side: whether satisfaction buys the same loyalty in each of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from csimodel.arguments import checked
from csimodel.bounds import THRESHOLDS
from csimodel.errors import OptionError, SurveyError, suggest
from csimodel.estimators import Fit, require_fit, require_own
from csimodel.findings import Finding, Severity, listed
from csimodel.floats import own_errstate
from csimodel.inference import Bootstrap
from csimodel.options import require_count
from csimodel.outcomes.design.layout import Layout, Part, value_of
from csimodel.outcomes.kernels.kernel import Ending
from csimodel.outcomes.models.draws import chain_of
from csimodel.outcomes.models.findings import diagnose
from csimodel.outcomes.models.regression import regress
from csimodel.outcomes.models.repurchase import repurchase, repurchase_of_index
from csimodel.outcomes.models.result import Repurchase
from csimodel.outcomes.models.segments.result import Segments
from csimodel.outcomes.rows.columns import Ends, aligned, labels_of, name_of
from csimodel.outcomes.rows.sample import Sample
from csimodel.survey import Survey
from csimodel.survey.headers import column_of
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_FEW_CLUSTERS = int(THRESHOLDS["few clusters of a segment"].value)


@own_errstate
@checked
def repurchase_segments(
    fit: Fit,
    outcome: str | pd.Series | ArrayLike,
    by: str | pd.Series | ArrayLike,
    *,
    index: str = "Satisfaction",
    family: str = "fractional-logit",
    scale: Ends | None = None,
    curvature: bool = True,
    errors: str | None = None,
    bootstrap: Bootstrap | None = None,
    fewest: int = 30,
    level: float = 0.95,
    progress: bool = True,
) -> Segments:
    """Compare the curve of repurchase over the satisfaction index between segments.

    Every segment has its own constant, slope and (with ``curvature``) bend on the family's scale:
    ``η = a_g + b_g x + c_g (x - m)²/100²``, m the mean index of all. Wald tests ask whether the
    slopes and bends are the same everywhere; levels may differ.

    Parameters
    ----------
    fit
        A fit on a survey whose items have scale bounds.
    outcome, family, scale, errors, level, progress
        As in `repurchase`; families with an ordered outcome are left to `repurchase`.
    by
        Column of the survey (or values for its rows) that says who belongs where. Rows without
        are left out, and counted.
    index
        The construct whose index it is.
    curvature
        Let the curves bend beyond what the family does.
    bootstrap
        Draws of this fit; then every error is of the whole chain.
    fewest
        Segments with fewer respondents are left out, named and counted.

    Returns
    -------
    Segments
        ``table``, ``tests``, ``pairwise`` (Holm), ``curves()``, ``contrast(67, 70)``.

    Raises
    ------
    SurveyError
        When `by` is not there, or fewer than two segments are large enough.
    OptionError
        When an option does not fit.
    SurveyError, ModelError, EstimationError, InferenceError
        As in `repurchase`.

    References
    ----------
    Jones, T. O., Sasser, W. E. (1995). Why satisfied customers defect. Harvard Business Review
    73(6), 88-99.

    Examples
    --------
    >>> import csimodel as csi
    >>> from csimodel.outcomes import repurchase_segments
    >>> survey = csi.load_mobi()
    >>> fit = csi.fit(csi.models.ecsi(), survey)
    >>> half = pd.Series(["a", "b"] * 125, survey.data.index, name="half")
    >>> found = repurchase_segments(fit, "CUSL1", by=half, curvature=False)
    >>> found.table["n"].tolist(), list(found.tests.index)
    ([125, 125], ['slopes'])
    """
    fit = require_fit(fit, "repurchase_segments")
    rep = repurchase(
        fit, outcome, index=index, family=family, scale=scale, errors=errors, level=level,
        progress=progress,
    )  # fmt: skip
    survey = fit.survey
    if not isinstance(survey, Survey):
        raise SurveyError(
            "repurchase_segments needs the fit's survey; fit a survey or a data frame."
        )
    require_own(bootstrap, fit)
    labels = _labels(by, survey.data)
    rows = fit.require_answers("repurchase_segments").rows[rep.regression.sample.rows]
    found = _interacted(rep, labels.iloc[rows], curvature, fewest)
    if bootstrap is None:
        return found
    chain = chain_of(bootstrap, found.repurchase.regression, progress)
    lost = diagnose(found.repurchase.regression, chain)
    told = tuple(finding for finding in lost if finding.code.endswith("-draws"))
    diagnostics = (*found.diagnostics, *told)
    return replace(
        found, repurchase=replace(found.repurchase, chain=chain, diagnostics=diagnostics)
    )


@own_errstate
@checked
def repurchase_segments_of_index(
    index: pd.Series | ArrayLike,
    outcome: pd.Series | ArrayLike,
    by: pd.Series | ArrayLike,
    *,
    family: str = "fractional-logit",
    scale: Ends | None = None,
    curvature: bool = True,
    errors: str | None = None,
    weights: pd.Series | ArrayLike | None = None,
    cluster: pd.Series | ArrayLike | None = None,
    fewest: int = 30,
    level: float = 0.95,
) -> Segments:
    """Compare the curve of repurchase over an index that was computed elsewhere.

    Parameters
    ----------
    index
        Points from 0 to 100 of each respondent.
    outcome, by, weights, cluster
        One row for each respondent; Series need the row labels of the index.
    family, scale, curvature, errors, fewest, level
        As in `repurchase_segments`.

    Raises
    ------
    SurveyError, OptionError, EstimationError
        As in `repurchase_segments`.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x, market = rng.uniform(0, 100, 400), np.repeat(["captive", "contested"], 200)
    >>> p = np.where(market == "captive", 0.8, 0.2 + 0.006 * x)
    >>> found = repurchase_segments_of_index(x, (rng.random(400) < p) * 1.0, market, family="logit")
    >>> bool(found.tests.loc["slopes", "p"] < 0.01)
    True
    """
    rep = repurchase_of_index(
        index, outcome, family=family, scale=scale, errors=errors, weights=weights,
        cluster=cluster, level=level,
    )  # fmt: skip
    if len(rep.indexes) > 1:
        raise OptionError(
            f"repurchase_segments_of_index takes one index, and {len(rep.indexes)} were given; "
            "name one."
        )
    own = index.index if isinstance(index, pd.Series) else None
    if own is None:
        own = (
            outcome.index if isinstance(outcome, pd.Series) else pd.RangeIndex(len(np.asarray(by)))
        )
    labels = _labels(by, pd.DataFrame(index=own))
    return _interacted(rep, labels.iloc[rep.regression.sample.rows], curvature, fewest)


def _labels(by: object, frame: pd.DataFrame) -> pd.Series:
    if isinstance(by, str):
        column = column_of(frame.columns, by)
        if column is None:
            raise SurveyError(
                f"by={by!r} is not a column of the survey{suggest(by, frame.columns)}; name one of "
                "its columns, or give a Series with a value for each row."
            )
        return frame[column]
    return aligned(by, frame.index, f"by={name_of(by, 'segments')!r}")


def _interacted(rep: Repurchase, labels: pd.Series, curvature: bool, fewest: int) -> Segments:
    """Fit one regression in which every segment has its own curve."""
    require_count("fewest", fewest, "")
    sample = rep.regression.sample
    if sample.ordering is not None:
        raise OptionError(
            f"family={rep.family.name!r} is not made for segments; use 'fractional-logit', or an "
            "outcome of 0 and 1 with 'logit'."
        )
    codes, labels_met = labels_of(labels, "by")
    new, names, findings = _large_enough(codes, [str(label) for label in labels_met], fewest)
    place = new[codes]  # code -1 looks at the last, which is -1
    sample, place = _subset(sample, np.flatnonzero(place >= 0)), place[place >= 0]
    centre = float(sample.share @ sample.regressors[:, 0])
    own = _design(sample, place, names, centre, curvature)
    _require_own_variation(own, place, names)
    if rep.regression.cluster is not None:
        findings = (*findings, *_clusters_within(own, place, names, rep.errors))
    regression = regress(own, rep.family, rep.errors)
    made = replace(rep, regression=regression, diagnostics=(*rep.diagnostics, *findings))
    if not np.isfinite(regression.coefficients).all():
        separated = regression.ending == Ending.SEPARATED
        code = "separation" if separated else "no-information"
        failure = Finding(code, _NO_CURVES[code], names, "failure")
        made = replace(made, diagnostics=(*made.diagnostics, failure))
    return Segments(made, names, place, centre, curvature)


def _large_enough(
    codes: Codes, names: list[str], fewest: int
) -> tuple[Codes, tuple[str, ...], tuple[Finding, ...]]:
    """Return the new number of each segment, -1 for those left out, and what was left out."""
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    large = counts >= fewest
    findings = []
    without = int((codes < 0).sum())
    if without:
        message = "{count} of {total} respondents belong to no segment and were left out."
        findings.append(
            Finding(
                "no-segment",
                message,
                (),
                "note",
                without,
                values={"count": without, "total": len(codes)},
            )
        )
    if not large.all():
        small = {n: int(c) for n, c, ok in zip(names, counts, large, strict=True) if not ok}
        segments = tuple(f"{name} ({count})" for name, count in small.items())
        message = (
            "{count} of {total} segments with fewer than {fewest} respondents were "
            "left out: {segments}."
        )
        findings.append(
            Finding(
                "small-segments",
                message,
                tuple(small),
                "warning",
                sum(small.values()),
                values={
                    "count": len(small),
                    "total": len(names),
                    "fewest": fewest,
                    "segments": segments,
                },
            )
        )
    if large.sum() < 2:
        raise SurveyError(
            f"Only {int(large.sum())} of {len(names)} segments have at least {fewest} respondents "
            "with an outcome and an index, and 2 are needed; lower fewest= or take another column."
        )
    kept = np.where(large, np.cumsum(large) - 1, -1)
    kept = np.append(kept, -1)  # code -1, no segment, looks here
    return kept, tuple(n for n, ok in zip(names, large, strict=True) if ok), tuple(findings)


def _subset(sample: Sample, rows: Codes) -> Sample:
    """Keep some rows of a sample."""
    weights = None if sample.weights is None else sample.weights[rows]
    cluster = None if sample.cluster is None else sample.cluster[rows]
    strata = None if sample.strata is None else sample.strata[rows]
    design = SurveyDesign.of(sample.n, sample.strata, sample.cluster, population=sample.population)
    return replace(
        sample,
        outcome=sample.outcome[rows],
        regressors=sample.regressors[rows],
        rows=sample.rows[rows],
        weights=None if weights is None else weights / weights.mean(),
        cluster=None if cluster is None else np.unique(cluster, return_inverse=True)[1],
        strata=None if strata is None else np.unique(strata, return_inverse=True)[1],
        population=design.population_of_part(rows),
    )


def _design(
    sample: Sample, place: Codes, names: tuple[str, ...], centre: float, curvature: bool
) -> Sample:
    """Return a sample whose columns are the index, its bend, and what each segment adds.

    Order: index, bend; then for each segment but the first its level, slope and bend.
    """
    label = sample.indexes[0]
    factors = np.stack([place == g for g in range(1, len(names))], axis=1).astype(np.float64)

    def polynomial(factor: int | None) -> list[tuple[Part, ...]]:
        slope = (Part(1.0, factor, (1,)),)
        bend = tuple(
            Part(scale / 1e4, factor, (power,))
            for scale, power in ((1.0, 2), (-2.0 * centre, 1), (centre**2, 0))
        )
        return [slope, bend] if curvature else [slope]

    columns, titles = polynomial(None), [label, f"{label}²"][: 1 + curvature]
    for g, name in enumerate(names[1:]):
        columns += [(Part(1.0, g, (0,)),), *polynomial(g)]
        titles += [name, f"{name} × {label}", f"{name} × {label}²"][: 2 + curvature]
    points, parts = [sample.regressors[:, 0]], list(factors.T)
    values = [np.asarray(value_of(column, points, parts)) for column in columns]
    return replace(
        sample,
        regressors=np.column_stack(values),
        names=tuple(titles),
        indexes=(label,),
        formula_layout=Layout(tuple(columns), 1),
        formula_factors=factors,
    )


def _require_own_variation(sample: Sample, place: Codes, names: tuple[str, ...]) -> None:
    for g, name in enumerate(names):
        own = place == g
        columns = {
            "index": sample.regressors[own, 0],
            f"outcome {sample.label!r}": sample.outcome[own],
        }
        for what, values in columns.items():
            if np.ptp(values) <= 1e-9:
                raise SurveyError(
                    f"The {what} is the same for all {len(values)} respondents of segment "
                    f"{name!r}, so it has no curve; leave it out or merge it with another."
                )


def _clusters_within(
    sample: Sample, place: Codes, names: tuple[str, ...], errors: str
) -> tuple[Finding, ...]:
    """Refuse segments of one cluster, and name those of few.

    The scores of a segment with coefficients of its own sum to zero, so that with a single cluster
    its clustered errors are zero whatever the data.
    """
    assert sample.cluster is not None
    counts = [len(np.unique(sample.cluster[place == g])) for g in range(len(names))]
    alone = [name for name, count in zip(names, counts, strict=True) if count < 2]
    if alone:
        raise OptionError(
            f"Segments of a single cluster ({listed(map(repr, alone))}) have clustered errors of "
            "zero whatever the data; use errors='HC1', or segments that hold several clusters."
        )
    few = {n: c for n, c in zip(names, counts, strict=True) if c < _FEW_CLUSTERS}
    if not few:
        return ()
    told = [f"{name} ({count})" for name, count in few.items()]
    values = {"fewest": _FEW_CLUSTERS, "segments": told}
    sentence = _FEW_REDUCED if errors == "CR2" else _FEW_PLAIN
    severity: Severity = "note" if errors == "CR2" else "warning"
    return (Finding("few-clusters-in-segment", sentence, tuple(few), severity, len(few), values),)


_NO_CURVES = {
    "separation": (
        "The outcome is told without error by the index in at least one segment, so there are no "
        "finite curves; use family='ols' or a larger fewest=."
    ),
    "no-information": (
        "At least one segment has too few values of the index, or too little weight on its "
        "respondents, for a curve of its own, so there are no curves; use curvature=False or a "
        "larger fewest=."
    ),
}
_FEW_PLAIN = (
    "Segments with fewer than {fewest} clusters: {segments}; their errors tend to be too small, so "
    "differences are found too often."
)
_FEW_REDUCED = (
    "Segments with fewer than {fewest} clusters: {segments}; little is known about their errors, "
    "which intervals and tests allow for, so that they find little."
)
