"""Markets side by side: whether satisfaction buys the same loyalty in each of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.bounds import THRESHOLDS
from csimodel.errors import OptionError, SurveyError
from csimodel.estimators import Fit
from csimodel.findings import Finding, Severity, listed
from csimodel.floats import own_errstate
from csimodel.inference import FitErrors
from csimodel.limits import FEWEST_IN_SEGMENT
from csimodel.options import require_count, require_level
from csimodel.outcomes.design.layout import Layout, Part, value_of
from csimodel.outcomes.kernels.kernel import Ending
from csimodel.outcomes.models.draws import about_losses, regression_draws
from csimodel.outcomes.models.repurchase import repurchase
from csimodel.outcomes.models.result import Repurchase
from csimodel.outcomes.models.segments.regression import regress_segments
from csimodel.outcomes.models.segments.result import Segments, extremes
from csimodel.outcomes.rows.arguments import Column, Index
from csimodel.outcomes.rows.columns import Ends
from csimodel.outcomes.rows.rows import Rows
from csimodel.outcomes.rows.sample import Sample
from csimodel.survey import Survey
from csimodel.survey.calibration import without_calibration
from csimodel.survey.checks import labels_of
from csimodel.survey.sampling import SurveyDesign

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_FEW_CLUSTERS = int(THRESHOLDS["few clusters of a segment"].value)


@own_errstate
@checked
def repurchase_segments(
    fit: Fit | Survey | pd.DataFrame | None = None,
    outcome: Column | None = None,
    by: Column | None = None,
    *,
    index: Index = "Satisfaction",
    family: str = "fractional-logit",
    scale: Ends | None = None,
    curvature: bool = True,
    errors: str | None = None,
    weights: Column | None = None,
    cluster: Column | None = None,
    bootstrap: FitErrors | None = None,
    fewest: int = FEWEST_IN_SEGMENT,
    level: float = 0.95,
    progress: bool = True,
) -> Segments:
    """Compare the curve of repurchase over the satisfaction index between segments.

    Every segment has its own constant, slope and (with ``curvature``) bend on the family's scale:
    ``η = a_g + b_g x + c_g (x - m)²/100²``, m the mean index of all. Wald tests ask whether the
    slopes and bends are the same everywhere; levels may differ.

    Parameters
    ----------
    fit, outcome, family, scale, errors, weights, cluster, level, progress
        As in `repurchase`; families with an ordered outcome are left to `repurchase`.
    by
        Column (or values) that says who belongs where. Rows without are left out, and counted.
    index
        The construct whose index it is, or points computed elsewhere, as in `repurchase`.
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
    >>> rng = np.random.default_rng(1)
    >>> x, market = rng.uniform(0, 100, 400), np.repeat(["captive", "contested"], 200)
    >>> p = np.where(market == "captive", 0.8, 0.2 + 0.006 * x)
    >>> again = (rng.random(400) < p) * 1.0
    >>> found = repurchase_segments(index=x, outcome=again, by=market, family="logit")
    >>> bool(found.tests.loc["slopes", "p"] < 0.01)
    True
    """
    require_level(level)
    rows = Rows.of(
        fit, "repurchase_segments", [index, outcome, by], weights=weights, cluster=cluster
    )
    drawn = rows.require_chain(bootstrap, index)
    rep = repurchase(
        fit, outcome, index=index, family=family, scale=scale, errors=errors, weights=weights,
        cluster=cluster, level=level, progress=progress,
    )  # fmt: skip
    if by is None:
        raise OptionError("There are no segments; name the column that says who is where as by=.")
    if len(rep.indexes) > 1:
        raise OptionError(
            f"repurchase_segments takes one index, and {len(rep.indexes)} were given; name one."
        )
    labels = rows.column(by, "by")[1]
    segments = _interacted(rep, labels.iloc[rep.regression.sample.rows], curvature, fewest)
    if drawn is None:
        return segments
    draws = regression_draws(drawn, segments.regression, progress)
    told = tuple(finding for finding in about_losses(draws) if finding.code.endswith("-draws"))
    if drawn.replication is None:
        told = (*told, *without_calibration(rep.regression.sample.calibrated, "draws"))
    findings = (*segments.findings, *told)
    return replace(segments, curves_of=replace(segments.curves_of, draws=draws, findings=findings))


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
    own = _design(sample, place, centre, curvature)
    _require_own_variation(own, place, names)
    if rep.regression.cluster is not None:
        findings = (*findings, *_clusters_within(own, place, names, rep.errors))
    regression = regress_segments(own, place, names, rep.family, rep.errors)
    joint = replace(rep, regression=regression, findings=(*rep.findings, *findings))
    if not np.isfinite(regression.coefficients).all():
        separated = regression.ending == Ending.SEPARATED
        code = "separation" if separated else "no-information"
        failure = Finding(code, _NO_CURVES[code], names, "failure")
        joint = replace(joint, findings=(*joint.findings, failure))
    return Segments(joint, regression, names, centre, curvature)


def _large_enough(
    codes: Codes, names: list[str], fewest: int
) -> tuple[Codes, tuple[str, ...], tuple[Finding, ...]]:
    """Return the new number of each segment, -1 for those left out, and what was left out."""
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    large = counts >= fewest
    findings = []
    without = int((codes < 0).sum())
    if without:
        message = (
            "{count} of {total} respondents {count:belongs|belong} to no segment and "
            "{count:was|were} left out."
        )
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
            "{count} of {total} segments with fewer than {fewest} respondents {count:was|were} "
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
        calibrated=None if sample.calibrated is None else sample.calibrated.part(rows),
        domain=None if sample.domain is None else sample.domain.part(rows),
    )


def _design(sample: Sample, place: Codes, centre: float, curvature: bool) -> Sample:
    """Return a sample whose columns are the index and its bend, and segments as the factor."""
    label, points = sample.indexes[0], [sample.regressors[:, 0]]
    bend = tuple(
        Part(scale / 1e4, None, (power,))
        for scale, power in ((1.0, 2), (-2.0 * centre, 1), (centre**2, 0))
    )
    columns = ((Part(1.0, None, (1,)),), bend)[: 1 + curvature]
    return replace(
        sample,
        regressors=np.column_stack([np.asarray(value_of(own, points, [])) for own in columns]),
        names=(label, f"{label}²")[: 1 + curvature],
        indexes=(label,),
        formula_layout=Layout(columns, 1),
        formula_factors=place[:, None].astype(np.float64),
    )


def _require_own_variation(sample: Sample, place: Codes, names: tuple[str, ...]) -> None:
    columns = {
        "index": sample.regressors[:, 0],
        f"outcome {sample.label!r}": sample.outcome,
    }
    ranges = {what: np.subtract(*extremes(values, place)) for what, values in columns.items()}
    for g, name in enumerate(names):
        for what, width in ranges.items():
            if width[g] <= 1e-9:
                count = int((place == g).sum())
                raise SurveyError(
                    f"The {what} is the same for all {count} respondents of segment "
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
    pairs = np.unique(np.stack([place, sample.cluster]), axis=1)
    counts = np.bincount(pairs[0], minlength=len(names)).tolist()
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
