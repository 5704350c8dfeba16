"""How the numbers were made, in words, with formulas and their sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from csimodel.bounds import FEW_DEGREES
from csimodel.estimators import PLS
from csimodel.findings import counted, text
from csimodel.formatting import percent
from csimodel.report.analysis_results import AnalysisResults
from csimodel.survey.replicates import label_of_scheme
from csimodel.translation import gettext, shown_message

if TYPE_CHECKING:
    from csimodel.outcomes.money import Money

_FORNELL = "Fornell, Johnson, Anderson, Cha & Bryant (1996), Journal of Marketing 60(4), 7-18"
_TENENHAUS = (
    "Tenenhaus, Esposito Vinzi, Chatelin & Lauro (2005), Computational Statistics & Data Analysis "
    "48, 159-205"
)
_LOHMOELLER = "Lohmöller (1989), Latent Variable Path Modeling with Partial Least Squares"
_DIJKSTRA = "Dijkstra & Henseler (2015), MIS Quarterly 39(2), 297-316"
_EFRON = "Efron & Tibshirani (1993), An Introduction to the Bootstrap"
_RAO = "Rao, Wu & Yue (1992), Survey Methodology 18, 209-217"
_WOLTER = "Wolter (2007), Introduction to Variance Estimation, chapters 3 to 5"
_RINGLE = "Ringle & Sarstedt (2016), Industrial Management & Data Systems 116, 1865-1886"
_PAPKE = "Papke & Wooldridge (1996), Journal of Applied Econometrics 11, 619-632"

_CARROLL = "Carroll, Ruppert, Stefanski & Crainiceanu (2006), Measurement Error in Nonlinear Models"
_GUPTA = "Gupta & Lehmann (2003), Journal of Interactive Marketing 17(1), 9-24"

_DOI = {
    _FORNELL: "10.1177/002224299606000403",
    _TENENHAUS: "10.1016/j.csda.2004.03.005",
    _LOHMOELLER: "10.1007/978-3-642-52512-4",
    _DIJKSTRA: "10.25300/MISQ/2015/39.2.02",
    _EFRON: "10.1201/9780429246593",
    _WOLTER: "10.1007/978-0-387-35099-8",
    _RINGLE: "10.1108/IMDS-10-2015-0449",
    _CARROLL: "10.1201/9781420010138",
    _GUPTA: "10.1002/dir.10045",
    _PAPKE: "10.1002/(SICI)1099-1255(199611)11:6%3C619::AID-JAE418%3E3.0.CO;2-1",
}


@dataclass(frozen=True)
class Step:
    """One step of the computation.

    Attributes
    ----------
    name
        What the step gives.
    words
        How it is done.
    formula
        In plain characters, or empty.
    """

    name: str
    words: str
    formula: str = ""


def steps(analysis: AnalysisResults) -> list[Step]:
    """Return the steps of the computation, in order."""
    level = percent(analysis.level)
    entries = [
        Step(text("Model"), _estimation(analysis)),
        Step(
            text("Index"),
            text(
                "A weighted mean of answers, moved to a scale on which the lowest "
                "possible answers give 0 and the highest give 100. w are the weights "
                "of standardised questions and s the standard deviations of the "
                "answers."
            ),
            text("index = 100 · Σ vᵢ (x̄ᵢ − minᵢ) / Σ vᵢ (maxᵢ − minᵢ),   vᵢ = wᵢ / sᵢ"),
        ),
        Step(
            text("Drivers"),
            text(
                "The effect of a driver counts what reaches the target directly and "
                "what passes through other constructs, in points of the target's "
                "index for each point of the driver's. SD is the standard deviation "
                "of an index over respondents."
            ),
            text("effect = total standardised effect · SD(target) / SD(driver)"),
        ),
    ]
    if analysis.repurchase is not None:
        entries.append(_repurchase(analysis))
    if analysis.slopes is not None:
        entries.append(
            Step(
                text("Correction"),
                text(
                    "The index is the true satisfaction and an error that has nothing to "
                    "do with it; the share of the first in its variance is the "
                    "reliability. In a straight regression the corrected slope is the "
                    "measured one divided by it; in others the index is replaced by what "
                    "is expected of the true one (regression calibration)."
                ),
                text("E(true | index) = mean + reliability · (index − mean)"),
            )
        )
    if any(grouping.segments is not None for grouping in analysis.groupings):
        entries.append(
            Step(
                text("{target} by group", target=analysis.outcome_title),
                text(
                    "One regression in which every group g has a level, slope and bend "
                    "of its own, x being the index and m its mean over all; a Wald test "
                    "asks whether slopes and bends are the same."
                ),
                text("a_g + b_g · x + c_g · (x − m)² / 100²  in place of  a + b · x"),
            )
        )
    if analysis.money:
        entries.append(_money(next(iter(analysis.money.values()))))
    entries.append(
        Step(
            text("Intervals"),
            text(
                "{resampling} {limits} It covers chance in who was asked. It does "
                "not cover a sample that is not like the customers, or questions "
                "that measure something else.",
                resampling=_resampling(analysis),
                limits=_limits(analysis, level),
            ),
        )
    )
    return entries


def _limits(analysis: AnalysisResults, level: str) -> str:
    """Say how limits come from the resamples."""
    boot = analysis.bootstrap
    df = boot.survey_design.df
    if boot.replication is not None:
        return text(
            "The {level} interval is the estimate and t times that error to both "
            "sides, t with {degrees} of freedom.",
            level=level,
            degrees=counted(df, "{count:,} degree", "{count:,} degrees"),
        )
    if df >= FEW_DEGREES:
        return text(
            "The {level} interval leaves out the same share of results at both "
            "ends; of a group with fewer than {few:g} degrees of freedom "
            "(sampled units less strata) it is the estimate and t times the "
            "standard deviation of the results to both sides.",
            level=level,
            few=FEW_DEGREES,
        )
    return text(
        "The {level} interval is the estimate and t times the standard deviation of the results "
        "to both sides, t with {df} {df:degree|degrees} of freedom (sampled units less strata), "
        "as with so few units the results alone come out too near to each other.",
        level=level,
        df=df,
    )


def references(analysis: AnalysisResults) -> list[tuple[str, str]]:
    """Return the works behind the steps taken: text and DOI."""
    estimator = analysis.fit.estimator
    consistent = isinstance(estimator, PLS) and estimator.consistent
    design = analysis.bootstrap.design.kind in ("stratified", "cluster")
    replicates = analysis.bootstrap.replication is not None
    fractional = (
        analysis.repurchase is not None and analysis.repurchase.family.name == "fractional-logit"
    )
    wanted = {
        _FORNELL: True,
        _LOHMOELLER: isinstance(estimator, PLS),
        _TENENHAUS: True,
        _DIJKSTRA: consistent,
        _RINGLE: True,
        _PAPKE: fractional,
        _CARROLL: analysis.slopes is not None,
        _GUPTA: bool(analysis.money),
        _EFRON: not replicates,
        _RAO: design,
        _WOLTER: replicates,
    }
    return [(work, _DOI.get(work, "")) for work, cited in wanted.items() if cited]


def _estimation(analysis: AnalysisResults) -> str:
    estimator = analysis.fit.estimator
    if not isinstance(estimator, PLS):
        return text(
            "{label}, {iterations} {iterations:iteration|iterations}.",
            label=estimator.label,
            iterations=analysis.fit.iterations,
        )
    told = text(
        "Partial least squares path modelling ({label}). The score of a construct is a weighted "
        "sum of its questions; weights and effects are improved in turns until they no longer "
        "change, here after {iterations} {iterations:iteration|iterations}.",
        label=estimator.label,
        iterations=analysis.fit.iterations,
    )
    if estimator.consistent:
        told += text(
            " Loadings and effects are then corrected for measurement error; the "
            "index is not, because it is a mean of answers."
        )
    return told


def _repurchase(analysis: AnalysisResults) -> Step:
    valued = analysis.repurchase
    assert valued is not None
    index = valued.indexes[0]
    line = text("a + b · index of {index}", index=index)
    what = text("{outcome}, as a share from 0 to 1,", outcome=valued.outcome)
    if valued.cut is not None:
        what = text(
            "{outcome}, whose answers of {cut:g} or more count as yes,",
            outcome=valued.outcome,
            cut=valued.cut,
        )
    formula = valued.family.formula.format(line)
    family = shown_message(valued.family.label)
    return Step(
        analysis.outcome_title,
        text(
            "{family} regression of {what} on each respondent's index of {index}. {intervals}",
            family=family[:1].upper() + family[1:],
            what=what,
            index=index,
            intervals=valued.interval_kind,
        ),
        text("expected share = {formula}", formula=formula),
    )


def _money(money: Money) -> Step:
    terms = money.economics
    formula = (
        text("worth = margin · r / (1 + d − r)")
        if terms.first_margin == "end"
        else text("worth = margin · (1 + d) / (1 + d − r)")
    )
    if terms.horizon is not None:
        formula = text(
            "worth = margin · Σ (r / (1 + d))ᵗ over {horizon} margins", horizon=terms.horizon
        )
    again = (
        ""
        if terms.purchases == 1
        else text(" to the power of {purchases:g}", purchases=terms.purchases)
    )
    return Step(
        text("Money"),
        text(
            "A point of a driver moves the target of every customer by its "
            "effect, that his expected share of repurchase{again}, which is "
            "taken as the share r of {period}s he stays, and that his worth: "
            "margins to come, discounted at the rate d, as long as he stays; "
            "what is given is the mean over customers. Measurement error is "
            "taken off the effect, the curve of repurchase and the spread of "
            "customers where that is possible. {terms}",
            again=again,
            period=gettext(terms.period),
            terms=money.terms,
        ),
        formula,
    )


def _resampling(analysis: AnalysisResults) -> str:
    replication, design = analysis.bootstrap.replication, analysis.bootstrap.design
    if replication is not None:
        return text(
            "Everything above is computed anew with each of {draws:,} sets of "
            "replicate weights ({method}), which weight the respondents "
            "as other samples of the same design would. The error is the root of "
            "a weighted sum of the squared distances of their results, by "
            "factors that belong to the method.",
            draws=design.draws,
            method=label_of_scheme(replication.method),
        )
    how = {
        "multinomial": text("respondents are drawn with replacement, as many as there are"),
        "stratified": text("respondents are drawn with replacement within each stratum")
        if design.strata is not None
        else text("respondents are drawn with replacement, one fewer than there are"),
        "cluster": text("whole clusters of respondents are drawn with replacement"),
    }.get(design.kind, text("respondents are drawn again ({kind})", kind=design.kind))
    drawn = text("Bootstrap with {draws:,} resamples: {how}.", draws=design.draws, how=how)
    if design.population is not None:
        drawn += text(
            " How often each stands in a resample is moved towards once, by the "
            "root of the share of the population that was not in the sample."
        )
    return text("{drawn} Everything above is computed anew in each resample.", drawn=drawn)
