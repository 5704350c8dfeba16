"""How often linearised intervals of designed samples hold the truth, and how often without design.

Run ``python benchmarks/coverage_design.py --samples 2000 --write docs/coverage_design.md`` (one
thread, half an hour of an idle core; ``--keep FILE`` goes on where it stopped). The index, a path
and the slope of an outcome in samples that were drawn in clusters, in strata, with unequal
probabilities, in two waves of the same clusters, and with weights raked to margins, by
`csi.linearize` and `csi.repurchase` with the design and as if it were not there; and with a fifth
of the answers missing at random, imputed or by full information.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import common  # noqa: F401  one thread, before NumPy is loaded
import numpy as np
import pandas as pd

import csimodel as csi
from csimodel.survey import Survey

INTRACLASS = 0.1
MODEL = csi.Model.from_syntax("Q =~ q1 + q2 + q3\nS =~ s1 + s2 + s3\nS ~ Q")
ITEMS = list(MODEL.items)
SLOPE = 0.01  # of the outcome, a point of the index
PEOPLE = 400_000  # that the true path is computed from

Rng = np.random.Generator
Covered = Callable[[Rng], list[bool]]


def answers(rng: Rng, quality: np.ndarray, more: np.ndarray | float = 0.0) -> pd.DataFrame:
    """Return items from standard normal qualities, and an outcome; means are 50.

    `more` is what else moves satisfaction, standard normal; drawn where it is 0.
    """
    rows = len(quality)
    rest = rng.normal(size=rows) if np.isscalar(more) else more
    happy = 0.6 * quality + 0.8 * rest
    true = np.column_stack([quality] * 3 + [happy] * 3)
    items = 50.0 + 10.0 * (0.8 * true + 0.6 * rng.normal(size=(rows, 6)))
    frame = pd.DataFrame(items, columns=ITEMS)
    index = items[:, 3:].mean(axis=1)
    return frame.assign(again=0.5 + SLOPE * (index - 50.0) + 0.2 * rng.normal(size=rows))


def read(frame: pd.DataFrame, **design: str) -> Survey:
    """Return answers between 0 and 100 in points, the index on that scale."""
    return csi.read_survey(frame, scale=(-100, 200), items=ITEMS, **design)


def truth_of(frame: pd.DataFrame) -> np.ndarray:
    """Return the index and the slope, which are known, and the path of all people between them."""
    fit = csi.fit(MODEL, read(frame), csi.PLS(modes="unit"))
    return np.array([50.0, float(fit.paths.loc["S", "Q"]), SLOPE / (_ENDS[1] - _ENDS[0])])


_ENDS = (-10, 11)


def _unit_index(frame: pd.DataFrame) -> pd.Series:
    return frame[ITEMS[3:]].mean(axis=1).rename("index")


def intervals(survey: Survey) -> np.ndarray:
    """Return lower and upper limits of index, path and slope, (3, 2)."""
    linear = csi.linearize(csi.fit(MODEL, survey, csi.PLS(modes="unit")))
    rep = csi.repurchase(survey, "again", index=_unit_index(survey.data), family="ols", scale=_ENDS)
    rows = [
        linear.table("index").loc["S"],
        linear.table("paths").iloc[0],
        rep.coefficients.iloc[1],
    ]
    return np.array([[row["lower"], row["upper"]] for row in rows], dtype=float)


def held(survey: Survey, truth: np.ndarray) -> list[bool]:
    """Return whether intervals hold the truth."""
    limits = intervals(survey)
    return list((limits[:, 0] <= truth) & (truth <= limits[:, 1]))


def people(seed: int = 1) -> tuple[Rng, np.ndarray]:
    """Return random numbers and the qualities of many people."""
    rng = np.random.default_rng(seed)
    return rng, rng.normal(size=PEOPLE)


def clustered(clusters: int, size: int = 20) -> Covered:
    """Answers of a cluster share a tenth of their variance."""
    truth = truth_of(answers(*people()))
    cluster = np.repeat(np.arange(clusters), size)

    def once(rng: Rng) -> list[bool]:
        quality, rest = (
            np.sqrt(INTRACLASS) * rng.normal(size=clusters)[cluster]
            + np.sqrt(1.0 - INTRACLASS) * rng.normal(size=len(cluster))
            for _ in range(2)
        )
        frame = answers(rng, quality, rest).assign(cluster=cluster)
        return held(read(frame, cluster="cluster"), truth) + held(read(frame), truth)

    return once


def stratified(strata: int = 10, size: int = 20) -> Covered:
    """Half the variance of quality, and of what else moves satisfaction, lies between strata."""
    rng, noise = people(2)
    ends, within = np.sqrt(0.5) * _normal_scores(strata), np.sqrt(0.5)
    everyone = ends[np.arange(PEOPLE) % strata]
    rest = everyone + within * rng.normal(size=PEOPLE)
    truth = truth_of(answers(rng, everyone + within * noise, rest))
    stratum = np.repeat(np.arange(strata), size)

    def once(rng: Rng) -> list[bool]:
        quality, rest = (ends[stratum] + within * rng.normal(size=len(stratum)) for _ in range(2))
        frame = answers(rng, quality, rest).assign(stratum=stratum)
        return held(read(frame, strata="stratum"), truth) + held(read(frame), truth)

    return once


def _normal_scores(count: int) -> np.ndarray:
    """Return numbers with mean 0 and variance 1 that are spread as the normal distribution."""
    from scipy.special import ndtri

    scores = ndtri((np.arange(count) + 0.5) / count)
    return np.asarray(scores / scores.std())


def weighted(rows: int = 300) -> Covered:
    """The dissatisfied are drawn more often, up to fivefold, and weighted down."""
    truth = truth_of(answers(*people(3)))

    def once(rng: Rng) -> list[bool]:
        everyone = answers(rng, rng.normal(size=10 * rows))
        chance = 1.0 / (1.0 + np.exp((everyone["s1"].to_numpy() - 50.0) / 5.0)) + 0.25
        drawn = rng.random(len(everyone)) < chance / chance.sum() * rows
        frame = everyone[drawn].assign(weight=1.0 / chance[drawn]).reset_index(drop=True)
        return held(read(frame, weights="weight"), truth) + held(read(frame), truth)

    return once


def raked(rows: int = 300) -> Covered:
    """Weights are raked to the known sizes of groups that tell much of satisfaction."""
    truth = truth_of(answers(*people(4)))

    def once(rng: Rng) -> list[bool]:
        quality, rest = rng.normal(size=(2, rows))
        frame = answers(rng, quality, rest)
        frame = frame.assign(
            one=np.digitize(quality, (-0.6744897501960817, 0.0, 0.6744897501960817)),
            two=(rest > 0) * 1,
        )
        margins = {"one": dict.fromkeys(range(4), 0.25), "two": {0: 0.5, 1: 0.5}}
        survey = csi.rake(read(frame), margins)
        blind = read(survey.data, weights="weight_raked")
        return held(survey, truth) + held(blind, truth)

    return once


def waves(clusters: int = 10, size: int = 20) -> Covered:
    """The change of the index between two waves of the same clusters."""
    cluster = np.repeat(np.arange(clusters), size)

    def once(rng: Rng) -> list[bool]:
        lift = np.sqrt(INTRACLASS) * rng.normal(size=(2, clusters))[:, cluster]
        fits = {}
        for wave in (1, 2):
            own = np.sqrt(1.0 - INTRACLASS) * rng.normal(size=(2, len(cluster)))
            frame = answers(rng, *(lift + own)).assign(cluster=cluster, other=cluster + 99 * wave)
            fits[wave] = [
                csi.fit(MODEL, read(frame, cluster=name), csi.PLS(modes="unit"))
                for name in ("cluster", "other")
            ]
        found = []
        for way in range(2):
            both = {wave: own[way] for wave, own in fits.items()}
            row = csi.linearize(both).difference(("index", 2), ("index", 1)).loc["S"]
            found.append(bool(row["lower"] <= 0.0 <= row["upper"]))
        return found

    return once


def missing(rows: int = 300, imputations: int = 5) -> Callable[[Rng], list[list[float]]]:
    """Return estimate, lower and upper limit of index and path, imputed and by full information."""

    def once(rng: Rng) -> list[list[float]]:
        frame = answers(rng, rng.normal(size=rows))
        pull = (frame["q1"].to_numpy() - 50.0) / 10.0
        for item in ("q3", "s1", "s2", "s3"):  # about .30 of four of six items: a fifth of all
            chance = 1.0 / (1.0 + np.exp(1.0 - 0.9 * pull))
            frame.loc[rng.random(rows) < chance, item] = np.nan
        survey = csi.read_survey(read(frame), missing="pairwise")
        seed = int(rng.integers(2**31))
        pooled = []
        for method in METHODS:
            own = csi.impute(survey, imputations, method=method, sweeps=5, rng=seed, progress=False)
            pooled.append(csi.inference.pool([csi.fit(MODEL, part, csi.ML()) for part in own]))
        full = csi.linearize(csi.fit(MODEL, survey, csi.ML(missing="fiml")))
        rows_of = [
            row
            for errors in (*pooled, full)
            for row in (errors.table("index").loc["S"], errors.table("paths").iloc[0])
        ]
        return [[float(row[name]) for name in ("estimate", "lower", "upper")] for row in rows_of]

    return once


METHODS = ("normal", "pmm")
ENTRIES = ("index", "path", "slope of an outcome")


def scenarios() -> Iterator[tuple[str, Callable[[], Covered], tuple[str, ...]]]:
    """Yield what is drawn, what a sample shows, and of which entries."""
    yield "10 clusters of 20, intra-class correlation .1", lambda: clustered(10), ENTRIES
    yield "30 clusters of 20, intra-class correlation .1", lambda: clustered(30), ENTRIES
    yield "10 strata of 20, half the variance between them", stratified, ENTRIES
    yield "weights: the dissatisfied drawn up to fivefold, 300", weighted, ENTRIES
    yield "raked to two margins that tell of satisfaction, 300", raked, ENTRIES
    yield "two waves of the same 10 clusters of 20", waves, ("change of the index",)


def simulate(once: Callable[[Rng], list], samples: int, seed: int = 2026) -> np.ndarray:
    """Return what each sample shows, (samples, ...)."""
    shown = []
    for child in np.random.SeedSequence(seed).spawn(samples):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            shown.append(once(np.random.default_rng(child)))
    return np.array(shown)


def lines_of_designs(results: dict) -> list[str]:
    """Return the rows of the table of designs."""
    lines = []
    for name, _, entries in scenarios():
        if name not in results:
            continue
        shares = results[name]["held"]
        samples = results[name]["samples"]
        for entry, own, other in zip(entries, *np.split(np.array(shares), 2), strict=True):
            lines.append(f"| {name}: {entry} | {samples:,} | {own:.3f} | {other:.3f} |")
    return lines


def summary_of_missing(values: np.ndarray) -> dict:
    """Return coverage, bias, spread and width by entry, and differences to full information."""
    truth = {"index": 50.0, "path": 0.6}  # the path is the correlation of the factors
    summary = {}
    ways = (*(f"imputed ({method})" for method in METHODS), "full information")
    for k, (entry, true) in enumerate(truth.items()):
        of_way = {way: values[:, 2 * place + k] for place, way in enumerate(ways)}
        full = of_way["full information"][:, 0]
        for way, own in of_way.items():
            summary[f"{entry}, {way}"] = [
                float(((own[:, 1] <= true) & (true <= own[:, 2])).mean()),
                float(own[:, 0].mean() - true),
                float(own[:, 0].std(ddof=1)),
                float((own[:, 2] - own[:, 1]).mean()),
            ]
        for way in ways[:-1]:
            gap = of_way[way][:, 0] - full
            error = gap.std(ddof=1) / np.sqrt(len(gap))
            summary[f"{entry}, {way} less full information"] = [float(gap.mean()), float(error)]
    return summary


def lines_of_missing(results: dict) -> list[str]:
    """Return the rows of the table of missing answers."""
    if "missing" not in results:
        return []
    lines = []
    samples = results["missing"]["samples"]
    for name, numbers in results["missing"]["summary"].items():
        if len(numbers) == 2:
            gap, error = numbers
            lines.append(f"| {name} | {samples:,} | | {gap:+.4f} ± {error:.4f} | | |")
            continue
        cover, bias, spread, width = numbers
        lines.append(
            f"| {name} | {samples:,} | {cover:.3f} | {bias:+.4f} | {spread:.4f} | {width:.4f} |"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--only", help="what is simulated: part of a name, or 'missing'")
    parser.add_argument("--keep", type=Path, help="file that results are added to, and taken from")
    parser.add_argument("--write", type=Path, help="the page, such as docs/coverage_design.md")
    options = parser.parse_args()
    results = {}
    if options.keep and options.keep.exists():
        results = json.loads(options.keep.read_text(encoding="utf-8"))

    def wanted(name: str) -> bool:
        kept = results.get(name, {}).get("samples", 0)
        return kept < options.samples and (options.only is None or options.only in name)

    for name, draw, _ in scenarios():
        if wanted(name):
            held_by = simulate(draw(), options.samples).mean(axis=0)
            results[name] = {"samples": options.samples, "held": held_by.tolist()}
            keep(options.keep, results)
    if wanted("missing"):
        summary = summary_of_missing(simulate(missing(), options.samples))
        results["missing"] = {"samples": options.samples, "summary": summary}
        keep(options.keep, results)
    designs, gaps = lines_of_designs(results), lines_of_missing(results)
    print("\n".join([*designs, *gaps]))
    if options.write:
        page = _PAGE.format(designs="\n".join(designs), missing="\n".join(gaps))
        options.write.write_text(page, encoding="utf-8")


def keep(path: Path | None, results: dict) -> None:
    """Write results so far, where a file is named."""
    if path is not None:
        path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


_PAGE = """# Coverage of errors that follow from the design

Printed by `python benchmarks/coverage_design.py --write docs/coverage_design.md`. Linearised 95 %
intervals (`csi.linearize`, `csi.repurchase`) of the index of satisfaction, the path to it and the
slope of an outcome on an index of equal weights, with the design and as if respondents had been
drawn one by one with equal weights (of raked weights: as if nobody knew of the margins; of waves:
as if their clusters were others). Monte Carlo error of .95: .005 of 2,000 samples.

Theory has it that without the design intervals are too narrow in clusters and miss the truth where
weights are left out, and that they are too wide in strata, with margins and in waves that share
clusters. How far depends on the estimate: a path or a slope given the index varies little with what
is common to a cluster, a stratum or a group of a margin.

| sample and estimate | samples | with the design | without |
| --- | --- | --- | --- |
{designs}

A fifth of the answers missing at random (the more, the higher a first item that everybody
answers), normal answers of 300 respondents, maximum likelihood of two factors: five imputations by
chained equations (`csi.impute`, `csi.inference.pool`) with normal residuals and with predictive
mean matching, and full information on the same samples. Differences to it have their
simulation error; the index in points of a scale from 0 to 100, truths 50 and .6. Imputations draw
coefficients too, which pulls a correlation towards 0 by a share of the order of 1 over the number
of respondents; matched answers come from the respondents there are, so ends of the scale are a
little too rare.

| estimate | samples | coverage | bias | standard deviation | width of intervals |
| --- | --- | --- | --- | --- | --- |
{missing}
"""


if __name__ == "__main__":
    main()
