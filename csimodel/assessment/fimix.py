"""`fimix`: whether paths differ between parts of the respondents that no variable tells apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csimodel.arguments import checked
from csimodel.assessment.mixture import SegmentRegressions, equations_of
from csimodel.assessment.segments import HiddenSegments, SegmentSolution
from csimodel.bounds import THRESHOLDS
from csimodel.errors import EstimationError, OptionError, SurveyError
from csimodel.estimators import Fit, require_fit
from csimodel.findings import Finding
from csimodel.floats import own_errstate
from csimodel.limits import require_memory
from csimodel.options import number_of, require_array, require_count, require_number, seed_of, shown
from csimodel.progress import progress_bar

Floats = NDArray[np.float64]

_MOST_SEGMENTS = 20
_SAME = 1e-4  # log-likelihoods this near are those of one solution
_LEFT_OUT = "{count} of {total} respondents without scores {count:is|are} left out of the segments."
_WEIGHTED = (
    "Survey weights count respondents in the likelihood, so criteria treat them as if they were "
    "numbers of respondents."
)
_FEW_ROWS = (
    "{segments} segments have {parameters} parameters and there are {rows} respondents with "
    "scores, so that this number of segments is left out."
)
_NO_SOLUTION = (
    "No start of {segments} segments has a solution ({total} tried), because a segment loses its "
    "members or its variance, so that this number of segments is left out."
)
_LOST = (
    "{lost} of {total} starts of {segments} segments came to a segment without members or "
    "without a variance, and {lost:is|are} left out."
)
_ONCE = (
    "The best solution of {segments} segments was reached by one of {total} starts, so there may "
    "be a better one; take more (starts=)."
)
_UNSETTLED = (
    "The best start of {segments} segments still gained after {steps} steps; allow more "
    "(iterations=)."
)


class _ScoredSample(NamedTuple):
    """The regressions of a fit, and whose scores they are of."""

    regressions: SegmentRegressions
    known: NDArray[np.bool_]


@own_errstate
@checked
def fimix(
    fit: Fit,
    segments: int | Sequence[float] = (2, 3, 4, 5),
    starts: int | ArrayLike = 10,
    rng: int | np.random.Generator | None = 0,
    *,
    iterations: int = 5_000,
    tolerance: float = 1e-10,
    progress: bool = True,
) -> HiddenSegments:
    """Look for hidden segments whose paths differ (finite mixture PLS, FIMIX-PLS).

    Weights of items are those of all respondents; the regressions between scores have coefficients,
    constants and variances of their own in each segment, and each respondent belongs to each
    segment with some probability. Criteria compare numbers of segments, one among them.

    Parameters
    ----------
    fit
        By PLS.
    segments
        Numbers of segments to try; one that has no solution is left out, with a finding.
    starts
        How many random starts of each number of segments; the best solution is kept. Or the starts
        themselves, of one number of segments: probabilities, (starts, respondents, segments).
    rng
        An integer seed or a NumPy generator; None for other starts each time.
    iterations, tolerance
        Most steps of a start; it ends when its log-likelihood gains no more than the tolerance.
    progress
        Show a bar when it takes longer than a second.

    Returns
    -------
    HiddenSegments

    Raises
    ------
    OptionError
        For fits without regressions of scores (covariance SEM, PLSc), or options out of bounds.
    ModelError
        For models with products or constructs of constructs.
    SurveyError
        When the fit was made from moments, or there are fewer than 30 respondents, or no more than
        the fewest segments have parameters.
    EstimationError
        When no start of any number of segments has a solution, or the fit has none.

    Notes
    -----
    With Q parameters, n respondents and lnL: AIC ``-2 lnL + 2 Q``, AIC3 ``+ 3 Q``, AIC4 ``+ 4 Q``,
    BIC ``+ Q ln n``, CAIC ``+ Q (ln n + 1)``, HQ ``+ 2 Q ln ln n``, MDL5 ``+ 5 Q ln n`` (Liang et
    al., as openpls and the literature have it; seminrExtras has ``Q ln n / 2``). EN is ``1 - Σ -p
    ln p / (n ln K)``, NFI ``(K Σ p²/n - 1)/(K - 1)``, NEC the entropy over the gain of lnL against
    one segment. In simulations AIC3 and CAIC found the number of segments where they agreed; AIC
    takes too many, MDL5 too few. The likelihood is of normal residuals, and segments take up what
    is not normal: of 250 simulated respondents whose paths are all alike, AIC3 and CAIC agreed on
    segments in none of 30 samples of normal answers, and in a quarter of them where many answered
    with the top of a scale. There are other maxima than the one found, the more the more segments.
    Segments are a description: what tells them apart has to be looked for among variables
    of the survey, and measurement is taken to be the same in all.

    References
    ----------
    Hahn, C., Johnson, M. D., Herrmann, A., Huber, F. (2002). Capturing customer heterogeneity using
    a finite mixture PLS approach. Schmalenbach Business Review 54, 243-269.
    https://doi.org/10.1007/BF03396655

    Sarstedt, M., Becker, J.-M., Ringle, C. M., Schwaiger, M. (2011). Uncovering and treating
    unobserved heterogeneity with FIMIX-PLS: which model selection criterion provides an appropriate
    number of segments? Schmalenbach Business Review 63, 34-62. https://doi.org/10.1007/BF03396886

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi())
    >>> hidden = csi.assessment.fimix(fit, segments=[2], starts=5, rng=1)
    >>> hidden.table["lnl"].round(1).to_dict()
    {1: -1729.3, 2: -1599.6}
    """
    fit = require_fit(fit, "fimix")
    sample = _sample(fit)
    iterations = require_count("iterations", iterations, "", most=10**6)
    tolerance = require_number("tolerance", tolerance, least=1e-13, most=1.0)
    counts = _counts(segments)
    given = None if isinstance(starts, int) else _given(starts, int(sample.known.sum()))
    if given is not None:
        counts = [given.shape[2]]
    number = len(given) if given is not None else require_count("starts", starts, "", most=10**5)
    seed, n = seed_of(rng), len(sample.regressions.scores)
    counts, few = _with_rows(sample.regressions, counts)
    cells = 8.0 * number * n * max(counts) * (len(sample.regressions.equations) + 4)
    require_memory(f"fimix with starts={number} and {n:,} respondents", cells, "take fewer starts")
    solutions: dict[int, SegmentSolution] = {}
    lost: list[int] = []
    for count in dict.fromkeys([1, *counts]):
        own = np.ones((1, n, 1)) if count == 1 else given
        own = _random(seed, number, n, count) if own is None else own
        solution = _solution(sample.regressions, own, tolerance, iterations, progress)
        if solution is None:
            lost.append(count)
        else:
            solutions[count] = solution
    if 1 in lost:
        raise EstimationError(
            "The regressions of all respondents have no solution, because scores lie on a line or "
            "constructs carry the same information; leave one of these constructs out."
        )
    if not solutions.keys() & set(counts):
        raise EstimationError(
            f"No start of {' or '.join(map(str, lost))} segments has a solution ({number} "
            "tried), because a segment loses its members or its variance; take fewer segments or "
            "more starts."
        )
    findings = [
        *_about_sample(fit, sample.known),
        *_left_out(sample.regressions, few, lost, number),
        *_about_starts(solutions, iterations),
    ]
    return HiddenSegments(fit, sample.known, solutions, tuple(findings))


def _sample(fit: Fit) -> _ScoredSample:
    """Return the regressions of a fit whose paths are between scores."""
    model = fit.model
    if "other" in fit.estimator.modes_of(model) or not fit.estimator.paths_between_scores:
        raise OptionError(
            f"fimix regresses scores on each other in each segment, and {fit.estimator.label} has "
            "other paths; fit with csi.PLS()."
        )
    model.require_one_stage("fimix finds segments of")
    fit.require_converged("fimix")
    answers = fit.require_answers("fimix")
    scores = fit.scores.to_numpy()
    known = np.isfinite(scores).all(axis=1)
    weights = answers.row_weights
    own = weights[known] / weights[known].mean() if known.any() else weights[known]
    return _ScoredSample(SegmentRegressions(scores[known], own, equations_of(model)), known)


def _counts(segments: int | Sequence[float]) -> list[int]:
    """Return the numbers of segments to try."""
    listed = [segments] if isinstance(segments, int) else list(segments)
    numbers = [number_of(value) for value in listed]
    if not numbers or not all(
        number is not None and number.is_integer() and 1 <= number <= _MOST_SEGMENTS
        for number in numbers
    ):
        raise OptionError(
            f"segments={shown(segments)} must be whole numbers from 1 to {_MOST_SEGMENTS}, such as "
            "(2, 3, 4)."
        )
    return sorted({int(number) for number in numbers if number is not None})


def _given(starts: object, rows: int) -> Floats:
    """Return starts that somebody made, (starts, respondents, segments)."""
    own = require_array("starts", starts, "probabilities of segments")
    own = own[None] if own.ndim == 2 else own
    if own.ndim != 3 or own.shape[1] != rows or not 2 <= own.shape[2] <= _MOST_SEGMENTS:
        raise OptionError(
            f"starts= holds an array of shape {own.shape}; give probabilities of 2 to "
            f"{_MOST_SEGMENTS} segments for the {rows} respondents, (starts, respondents, "
            "segments), or how many starts there are."
        )
    sums = own.sum(axis=2)
    if not len(own) or not (own >= 0).all() or not np.allclose(sums, 1.0, atol=1e-6):
        raise OptionError(
            "starts= holds probabilities of segments, which must not be below 0 and must sum to 1 "
            "for each respondent."
        )
    return own


def _with_rows(regressions: SegmentRegressions, counts: list[int]) -> tuple[list[int], list[int]]:
    """Return the numbers of segments with more respondents than parameters, and the others.

    Raises
    ------
    SurveyError
        For fewer respondents than segments can be found of, or than the fewest need.
    """
    n, fewest = len(regressions.scores), min(counts)
    needed = regressions.parameters(fewest)
    least = int(THRESHOLDS["few rows"].value)
    if n < least:
        raise SurveyError(
            f"fimix needs at least {least} respondents with scores to find segments, and there are "
            f"{n}; ask more, or compare groups that are known."
        )
    if n <= needed:
        raise SurveyError(
            f"{fewest} segments have {needed} parameters and there are {n} respondents with "
            "scores; take fewer segments, or a simpler model."
        )
    enough = [count for count in counts if n > regressions.parameters(count)]
    return enough, [count for count in counts if count not in enough]


def _random(seed: int, starts: int, rows: int, segments: int) -> Floats:
    """Return random probabilities; each start has a stream of its own."""
    draws = [
        np.random.default_rng(np.random.SeedSequence([seed, segments, start])).dirichlet(
            np.ones(segments), rows
        )
        for start in range(starts)
    ]
    return np.stack(draws)


def _solution(
    regressions: SegmentRegressions,
    starts: Floats,
    tolerance: float,
    iterations: int,
    progress: bool,
) -> SegmentSolution | None:
    """Return the best of the solutions that starts lead to; None where none has one."""
    segments = starts.shape[2]
    with progress_bar(None, f"{segments} segments", progress, "step") as bar:
        mixture = regressions.mixture(starts, tolerance, iterations, bar.update)
    likelihood = mixture.log_likelihood
    if not np.isfinite(likelihood).any():
        return None
    best = int(np.nanargmax(likelihood))
    order = np.argsort(-mixture.shares[best], kind="stable")
    return SegmentSolution(
        float(likelihood[best]),
        regressions.parameters(segments),
        mixture.members[best][:, order],
        mixture.shares[best][order],
        tuple(own[best][order] for own in mixture.coefficients),
        mixture.variances[best][order],
        regressions.weights,
        int((likelihood > likelihood[best] - _SAME).sum()),
        int(np.isnan(likelihood).sum()),
        len(starts),
        bool(mixture.converged[best]),
    )


def _about_sample(fit: Fit, known: NDArray[np.bool_]) -> Iterator[Finding]:
    """Say who is left out, and what weights do."""
    if not known.all():
        count = int((~known).sum())
        values = {"count": count, "total": len(known)}
        yield Finding("left-out-of-segments", _LEFT_OUT, (), "warning", count, values)
    if fit.require_answers("fimix").weights is not None:
        yield Finding("weighted-likelihood", _WEIGHTED, severity="note")


def _left_out(
    regressions: SegmentRegressions, few: list[int], lost: list[int], starts: int
) -> Iterator[Finding]:
    """Name the numbers of segments that have more parameters than rows, or no solution."""
    for segments in few:
        values = {
            "segments": segments,
            "parameters": regressions.parameters(segments),
            "rows": len(regressions.scores),
        }
        yield Finding("segments-left-out", _FEW_ROWS, (), "warning", None, values)
    for segments in lost:
        values = {"segments": segments, "total": starts}
        yield Finding("segments-left-out", _NO_SOLUTION, (), "warning", starts, values)


def _about_starts(solutions: dict[int, SegmentSolution], iterations: int) -> Iterator[Finding]:
    """Say what is to be known of the starts."""
    for segments, own in solutions.items():
        if own.lost:
            values = {"lost": own.lost, "total": own.starts, "segments": segments}
            yield Finding("lost-starts", _LOST, (), "note", own.lost, values)
        if own.starts > 1 and own.reached == 1:
            values = {"total": own.starts, "segments": segments}
            yield Finding("start-reached-once", _ONCE, (), "note", 1, values)
        if not own.converged:
            values = {"segments": segments, "steps": iterations}
            yield Finding("start-not-converged", _UNSETTLED, (), "warning", None, values)
