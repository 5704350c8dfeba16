"""PLSc of constructs of constructs: populations are recovered, and every identity of PLSc holds."""

import numpy as np
import pandas as pd
import pytest

import csimodel as csi

LOADINGS = {
    "E": (0.8, 0.7, 0.6),
    "P": (0.7, 0.8, 0.75),
    "Q": (0.9, 0.6, 0.7),
    "R": (0.65, 0.85, 0.7),
    "V": (0.8, 0.75),
    "S": (0.7, 0.8, 0.9),
}
PATHS = {("H", "E"): 0.6, ("V", "H"): 0.5, ("S", "V"): 0.4, ("S", "H"): 0.35}
OF_FACTOR = np.array([0.8, 0.7, 0.9])  # loadings of the parts
OF_COMPOSITE = np.array([0.5, 0.3, 0.45])  # weights of the parts, before they are scaled
BETWEEN = np.array([[1.0, 0.4, 0.3], [0.4, 1.0, 0.5], [0.3, 0.5, 1.0]])
PARTS = ["P", "Q", "R"]


def measured(loadings):
    blocks = ((name, len(own)) for name, own in loadings.items())
    return "\n".join(
        f"{name} =~ {' + '.join(f'{name.lower()}{k + 1}' for k in range(size))}"
        for name, size in blocks
    )


def model(kind):
    whole = {"reflective": "H =~ P + Q + R", "composite": "H <~ P + Q + R"}[kind]
    return csi.Model.from_syntax(f"{measured(LOADINGS)}\n{whole}\nH ~ E\nV ~ H\nS ~ H + V")


def between_constructs(kind):
    """Correlations of E, P, Q, R, V and S, and of the parts with the whole, by path rules."""
    a, b, c, d = PATHS.values()
    with_whole = {"E": a, "V": b, "S": d + c * b}
    others = {("E", "V"): a * b, ("V", "S"): c + d * b, ("E", "S"): d * a + c * a * b}
    if kind == "reflective":
        own, loading = np.outer(OF_FACTOR, OF_FACTOR), OF_FACTOR
        np.fill_diagonal(own, 1.0)
    else:
        own = BETWEEN
        loading = own @ OF_COMPOSITE / np.sqrt(OF_COMPOSITE @ own @ OF_COMPOSITE)
    cor = pd.DataFrame(np.eye(6), list(LOADINGS), list(LOADINGS))
    cor.loc[PARTS, PARTS] = own
    for name, value in with_whole.items():
        cor.loc[name, PARTS] = cor.loc[PARTS, name] = value * loading
    for (one, other), value in others.items():
        cor.loc[one, other] = cor.loc[other, one] = value
    return cor, loading


def population(kind):
    """Answers of 300 whose sample correlations are those of the population."""
    cor, _ = between_constructs(kind)
    names = [f"{name.lower()}{k + 1}" for name, own in LOADINGS.items() for k in range(len(own))]
    spread = np.zeros((len(names), 6))
    at = 0
    for j, own in enumerate(LOADINGS.values()):
        spread[at : at + len(own), j] = own
        at += len(own)
    items = spread @ cor.to_numpy() @ spread.T
    np.fill_diagonal(items, 1.0)
    noise = np.random.default_rng(3).standard_normal((300, len(names)))
    noise -= noise.mean(axis=0)
    white = noise @ np.linalg.inv(np.linalg.cholesky(np.cov(noise.T)).T)
    return pd.DataFrame(white @ np.linalg.cholesky(items).T, columns=names)


@pytest.fixture(scope="module", params=["reflective", "composite"])
def fitted(request):
    fit = csi.fit(model(request.param), population(request.param), csi.PLS(consistent=True))
    return request.param, fit


def test_paths_and_loadings_of_both_orders_are_the_populations(fitted):
    kind, fit = fitted
    assert fit.converged
    for (target, source), value in PATHS.items():
        assert fit.paths.loc[target, source] == pytest.approx(value, abs=1e-9)
    for name, own in LOADINGS.items():
        items = [f"{name.lower()}{k + 1}" for k in range(len(own))]
        assert fit.loadings.loc[items, name].to_numpy() == pytest.approx(np.array(own), abs=1e-9)
    cor, loading = between_constructs(kind)
    assert fit.loadings.loc[PARTS, "H"].to_numpy() == pytest.approx(loading, abs=1e-9)
    between = fit.construct_cor
    assert between.loc["H", PARTS].to_numpy() == pytest.approx(loading, abs=1e-9)
    for one in LOADINGS:
        assert between.loc[one, list(LOADINGS)].to_numpy() == pytest.approx(
            cor.loc[one].to_numpy(), abs=1e-9
        )


def test_the_score_of_the_whole_is_what_the_parts_make_and_error(fitted):
    """Correlations of scores over both roots of reliability are those of constructs."""
    _, fit = fitted
    scores = fit.scores
    assert scores.var(ddof=1).to_numpy() == pytest.approx(1.0, abs=1e-9)
    reliability = pd.Series(fit.estimates.reliability, fit.model.construct_names)
    for name in ("E", "V", "S"):
        attenuated = np.corrcoef(scores["H"], scores[name])[0, 1]
        corrected = attenuated / np.sqrt(reliability["H"] * reliability[name])
        assert corrected == pytest.approx(fit.construct_cor.loc["H", name], abs=1e-9)


def test_weights_of_a_composite_are_those_of_its_parts_without_error():
    fit = csi.fit(model("composite"), population("composite"), csi.PLS(consistent=True))
    reliability = pd.Series(fit.estimates.reliability, fit.model.construct_names)[PARTS]
    own = fit.weights.loc[PARTS, "H"] * np.sqrt(reliability)
    assert (own / own.sum()).to_numpy() == pytest.approx(OF_COMPOSITE / OF_COMPOSITE.sum())


def test_parts_of_single_items_are_corrected_for_nothing():
    """With parts known without error PLSc of the whole is that of its items."""
    mobi, names = csi.load_mobi(), ["PERQ1", "PERQ2", "PERQ3", "PERQ4"]
    rest = "S =~ CUSA1\nE =~ CUEX1\nH ~ E\nS ~ H"
    singles = "\n".join(f"P{k} =~ {item}" for k, item in enumerate(names))
    whole = csi.Model.from_syntax(f"{singles}\nH =~ P0 + P1 + P2 + P3\n{rest}")
    plain = csi.Model.from_syntax(f"H =~ {' + '.join(names)}\n{rest}")
    ours = csi.fit(whole, mobi, csi.PLS(consistent=True, tolerance=1e-13))
    theirs = csi.fit(plain, mobi, csi.PLS(consistent=True, tolerance=1e-13))
    parts = [f"P{k}" for k in range(4)]
    assert ours.loadings.loc[parts, "H"].to_numpy() == pytest.approx(
        theirs.loadings.loc[names, "H"].to_numpy(), abs=1e-10
    )
    for path in (("S", "H"), ("H", "E")):
        assert ours.paths.loc[path] == pytest.approx(theirs.paths.loc[path], abs=1e-10)


def test_draws_are_fits_of_the_rows_drawn_and_are_counted_where_they_cannot_be():
    kind = "reflective"
    fit = csi.fit(model(kind), population(kind), csi.PLS(consistent=True))
    boot = csi.bootstrap(fit, 20, 4, progress=False)
    table = boot.table("paths")
    assert np.isfinite(table[["se", "lower", "upper"]].to_numpy()).all()
    alone = csi.bootstrap(fit, 3, 4, progress=False)
    assert boot.values("paths")[:3] == pytest.approx(alone.values("paths"), abs=1e-12)


def test_errors_without_draws_are_near_those_of_draws():
    fit = csi.fit(model("composite"), population("composite"), csi.PLS(consistent=True))
    drawn = csi.bootstrap(fit, 2_000, 4, progress=False).table("paths")["se"]
    linear = csi.linearize(fit).table("paths")["se"]
    assert linear.to_numpy() == pytest.approx(drawn.to_numpy(), rel=0.08)


ECSI_PARTS = "QA =~ PERQ1 + PERQ2 + PERQ3\nQB =~ PERQ4 + PERQ5 + PERQ6 + PERQ7\nQuality {} QA + QB"
WHOLE = "Quality =~ PERQ1 + PERQ2 + PERQ3 + PERQ4 + PERQ5 + PERQ6 + PERQ7"


@pytest.mark.parametrize(("kind", "sign"), [("reflective", "=~"), ("composite", "<~")])
def test_other_conventions_give_others_on_the_mobile_phones(mobi, reference, frame, kind, sign):
    """SeminR takes the parts' scores as known; cSEM finds the whole's weights by their scores."""
    known = reference("mobi_higher_order_corrected.json")
    text = csi.models.ecsi().to_syntax().replace(WHOLE, ECSI_PARTS.format(sign))
    fit = csi.fit(csi.Model.from_syntax(text), mobi, csi.PLS(consistent=True))
    own = fit.paths.loc["Quality", "Expectation"]
    csem = frame(known["csem"][kind]).loc["Quality", "Expectation_temp"]
    assert 1e-3 < abs(own - csem) < 0.03
    if kind == "reflective":
        seminr = frame(known["seminr"]).loc["Expectation", "Quality"]
        assert 1e-3 < abs(own - seminr) < 0.03
    codes = {told.code for told in fit.diagnostics}
    assert "construct-correlation-beyond-1" in codes  # of the two parts
