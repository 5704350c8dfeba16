"""Record our own public results: ``python tests/snapshot/make.py OUT.json[.gz]``.

See README.md beside. Everything is small: about a hundred draws, a few hundred respondents.
"""

from __future__ import annotations

import gzip
import json
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent))
from record import Recorder

import csimodel as csi
from csimodel.estimators import quantities

HERE = Path(__file__).parent
SIMULATED = HERE / "survey.csv"
DRAWS = 100
SHORT = "\n".join(
    (
        "Quality =~ PERQ1 + PERQ2 + PERQ3 + PERQ4",
        "Value =~ PERV1 + PERV2",
        "Satisfaction =~ CUSA1 + CUSA2 + CUSA3",
        "Value ~ Quality",
        "Satisfaction ~ Quality + Value",
    )
)
LABELLED = SHORT.replace("Value ~ Quality", "Value ~ a*Quality").replace(
    "Quality + Value", "c*Quality + b*Value"
)
EFFECTS = LABELLED + "\nthrough := a*b\nwhole := c + a*b\n"
PATHS = {
    "Expectation ~ Image": 0.5, "Quality ~ Expectation": 0.5, "Value ~ Expectation": 0.1,
    "Value ~ Quality": 0.5, "Satisfaction ~ Image": 0.15, "Satisfaction ~ Expectation": 0.05,
    "Satisfaction ~ Quality": 0.4, "Satisfaction ~ Value": 0.25, "Complaints ~ Satisfaction": 0.5,
    "Loyalty ~ Image": 0.2, "Loyalty ~ Satisfaction": 0.45, "Loyalty ~ Complaints": 0.1,
}  # fmt: skip
FAMILIES = {
    "fractional-logit": {},
    "fractional-probit": {},
    "ols": {},
    "beta": {},
    "ordered-logit": {"cut": 8},
    "ordered-probit": {},
    "logit": {},
    "probit": {},
    "cloglog": {},
    "wls": {},
}
OF_YES = ("logit", "probit", "cloglog")


def money_terms() -> object:
    """Return the terms that all money is counted by."""
    return csi.money.Economics(
        margin=120, currency="EUR", period="year", discount_rate=0.08, customers=10_000, purchases=2
    )


# --- data ----------------------------------------------------------------------------------------


def truth() -> object:
    """Return the population of the simulated survey."""
    letters = {"Image": "i", "Expectation": "e", "Quality": "q", "Value": "v",
               "Satisfaction": "s", "Complaints": "c", "Loyalty": "l"}  # fmt: skip
    sizes = {"Value": 2, "Complaints": 1}
    model = csi.models.ecsi().with_items(
        {
            name: [f"{letter}{k}" for k in range(1, 1 + sizes.get(name, 3))]
            for name, letter in letters.items()
        }
    )
    return csi.simulate.population(
        model,
        paths=PATHS,
        loadings={name: 1.0 if name == "Complaints" else 0.8 for name in letters},
        scale=(1, 10), mean=7.0, sd=1.8, rounded=True,
        firms=csi.simulate.Firms(count=24), missing=csi.simulate.Missing(0.02),
        outcome=csi.simulate.Outcome(slope=0.0058),
    )  # fmt: skip


def make_survey() -> None:
    """Write the simulated survey; made once, at the commit the first snapshot is of."""
    rng = np.random.default_rng(11)
    data = truth().survey(432, rng=5).data
    place = pd.factorize(data["firm"], sort=True)[0]
    n, clean = len(data), data.fillna(7.0)
    spoke = (rng.random(n) < 0.35).astype(float)
    wait = rng.exponential(np.exp(0.02 * (10 * clean["s1"].to_numpy() - 40)) * 6)
    data = data.assign(
        w=np.round(0.5 + rng.random(n), 2), stratum=place % 6, period=rng.integers(1, 5, n),
        market=np.where(place % 3 == 0, "north", np.where(place % 3 == 1, "south", "west")),
        age=rng.integers(18, 80, n), spoke=spoke,
        handled=np.where(spoke == 1, rng.integers(1, 11, n), np.nan),
        again=np.clip(np.round(0.8 * clean["s1"] + 2 + rng.normal(0, 1.2, n)), 1, 10),
        months=np.round(np.minimum(wait, 24), 2), left=(wait < 24).astype(int),
        old=rng.integers(0, 2, n),
    )  # fmt: skip
    data.to_csv(SIMULATED, index=False)


def survey_of(missing: str = "mean", **design: object) -> csi.Survey:
    """Read the simulated survey."""
    data = pd.read_csv(SIMULATED)
    names = [name for name in data if len(name) == 2 and name[1].isdigit()]
    items = [csi.Item(name, minimum=1, maximum=10) for name in (*names, "handled", "again")]
    return csi.read_survey(data, items=items, missing=missing, **design)


# --- parts ---------------------------------------------------------------------------------------


def record_fit(r: Recorder, name: str, call: Callable[[], object]) -> object:
    """Record a fit, all quantities of it, and what needs a method."""
    fit = r.take(name, call)
    if fit is None:
        return None
    for quantity in quantities.registered():
        found = quantities.find(quantity)

        def values(found: object = found) -> pd.Series:
            return pd.Series(np.asarray(found.values(fit.solution)), found.labels(fit.model))

        r.take(f"{name} quantity {quantity}", values)
    for kind in ("all", "latent"):
        r.take(f"{name} standardized {kind}", lambda kind=kind: fit.standardized(kind))
    r.take(f"{name} assess", lambda: csi.assess(fit))
    r.take(f"{name} assess global", lambda: csi.assess(fit).global_fit)
    r.take(f"{name} residuals", lambda: vars_of(fit.residuals))
    return fit


def vars_of(value: object) -> object:
    """Return the frames and numbers a result holds, by name."""
    if isinstance(value, pd.DataFrame | pd.Series):
        return value
    return {key: part for key, part in vars(value).items() if not key.startswith("_")}


def record_draws(r: Recorder, name: str, fit: object, **options: object) -> object:
    """Record a bootstrap: draws and intervals of every quantity."""
    options = {"draws": DRAWS, "rng": 7, "progress": False, **options}
    boot = r.take(f"{name} bootstrap", lambda: csi.bootstrap(fit, **options))
    if boot is None:
        return None
    for quantity in quantities.registered():
        r.take(f"{name} draws {quantity}", lambda q=quantity: boot.draws(q))
        kinds = ("percentile", "bc", "bca", "normal") if quantity in ("paths", "index") else ("bc",)
        for kind in kinds:
            r.take(f"{name} {kind} {quantity}", lambda q=quantity, k=kind: boot.table(q, k))
    return boot


def record_pls(r: Recorder, tag: str, model: object, survey: object, by: str) -> tuple:
    """Record PLS in all its forms, the index, groups, errors and assessment."""
    fit = record_fit(r, f"{tag} PLS", lambda: csi.fit(model, survey))
    for scheme in ("factorial", "centroid"):
        record_fit(r, f"{tag} PLS {scheme}", lambda s=scheme: csi.fit(model, survey, csi.PLS(s)))
    record_fit(r, f"{tag} PLS B", lambda: csi.fit(model, survey, csi.PLS(modes="B")))
    plsc = record_fit(r, f"{tag} PLSc", lambda: csi.fit(model, survey, csi.PLS(consistent=True)))
    boot = record_draws(r, f"{tag} PLS", fit)
    r.take(
        f"{tag} PLSc draws", lambda: csi.bootstrap(plsc, 50, rng=3, progress=False).draws("paths")
    )
    r.take(
        f"{tag} poisson draws",
        lambda: csi.bootstrap(fit, 50, rng=3, kind="poisson", progress=False).draws("paths"),
    )
    jack = r.take(f"{tag} jackknife", lambda: csi.jackknife(fit))
    if jack is not None:
        for quantity in ("paths", "loadings", "weights", "index", "htmt", "r2", "impacts"):
            r.take(f"{tag} jackknife {quantity}", lambda q=quantity: jack.table(q))
        r.take(f"{tag} jackknife values", lambda: jack.values("paths"))
        r.take(f"{tag} jackknife deviations", lambda: jack.deviations("paths"))
    for label, group in (("", None), (" by group", by)):
        r.take(f"{tag} index{label}", lambda g=group: csi.index_scores(fit, by=g))
        for kind in ("percentile", "bca", "normal"):
            r.take(
                f"{tag} index{label} {kind}",
                lambda g=group, k=kind: csi.index_scores(fit, by=g, bootstrap=boot, interval=k),
            )
    r.take(f"{tag} respondent index", lambda: csi.respondent_index(fit))
    r.take(f"{tag} importance", lambda: csi.importance_performance(fit))
    r.take(f"{tag} importance drawn", lambda: csi.importance_performance(fit, bootstrap=boot))
    r.take(f"{tag} assess drawn", lambda: csi.assess(fit, boot))
    groups = r.take(f"{tag} groups", lambda: csi.fit_groups(model, survey, by=by))
    if groups is not None:
        for quantity in ("paths", "loadings", "index", "r2", "rho_c"):
            r.take(f"{tag} groups {quantity}", lambda q=quantity: groups.table(q))
    return fit, boot


def record_covariance(r: Recorder, tag: str, short: object, survey: object, by: str) -> None:
    """Record covariance SEM: estimators, errors, tests, groups, modification indices."""
    estimators = {
        **{f"ML {se}": csi.ML(se) for se in ("expected", "observed", "mlm", "mlmv", "mlmvs", "mlr", "robust")},
        "ML wishart": csi.ML(likelihood="wishart"),
        "ML variance": csi.ML(scaling="variance"),
        "ML means": csi.ML(means=True),
        **{kind: csi.LeastSquares(kind) for kind in ("uls", "gls", "dwls")},
        "WLSMV": csi.WLSMV(),
        "WLSMV two": csi.WLSMV(ordered=["CUSA1", "CUSA2"] if tag == "mobi" else ["s1", "s2"]),
        "WLSM": csi.WLSMV(test="mean-adjusted"),
    }  # fmt: skip
    fits = {
        label: record_fit(r, f"{tag} {label}", lambda e=estimator: csi.fit(short, survey, e))
        for label, estimator in estimators.items()
    }
    record_fit(
        r, f"{tag} Semopy plain", lambda: csi.fit(short.without_parameters(), survey, csi.Semopy())
    )
    ml = fits["ML expected"]
    r.take(
        f"{tag} modification",
        lambda: mend(ml.modification_indices(["cross-loadings", "error-covariances"])),
    )
    for method in ("regression", "bartlett"):
        r.take(f"{tag} factor scores {method}", lambda m=method: csi.factor_scores(ml, m))
    r.take(f"{tag} factor scores scale", lambda: csi.factor_scores(ml, units="scale").scores)
    r.take(f"{tag} bollen-stine", lambda: csi.inference.bollen_stine(ml, 60, rng=1, progress=False))
    r.take(
        f"{tag} bollen-stine draws",
        lambda: csi.inference.bollen_stine(ml, 60, rng=1, progress=False).draws,
    )
    record_draws(r, f"{tag} ML", ml, draws=40)
    r.take(f"{tag} index of ML", lambda: csi.index_scores(ml))
    for equal in (
        (),
        ("loadings",),
        ("loadings", "intercepts"),
        ("loadings", "intercepts", "errors"),
    ):
        label = f"{tag} multigroup {' '.join(equal) or 'free'}"
        several = r.take(label, lambda e=equal: csi.fit_multigroup(short, survey, by, equal=e))
        if equal and several is not None:
            r.take(f"{label} score tests", several.score_tests)
    r.take(f"{tag} invariance", lambda: csi.invariance(short, survey, by))
    pls = csi.fit(short.without_parameters(), survey)
    both = r.take(f"{tag} compare", lambda: csi.compare(pls, ml, names=["PLS", "ML"]))
    if both is not None:
        for quantity in ("paths", "loadings", "r2"):
            r.take(f"{tag} compare {quantity}", lambda q=quantity: both.table(q))


def mend(table: pd.DataFrame) -> pd.DataFrame:
    """Sort modification indices by name, so that ties cannot change places."""
    words = table.select_dtypes(exclude="number")
    if len(words.columns):
        table = table.set_index(list(words.columns))
    return table.sort_index()


def record_regression(r: Recorder, name: str, rep: object) -> None:
    """Record what a regression on one index tells."""
    if rep is None:
        return
    r.take(f"{name} contrast", lambda: rep.contrast(67, 70))
    r.take(f"{name} predict", lambda: rep.predict([40, 60, 80]))
    r.take(f"{name} curve", lambda: rep.curve([20, 50, 90]))
    r.take(f"{name} effect", lambda: rep.effect_at(70))
    r.take(f"{name} elasticity", lambda: rep.elasticity(70))
    r.take(f"{name} average elasticity", rep.elasticity)
    r.take(f"{name} level", lambda: vars(rep.level_for(0.7)))
    r.take(f"{name} answers", lambda: rep.expected_answer([60, 80]))
    r.take(f"{name} categories", lambda: rep.categories([60, 80]))


def record_repurchase(
    r: Recorder, tag: str, fit: object, boot: object, outcome: str, by: str, control: str
) -> None:
    """Record regressions of every family, shapes, calibration, segments, corrected slopes."""
    common = {"progress": False}
    inside = fit.survey.data[outcome] / 11  # 1 to 10 within 0 and 1
    record_regression(
        r,
        f"{tag} beta inside",
        r.take(
            f"{tag} beta inside", lambda: csi.repurchase(fit, inside, family="beta", scale=(0, 1))
        ),
    )
    yes_or_no = (fit.survey.data[outcome] >= 8).astype(float).rename("yes")
    for family, options in FAMILIES.items():
        name = f"{tag} {family}"
        for label, more in (("", {}), (" drawn", {"bootstrap": boot})):
            rep = r.take(
                name + label,
                lambda f=family, o=options, m=more: csi.repurchase(
                    fit, yes_or_no if f in OF_YES else outcome, family=f, **o, **m, **common
                ),
            )
            record_regression(r, name + label, rep)
    two = {"index": ["Satisfaction", "Image"], "controls": control, **common}
    for label, more in (("", {}), (" drawn", {"bootstrap": boot})):
        rep = r.take(
            f"{tag} two indexes{label}", lambda m=more: csi.repurchase(fit, outcome, **two, **m)
        )
        record_regression(r, f"{tag} two indexes{label}", rep)
        text = f"{outcome} ~ Satisfaction * {control} + Image + I(Image ** 2) + C({by})"
        rep = r.take(
            f"{tag} formula{label}",
            lambda m=more, t=text: csi.repurchase(fit, formula=t, **m, **common),
        )
        record_regression(r, f"{tag} formula{label}", rep)
    for errors in ("HC0", "HC1", "HC3", "nonrobust", "cluster"):
        r.take(
            f"{tag} errors {errors}",
            lambda e=errors: csi.repurchase(fit, outcome, family="ols", errors=e),
        )
    plain, whole = (csi.repurchase(fit, outcome, **m, **common) for m in ({}, {"bootstrap": boot}))
    for label, rep in (("", plain), (" drawn", whole)):
        for kind in ("quadratic", "spline", "hinge", "isotonic"):
            name = f"{tag} shape {kind}{label}"
            shape = r.take(
                name, lambda k=kind, x=rep: csi.outcomes.repurchase_shape(x, k, draws=40, rng=1)
            )
            if shape is not None:
                r.take(f"{name} curve", lambda s=shape: s.curve([30, 60, 90]))
    r.take(f"{tag} calibration", lambda: csi.outcomes.calibration(plain, rng=1))
    r.take(
        f"{tag} calibration curve", lambda: csi.outcomes.calibration(plain, rng=1).curve([0.5, 0.8])
    )
    yes = csi.repurchase(fit, yes_or_no, family="logit", **common)
    r.take(f"{tag} calibration of yes", lambda: csi.outcomes.calibration(yes, folds=0))
    r.take(f"{tag} shapes compared", lambda: csi.outcomes.compare_shapes(yes, draws=20, rng=1))
    record_segments(r, tag, fit, boot, outcome, by)
    methods = ("eiv", "simex", "simex-quadratic", "croon", "sem")
    for label, more in (("", {}), (" drawn", {"bootstrap": boot})):
        r.take(
            f"{tag} corrected{label}",
            lambda m=more: csi.outcomes.corrected_slopes(
                fit, outcome, methods, replications=3, **m, **common
            ),
        )
        r.take(
            f"{tag} corrected logit{label}",
            lambda m=more: csi.outcomes.corrected_slopes(
                fit, outcome, family="fractional-logit", replications=3, **m, **common
            ),
        )
        for what in ("Satisfaction", outcome):
            name = f"{tag} asymmetry {what}{label}"
            found = r.take(
                name,
                lambda w=what, m=more: csi.outcomes.repurchase_asymmetry(fit, w, **m, **common),
            )
            if found is not None:
                r.take(f"{name} curve", lambda f=found: f.curve([40, 80]))
    for kind in ("alpha", "omega", "rho_c", "rho_a"):
        r.take(
            f"{tag} reliability {kind}", lambda k=kind: csi.outcomes.index_reliability(fit, kind=k)
        )
    r.take(f"{tag} reliability drawn", lambda: csi.outcomes.index_reliability(fit, bootstrap=boot))
    record_of_index(r, tag, fit, plain)


def record_segments(
    r: Recorder, tag: str, fit: object, boot: object, outcome: str, by: str
) -> None:
    """Record segments, with and without a bend and draws."""
    for curvature in (True, False):
        for label, more in (("", {}), (" drawn", {"bootstrap": boot})):
            name = f"{tag} segments {'bent' if curvature else 'straight'}{label}"
            found = r.take(
                name,
                lambda c=curvature, m=more: csi.outcomes.repurchase_segments(
                    fit, outcome, by, curvature=c, progress=False, **m
                ),
            )
            if found is not None:
                r.take(f"{name} contrast", lambda f=found: f.contrast(67, 70))
                r.take(f"{name} curves", lambda f=found: f.curves([40, 80]))


def record_of_index(r: Recorder, tag: str, fit: object, plain: object) -> None:
    """Record what takes an index computed elsewhere."""
    scores = csi.respondent_index(fit).reset_index(drop=True)
    sample = plain.regression.sample
    index, y = scores["Satisfaction"].iloc[sample.rows].reset_index(drop=True), sample.outcome
    groups = np.arange(len(index)) % 20
    r.take(f"{tag} of index", lambda: csi.repurchase(index=index, outcome=y, scale=(0, 1)))
    r.take(
        f"{tag} of index clustered",
        lambda: csi.repurchase(
            index=index,
            outcome=y,
            scale=(0, 1),
            cluster=groups,
            weights=1 + groups / 20,
            family="ols",
        ),
    )
    market = np.where(groups % 2, "a", "b")
    r.take(
        f"{tag} segments of index",
        lambda: csi.outcomes.repurchase_segments(index=index, outcome=y, by=market, scale=(0, 1)),
    )
    q, e = (scores[name].iloc[sample.rows].to_numpy() for name in ("Quality", "Expectation"))
    r.take(
        f"{tag} asymmetry of index",
        lambda: csi.outcomes.repurchase_asymmetry(quality=q, expectations=e, outcome=index),
    )
    for draws in (0, 60):
        r.take(
            f"{tag} corrected of index, {draws} draws",
            lambda d=draws: csi.outcomes.corrected_slopes(
                index=index,
                outcome=y,
                family="ols",
                reliability=0.8,
                scale=(0, 1),
                draws=d,
                replications=3,
                progress=False,
            ),
        )
    means = pd.DataFrame({"x": index, "y": y, "g": groups}).groupby("g").agg(["mean", "sem"])
    r.take(
        f"{tag} reliability of groups",
        lambda: csi.outcomes.group_reliability(means["x"]["mean"], means["x"]["sem"]),
    )
    r.take(
        f"{tag} corrected of groups",
        lambda: csi.outcomes.corrected_slopes(
            index=means["x"]["mean"],
            outcome=means["y"]["mean"],
            index_se=means["x"]["sem"] / 3,
            scale=(0, 1),
        ),
    )


def record_money(r: Recorder, tag: str, fit: object, boot: object, outcome: str) -> None:
    """Record money: retention, changes, drivers, customers, complaints."""
    money, terms = csi.money, money_terms()
    for label, more in (("", {}), (" drawn", {"bootstrap": boot})):
        rep = csi.repurchase(fit, outcome, progress=False, **more)
        kept = {
            at: r.take(
                f"{tag} retention at {at}{label}",
                lambda a=at, x=rep: money.retention_of(x, a, terms, draws=200),
            )
            for at in (None, 67, 70)
        }
        change = r.take(
            f"{tag} change{label}",
            lambda x=rep: money.profit_of_change(x, 67, 70, terms, draws=200),
        )
        source = boot if more else fit
        calls = {
            "driver": lambda x=rep, s=source: money.profit_of_driver(s, x, "Quality", terms, draws=200),
            "two retentions": lambda k=kept: money.profit_of_retention(k[67], k[70], terms),
            "lifetime value": lambda k=kept: money.lifetime_value(k[67], terms),
            "lifetime value, 5 years, now": lambda k=kept: money.lifetime_value(
                k[67], replace(terms, horizon=5, first_margin="now")
            ),
            "fewer defections": lambda: money.fewer_defections(0.8, terms, cut=0.05, acquisition_cost=50),
            "fewer defections of draws": lambda k=kept: money.fewer_defections(k[67], terms, cut=0.02),
            "winning or keeping": lambda k=kept: money.acquisition_or_retention(
                k[67], terms, acquisition_cost=200, retention_cost=40
            ),
            "present value": lambda c=change: money.net_present_value(c, 1_000),
            "present value, every period": lambda c=change: money.net_present_value(
                c, 1_000, paid="every period"
            ),
            "break even": lambda c=change: money.break_even_spending(c),
            "complaint budget": lambda k=kept: money.complaint_budget(
                k[70], 0.3, terms, retention=k[67], dissatisfied=0.2, complaint_rate=0.25
            ),
            "more complaints": lambda k=kept: money.more_complaints(
                k[70], 0.4, terms, retention=k[67], dissatisfied=0.2, from_=0.05, to=0.25, compensation=30
            ),
        }  # fmt: skip
        for name, call in calls.items():
            found = r.take(f"{tag} money {name}{label}", call)
            if found is not None:
                r.take(f"{tag} money {name}{label} chance", found.chance)


def record_columns(r: Recorder, tag: str, fit: object, survey: object, boot: object) -> None:
    """Record what needs columns that only the simulated survey has."""
    for label, more in (("", {}), (" drawn", {"bootstrap": boot})):
        for kind in ("repurchase", "churn"):
            name = f"{tag} duration {kind}{label}"
            given = {"duration": "months", "event": "left", "kind": kind, "controls": "age"}
            found = r.take(
                name,
                lambda g=given, m=more: csi.outcomes.repurchase_time(fit, **g, **m, progress=False),
            )
            if found is None:
                continue
            r.take(f"{name} predict", lambda f=found: f.predict([40, 80], [6.0, 12.0]))
            r.take(f"{name} contrast", lambda f=found: f.contrast(67, 70, [6.0, 12.0]))
            r.take(f"{name} effects", lambda f=found: f.average_marginal_effects([6.0, 12.0]))
            r.take(f"{name} median", lambda f=found: f.median_time([40, 80]))
        for size in ("equal", "respondents"):
            name = f"{tag} panel {size}{label}"
            found = r.take(
                name,
                lambda s=size, m=more: csi.outcomes.repurchase_panel(
                    fit, "again", firm="firm", period="period", size=s, errors="cluster", **m
                ),
            )
            if found is not None:
                r.put(f"{name} cells", found.cells)
                r.take(f"{name} contrast", lambda f=found: f.contrast(67, 70))
                r.take(f"{name} predict", lambda f=found: f.predict([40, 80]))
    table = csi.outcomes.repurchase_panel(
        fit, "again", firm="firm", period="period"
    ).cells.reset_index()
    options = {"firm": "firm", "period": "period", "index": "Satisfaction"}
    for effects in ("two-way", "firm", "period", "none"):
        for errors in ("cluster", "two-way"):
            r.take(
                f"{tag} panel of index {effects} {errors}",
                lambda e=effects, x=errors: csi.outcomes.repurchase_panel(
                    table, "again", effects=e, errors=x, **options
                ),
            )
    for by in (None, "firm"):
        for label, more in (("", {}), (" drawn", {"bootstrap": boot if by is None else None})):
            if by and label:
                continue
            r.take(
                f"{tag} corrected by {by}{label}",
                lambda b=by, m=more: csi.outcomes.corrected_slopes(
                    fit, "again", by=b, family="ols", progress=False, **m
                ),
            )
    options = {
        "complained": "spoke",
        "handling": "handled",
        "repurchase": "again",
        "satisfied": "s1",
    }
    for label, more in (("", {}), (" weighted", {"weights": "w", "cluster": "firm"})):
        found = r.take(
            f"{tag} complaints{label}",
            lambda m=more: csi.outcomes.complaint_repurchase(survey, **options, **m),
        )
        if found is not None:
            r.put(f"{tag} complaints{label} covariance", found.means.covariance)
            r.take(
                f"{tag} complaints{label} retention",
                lambda f=found: f.retention("handled well", draws=100),
            )
            r.take(
                f"{tag} complaints{label} against",
                lambda f=found: f.against(
                    csi.literature.silent_share, "silent share of the dissatisfied"
                ),
            )
        r.take(
            f"{tag} top drop{label}",
            lambda m=more: csi.outcomes.repurchase_top_drop(
                survey, satisfaction="s1", repurchase="again", by="market", top=(9, 10), below=(7, 8), fewest=5, **m
            ),
        )  # fmt: skip
        r.take(
            f"{tag} buying rates{label}",
            lambda m=more: csi.money.buying_rates(survey, bought="left", existing="old", **m),
        )


def record_mixed(r: Recorder) -> None:
    """Record customers within firms: complete answers, draws of whole firms."""
    survey = survey_of(missing="listwise", cluster="firm")
    model = truth().model
    fit = csi.fit(model, survey)
    boot = csi.bootstrap(fit, 60, rng=2, progress=False)
    options = {
        "intercept": {}, "intercept drawn": {"bootstrap": boot}, "slope": {"model": "random-slope"},
        "model errors": {"errors": "model"}, "averaged": {"model": "population-averaged"},
        "averaged line": {"model": "population-averaged", "link": "identity"},
        "with a control": {"controls": "age"},
    }  # fmt: skip
    for label, given in options.items():
        name = f"survey mixed {label}"
        found = r.take(name, lambda g=given: csi.outcomes.repurchase_mixed(fit, "again", **g))
        if found is not None:
            for move in ("between", "within"):
                r.take(f"{name} {move}", lambda f=found, m=move: f.contrast(60, 75, m))


def record_incomplete(r: Recorder) -> None:
    """Record what is made of missing answers."""
    model = csi.Model.from_syntax(
        "Quality =~ q1 + q2 + q3\nSatisfaction =~ s1 + s2 + s3\nSatisfaction ~ Quality"
    )
    keep = survey_of(missing="error")
    for label, estimator in {
        "fiml": csi.ML(missing="fiml"),
        "two-stage": csi.ML(missing="two-stage"),
        "fiml robust": csi.ML("mlr", missing="fiml"),
    }.items():
        fit = record_fit(r, f"survey {label}", lambda e=estimator: csi.fit(model, keep, e))
        if fit is None:
            continue
        r.take(f"survey {label} index", lambda f=fit: csi.index_scores(f))
        r.take(f"survey {label} index by market", lambda f=fit: csi.index_scores(f, by="market"))
        r.take(f"survey {label} scores", lambda f=fit: csi.factor_scores(f))
        r.take(
            f"survey {label} draws",
            lambda f=fit: csi.bootstrap(f, 30, rng=1, progress=False).draws("paths"),
        )
        r.take(f"survey {label} regression", lambda f=fit: csi.repurchase(f, "again"))
    for missing in ("mean", "listwise", "pairwise", csi.ConstructMinimum()):
        survey = r.take(f"survey read {missing}", lambda m=missing: survey_of(missing=m))
        r.take(f"survey PLS {missing}", lambda s=survey: csi.fit(model, s))
        r.take(f"survey index {missing}", lambda s=survey: csi.index_scores(csi.fit(model, s)))
        r.take(
            f"survey moments {missing}", lambda s=survey: csi.moments.moments_of(s, model.items).cov
        )


def record_simulated(r: Recorder) -> None:
    """Record populations, samples and studies."""
    known = r.take("population", truth)
    for construct in ("Satisfaction", "Quality"):
        r.take(
            f"population reliability {construct}", lambda c=construct: known.index_reliability(c)
        )
    for quantity in ("paths", "total_effects", "index"):
        r.take(f"population {quantity}", lambda q=quantity: known.table(q))
    r.take("sample", lambda: known.survey(60, rng=3).data.select_dtypes("number"))
    r.take("sample moments", lambda: known.moments(100, 3, rng=3).cov)
    simple = replace(known, missing=None, firms=None, outcome=None)
    for name, shape in {
        "skewed": csi.simulate.Skewed(), "heavy": csi.simulate.HeavyTailed(), "normal": csi.simulate.Normal(),
    }.items():  # fmt: skip
        r.take(f"sample {name}", lambda s=shape: replace(simple, shape=s).survey(60, rng=3).data)
    options = {"rng": 1, "resamples": 40}
    for name, estimator in {"PLS": csi.PLS(), "ML": csi.ML()}.items():
        r.take(
            f"replications {name}",
            lambda e=estimator: csi.simulate.replicate(simple, 120, 8, e, **options),
        )
        r.take(
            f"power {name}",
            lambda e=estimator: csi.simulate.power(simple, 120, e, draws=8, **options).table,
        )


def record_report(
    r: Recorder, tag: str, survey: object, model: object, outcome: str, by: str
) -> None:
    """Record an analysis as the report shows it, and the tables it writes."""
    options = {"draws": 60, "rng": 3, "by": by, "outcome": outcome, "progress": False}
    found = r.take(
        f"{tag} analysis", lambda: csi.analyze(survey, model, economics=money_terms(), **options)
    )
    if found is None:
        return
    for name, part in found.money.items():
        r.put(f"{tag} analysis money {name}", part)
    with TemporaryDirectory() as folder:
        csi.write_report(found, folder, date="2000-01-01", progress=False)
        for path in sorted(Path(folder).rglob("*.csv")):
            r.put(f"{tag} report {path.stem}", pd.read_csv(path))


# --- all -----------------------------------------------------------------------------------------


def everything(r: Recorder) -> None:
    """Record all results."""
    mobi = csi.load_mobi()
    frame = mobi.data.assign(
        half=np.where(np.arange(250) % 2, "odd", "even"), age=np.arange(250) % 37
    )
    mobi = csi.read_survey(frame, scale=dict.fromkeys(csi.load_mobi().data, (1, 10)))
    model, short = csi.models.ecsi(), csi.Model.from_syntax(EFFECTS)
    r.take("mobi moments", lambda: csi.moments.moments_of(mobi, model.items).cov)
    fit, boot = record_pls(r, "mobi", model, mobi, "half")
    record_covariance(r, "mobi", short, mobi, "half")
    record_fit(r, "mobi ecsi ML", lambda: csi.fit(model, mobi, csi.ML()))
    record_fit(r, "mobi acsi", lambda: csi.fit(csi.models.acsi().with_items(acsi_items()), mobi))
    record_repurchase(r, "mobi", fit, boot, "CUSL1", "half", "age")
    record_money(r, "mobi", fit, boot, "CUSL1")
    record_report(r, "mobi", mobi, model, "CUSL1", "half")
    known = truth().model
    designed = survey_of(weights="w", strata="stratum", cluster="firm")
    fit, boot = record_pls(r, "survey", known, designed, "market")
    smaller = csi.Model.from_syntax(
        "Quality =~ q1 + q2 + q3\nSatisfaction =~ s1 + s2 + s3\nLoyalty =~ l1 + l2 + l3\n"
        "Satisfaction ~ Quality\nLoyalty ~ Satisfaction"
    )
    record_covariance(r, "survey", smaller, survey_of(missing="listwise"), "market")
    for se in ("mlm", "mlr"):
        record_fit(
            r, f"survey designed {se}",
            lambda s=se: csi.fit(smaller, survey_of("listwise", weights="w", cluster="firm"), csi.ML(s)),
        )  # fmt: skip
    record_repurchase(r, "survey", fit, boot, "again", "market", "age")
    record_money(r, "survey", fit, boot, "again")
    record_columns(r, "survey", fit, designed, boot)
    record_mixed(r)
    record_incomplete(r)
    record_simulated(r)
    record_report(r, "survey", designed, known, "again", "market")
    r.put("literature", csi.literature.table()[["value", "upper"]])


def acsi_items() -> dict[str, list[str]]:
    """Return the items of the ACSI's constructs in the mobile-phone survey."""
    return {
        "Expectation": ["CUEX1", "CUEX2", "CUEX3"], "Quality": ["PERQ1", "PERQ2", "PERQ3"],
        "Value": ["PERV1", "PERV2"], "Satisfaction": ["CUSA1", "CUSA2", "CUSA3"],
        "Complaints": ["CUSCO"], "Loyalty": ["CUSL1", "CUSL2", "CUSL3"],
    }  # fmt: skip


def main(path: str) -> None:
    """Write the snapshot."""
    recorder = Recorder()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        everything(recorder)
    parts = {
        "tables": recorder.tables,
        "findings": recorder.findings,
        "refusals": recorder.refusals,
    }
    raw = json.dumps(parts, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    Path(path).write_bytes(gzip.compress(raw, mtime=0) if path.endswith(".gz") else raw)
    columns = sum(len(table["columns"]) for table in recorder.tables.values())
    print(
        f"{len(recorder.tables)} tables, {columns} columns, {len(recorder.findings)} lists of findings, "
        f"{len(recorder.refusals)} refusals"
    )


if __name__ == "__main__":
    main(sys.argv[1])
