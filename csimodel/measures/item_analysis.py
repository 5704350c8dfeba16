"""Item analysis: which items measure their construct, and what a shorter scale would cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked, checked_in
from csimodel.bounds import THRESHOLDS
from csimodel.errors import ModelError, OptionError, choose
from csimodel.findings import Finding, counted, text
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.inference import Draws, ErrorSource, StandardErrors, infer
from csimodel.inference.domains import Domains, function_of_means, one_group
from csimodel.measures import item_statistics as kernels
from csimodel.measures.confirmation import index_of_shorter, measures_of_factors
from csimodel.measures.items import survey_of, weighted_means
from csimodel.model import Model
from csimodel.moments import CrossProducts, Moments, Resampling, group_moments, moments_of
from csimodel.options import generator_of, require_count, require_level, seed_of, shown
from csimodel.page import HasPage, Page, Section
from csimodel.survey import Answers, Survey
from csimodel.translation import message

Floats = NDArray[np.float64]

_TABLES = ("items", "scales", "shorter", "item_total", "alpha_if_deleted")
_NO_DRAWS = message("no draws were asked for; give draws=1000")
_EXTREME = 0.27  # Kelley's share of respondents at either end


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class ItemAnalysis(HasPage):
    """Items by construct. Made by `csi.analyze_items`.

    Attributes
    ----------
    blocks
        Items by construct, of two items or more.
    answers
        What was answered.
    moments
        Of the items.
    draws
        Covariances in bootstrap draws, (draws, items, items), or None.
    reliability
        What a shorter scale is to reach.
    level
        Coverage of intervals.
    findings
        What a reader must know.
    """

    blocks: Mapping[str, tuple[str, ...]]
    answers: Answers
    moments: Moments
    draws: Floats | None
    reliability: float
    level: float
    findings: tuple[Finding, ...]

    def _cov(self, names: Sequence[str], cov: Floats | None = None) -> Floats:
        places = [self.answers.items.index(name) for name in names]
        source = self.moments.cov if cov is None else cov
        return np.asarray(source[..., places, :][..., places])

    def _scores(self, names: Sequence[str]) -> Floats:
        """Return the mean of items on 0 to 100, (rows,); NaN where a scale is unknown."""
        places = [self.answers.items.index(name) for name in names]
        low, high = self.answers.minimum[places], self.answers.maximum[places]
        return np.asarray(
            (100 * (self.answers.values[:, places] - low) / (high - low)).mean(axis=1)
        )

    @cached_property
    def items(self) -> pd.DataFrame:
        """By construct and item, what the item does for its scale.

        item_total (correlation with the sum of the others), alpha_if_deleted, omega_if_deleted,
        discrimination (mean of the 27 % with the highest sums less that of the 27 % with the
        lowest, as a share of the scale), difficulty (mean as a share of the scale), full_marks
        (share of the highest answer), closest and correlation (the item that it is most like), smc
        (squared multiple correlation with the others; NaN where they make it up
        exactly).
        """
        parts = {name: self._items_of(block) for name, block in self.blocks.items()}
        return pd.concat(parts, names=["construct", "item"])

    def _items_of(self, block: tuple[str, ...]) -> pd.DataFrame:
        cov = self._cov(block)
        spread = np.sqrt(np.diagonal(cov))
        cor = cov / np.outer(spread, spread)
        beside = cor - 2 * np.eye(len(block))
        places = [self.answers.items.index(name) for name in block]
        values = self.answers.values[:, places]
        low, high = self.answers.minimum[places], self.answers.maximum[places]
        share = (values - low) / (high - low)
        full = np.where(np.isnan(high) | np.isnan(values), np.nan, values == high)
        weights = one_group(self.answers).weights
        total = np.nansum(values, axis=1)
        ends = np.quantile(total, [_EXTREME, 1 - _EXTREME])
        groups = [total >= ends[1], total <= ends[0]]
        top, bottom = (weighted_means(share[own], weights[own]) for own in groups)
        return pd.DataFrame(
            {
                "item_total": kernels.item_totals(cov),
                "alpha_if_deleted": kernels.alphas_without(cov),
                "omega_if_deleted": kernels.omegas_without(cov),
                "discrimination": top - bottom,
                "difficulty": weighted_means(share, weights),
                "full_marks": weighted_means(full, weights),
                "closest": [block[k] for k in beside.argmax(axis=1)],
                "correlation": beside.max(axis=1),
                "smc": kernels.squared_multiple(cor),
            },
            index=list(block),
        )

    @cached_property
    def scales(self) -> pd.DataFrame:
        """By construct: items, alpha, standardised alpha, omega and mean correlation."""
        rows = {}
        for name, block in self.blocks.items():
            cov = self._cov(block)
            spread = np.sqrt(np.diagonal(cov))
            cor = cov / np.outer(spread, spread)
            rows[name] = {
                "items": len(block),
                "alpha": float(kernels.alpha_of(cov)),
                "alpha_standardized": float(kernels.alpha_of(cor)),
                "omega": float(kernels.omega_of(cov)),
                "mean_correlation": float(cor[np.tril_indices(len(block), -1)].mean()),
            }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("construct")

    @cached_property
    def shorter(self) -> pd.DataFrame:
        """Ever shorter scales, by construct and number of items, beside the whole.

        Columns kept, alpha, omega, correlation (with the score of all items), index (the mean of
        items on 0 to 100 with equal weights), index_se, difference (index less that of all items)
        with se, df, lower, upper, p and reason, se_ratio (index_se to that of all items), and
        suggested: the shortest whose alpha reaches `reliability`, or, where the whole does not,
        stays within .05 of it.
        """
        parts = {
            name: self._shorter(block) for name, block in self.blocks.items() if len(block) > 2
        }
        if not parts:
            return pd.DataFrame(columns=["kept", "alpha", "suggested"])
        return pd.concat(parts, names=["construct", "items"])

    def _shorter(self, block: tuple[str, ...]) -> pd.DataFrame:
        cov = self._cov(block)
        whole = float(kernels.alpha_of(cov))
        line = min(self.reliability, whole - 0.05) if whole < self.reliability else self.reliability
        every = self._scores(block)
        rows, suggested = {}, None
        for places in kernels.shorter_scales(cov):
            kept = [block[k] for k in places]
            score = self._scores(kept)
            statistics = function_of_means(
                one_group(self.answers), np.column_stack([every, score, score - every])
            )
            labels = pd.Index(["all", "short", "difference"])
            table = infer(labels, statistics.estimate.ravel(), statistics.errors, self.level)
            part = cov[np.ix_(places, places)]
            alpha = float(kernels.alpha_of(part))
            values, errors = (table[name].to_numpy(np.float64) for name in ("estimate", "se"))
            row = table.loc["difference"]
            rows[len(places)] = {
                "kept": " ".join(kept),
                "alpha": alpha,
                "omega": float(kernels.omega_of(part)),
                "correlation": _correlation(cov, places),
                "index": values[1],
                "index_se": errors[1],
                "difference": values[2],
                **{name: row[name] for name in ("se", "df", "lower", "upper", "p", "reason")},
                "se_ratio": errors[1] / errors[0],
            }
            if alpha >= line:
                suggested = len(places)
        frame = pd.DataFrame.from_dict(rows, orient="index")
        frame["suggested"] = [length == suggested for length in frame.index]
        return frame

    @property
    def suggested(self) -> dict[str, tuple[str, ...]]:
        """The shorter scales that are suggested, and whole ones where none is."""
        scales = dict(self.blocks)
        shorter = self.shorter
        chosen = shorter[shorter["suggested"].astype(bool)]
        if len(chosen):
            names = chosen.index.get_level_values("construct").tolist()
            lengths = chosen.index.get_level_values("items").tolist()
            for construct, length in zip(names, lengths, strict=True):
                block = self.blocks[construct]
                own = {len(own): own for own in kernels.shorter_scales(self._cov(block))}
                scales[construct] = tuple(block[k] for k in own[length])
        return scales

    def confirm(self, rng: int | np.random.Generator | None = 0) -> pd.DataFrame:
        """Choose the shorter scales in a random half of the respondents, and try them in the other.

        Returns
        -------
        DataFrame
            By construct: kept (chosen in the first half), alpha_first, alpha_second (of them in
            either half), alpha_whole (of all items in the second half), and correlation (of the
            two scores in the second half). Of the second half, too, what the shorter scale does to
            the index: index_whole and index (means of items on 0 to 100), difference (index less
            index_whole) with se, df, lower, upper, p and reason.

        Raises
        ------
        OptionError
            For an `rng` that is none.
        """
        half = self._halves(rng)
        moments = group_moments(self.answers, half, 2)
        second_half = Domains(self.answers, half - 1, 1)
        results = {}
        for name, block in self.blocks.items():
            first, second = self._cov(block, moments.cov)
            places = self._chosen(first)
            own = np.ix_(places, places)
            scores = (self._scores(block), self._scores([block[k] for k in places]))
            row = index_of_shorter(second_half, *scores, self.level)
            results[name] = {
                "kept": " ".join(block[k] for k in places),
                "alpha_first": float(kernels.alpha_of(first[own])),
                "alpha_second": float(kernels.alpha_of(second[own])),
                "alpha_whole": float(kernels.alpha_of(second)),
                "correlation": _correlation(second, places),
                **row,
            }
        return pd.DataFrame.from_dict(results, orient="index").rename_axis("construct")

    def confirm_factors(self, rng: int | np.random.Generator | None = 0) -> pd.DataFrame:
        """Fit the scales as common factors (CFA) in the half that `confirm` tries them in.

        Maximum likelihood, a factor for each construct, all of them correlated; the same `rng`
        makes the same halves.

        Returns
        -------
        DataFrame
            Rows ``"all items"`` and ``"shorter"``, the scales chosen in the first half; columns
            items, n, chisq, df, pvalue, cfi, tli, rmsea, srmr, and reason where there is no
            solution.

        Raises
        ------
        OptionError
            For an `rng` that is none.

        References
        ----------
        Jöreskog, K. G. (1969). A general approach to confirmatory maximum likelihood factor
        analysis. Psychometrika 34, 183-202. https://doi.org/10.1007/BF02289343
        """
        moments = group_moments(self.answers, self._halves(rng), 2)
        shorter = {}
        for name, block in self.blocks.items():
            shorter[name] = tuple(block[k] for k in self._chosen(self._cov(block, moments.cov)[0]))
        rows = {
            message("all items"): measures_of_factors(self.blocks, moments[1]),
            message("shorter"): measures_of_factors(shorter, moments[1]),
        }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("scales")

    def _halves(self, rng: int | np.random.Generator | None) -> NDArray[np.intp]:
        """Return 0 for respondents of the first half and 1 for those of the second."""
        rows = len(self.answers.values)
        half = np.zeros(rows, dtype=np.intp)
        half[generator_of(rng).permutation(rows)[rows // 2 :]] = 1
        return half

    def _chosen(self, cov: Floats) -> tuple[int, ...]:
        """Return the places of the shortest scale that is reliable enough by its covariances."""
        whole = float(kernels.alpha_of(cov))
        line = self.reliability if whole >= self.reliability else whole - 0.05
        places = tuple(range(len(cov)))
        for shorter in kernels.shorter_scales(cov):
            if kernels.alpha_of(cov[np.ix_(shorter, shorter)]) >= line:
                places = tuple(shorter)
        return places

    def table(self, name: str = "items") -> pd.DataFrame:
        """Return a table.

        Parameters
        ----------
        name
            ``"items"``, ``"scales"`` or ``"shorter"``; ``"item_total"`` or ``"alpha_if_deleted"``
            with estimate, se, df, lower, upper, p and reason from draws.

        Raises
        ------
        OptionError
            For another name.
        """
        choose("name", name, _TABLES)
        if name not in ("item_total", "alpha_if_deleted"):
            tables = {"items": self.items, "scales": self.scales}
            return tables.get(name, self.shorter)
        kernel = kernels.item_totals if name == "item_total" else kernels.alphas_without
        estimate = self.items[name].to_numpy()
        source: ErrorSource = StandardErrors.none(len(estimate), _NO_DRAWS)
        if self.draws is not None:
            parts = [kernel(self._cov(block, self.draws)) for block in self.blocks.values()]
            repeated = np.concatenate(parts, axis=-1)
            source = Draws.of_design(estimate, repeated, self.answers.design, "auto")
        return infer(self.items.index, estimate, source, self.level, 0.0)

    @property
    def page(self) -> Page:
        """The analysis on a page."""
        return Page(
            text("Item analysis"),
            text(
                "{items} of {constructs}, {respondents}.",
                items=counted(len(self.items), "{count:,} item", "{count:,} items"),
                constructs=counted(len(self.blocks), "{count:,} construct", "{count:,} constructs"),
                respondents=counted(
                    len(self.answers.values), "{count:,} respondent", "{count:,} respondents"
                ),
            ),
            findings=self.findings,
            sections=(
                Section(text("Scales"), self.scales, decimals=3),
                Section(text("Items"), self.items, decimals=2),
                Section(text("Shorter scales"), self.shorter, decimals=3),
            ),
        )


@own_errstate
@checked
def analyze_items(
    survey: Survey | pd.DataFrame,
    model: Model | Mapping[str, Sequence[str]] | None = None,
    *,
    draws: int = 0,
    reliability: float = 0.70,
    level: float = 0.95,
    rng: int | np.random.Generator | None = 0,
) -> ItemAnalysis:
    """Look at how well each item measures its construct, and which could go.

    Parameters
    ----------
    survey
        A survey, or a frame. Its policy for missing answers holds, and its weights.
    model
        A model, or items by construct; by default the constructs of the codebook. Constructs of one
        item are left out.
    draws
        Bootstrap draws for intervals of item-total correlations and alphas; 0 for none.
    reliability
        Alpha that a shorter scale is to reach.
    level
        Coverage of intervals.
    rng
        For the draws.

    Returns
    -------
    ItemAnalysis
        With ``items``, ``scales``, ``shorter`` (and ``suggested``), ``confirm()`` and
        ``confirm_factors()`` by halves, and ``table("item_total")`` with intervals.

    Raises
    ------
    ModelError
        When nothing says which items belong together, or no construct has two items.
    SurveyError
        When an item cannot be used.

    References
    ----------
    Kelley, T. L. (1939). The selection of upper and lower groups for the validation of test items.
    Journal of Educational Psychology 30, 17-24. https://doi.org/10.1037/h0057123

    Nunnally, J. C., Bernstein, I. H. (1994). Psychometric Theory, chapter 8. McGraw-Hill.

    Examples
    --------
    >>> import csimodel as csi
    >>> analysis = analyze_items(csi.load_mobi(), csi.models.ecsi())
    >>> analysis.items.loc[("Loyalty", "CUSL2"), ["item_total", "alpha_if_deleted"]].astype(
    ...     float).round(3).tolist()
    [0.1, 0.695]
    >>> analysis.suggested["Loyalty"]
    ('CUSL1', 'CUSL3')
    """
    require_level(level)
    require_count("draws", draws, " draws", least=0)
    if not 0 < reliability < 1:
        raise OptionError(f"reliability={shown(reliability)} must lie between 0 and 1.")
    taken = survey_of(survey)
    blocks = _blocks(taken, model)
    answers = taken.answers(blocks)
    repeated = _covariances(answers, draws, seed_of(rng)) if draws else None
    moments = moments_of(answers)
    analysis = ItemAnalysis(blocks, answers, moments, repeated, float(reliability), level, ())
    findings = (*answers.findings, *_told(analysis))
    return ItemAnalysis(blocks, answers, moments, repeated, float(reliability), level, findings)


def _blocks(survey: Survey, model: object) -> dict[str, tuple[str, ...]]:
    """Return the items of constructs that have two or more."""
    if isinstance(model, Model):
        given: Mapping[str, Sequence[str]] = model.blocks
    elif isinstance(model, Mapping):
        given = {
            str(name): (items,) if isinstance(items, str) else tuple(items)
            for name, items in model.items()
            if isinstance(items, str | list | tuple)
        }
        if len(given) < len(model):
            raise ModelError(
                f"model={shown(model)} must hold a list of items for each construct, as in "
                "{'Quality': ['q1', 'q2']}."
            )
    elif model is None:
        given = survey.blocks
    else:
        raise ModelError(
            f"model={shown(model)} must be a csi.Model, or items by construct, as in "
            "{'Quality': ['q1', 'q2']}."
        )
    blocks = {name: tuple(items) for name, items in given.items() if len(items) > 1}
    if not blocks:
        raise ModelError(
            "No construct has two items, so no item can be compared with the others of its scale; "
            "give model=, such as {'Quality': ['q1', 'q2', 'q3']}, or a codebook with constructs."
        )
    return blocks


def _covariances(answers: Answers, draws: int, seed: int) -> Floats:
    samples = CrossProducts.of(answers)
    design = Resampling.of_design(answers.design, draws, seed)
    parts = [samples.resampled(design.copies(span)).cov for span in design.spans()]
    return np.concatenate(parts)


def _correlation(cov: Floats, places: Sequence[int]) -> float:
    """Return the correlation of the sum of some items with the sum of all."""
    part = cov[list(places)]
    own = part[:, list(places)].sum()
    return float(part.sum() / np.sqrt(own * cov.sum()))


def _told(analysis: ItemAnalysis) -> Iterator[Finding]:
    items = analysis.items
    low = THRESHOLDS["item-total correlation"].value
    names = items.index.get_level_values("item").tolist()
    weak = tuple(
        name for name, own in zip(names, items["item_total"].tolist(), strict=True) if own < low
    )
    if weak:
        values = {"items": weak, "line": low}
        yield Finding("weak-items", _WEAK, weak, "warning", len(weak), values)
    exact = tuple(
        name for name, own in zip(names, items["smc"].tolist(), strict=True) if np.isnan(own)
    )
    if exact:
        yield Finding("dependent-items", _DEPENDENT, exact, "warning", len(exact), {"items": exact})
    alike = THRESHOLDS["correlation of redundant items"].value
    closest, correlation = items["closest"].tolist(), items["correlation"].tolist()
    both = {
        tuple(sorted((name, other)))
        for name, other, own in zip(names, closest, correlation, strict=True)
        if own > alike
    }
    pairs = tuple(" and ".join(pair) for pair in sorted(both))
    if pairs:
        values = {"pairs": pairs, "line": alike}
        yield Finding("redundant-items", _ALIKE, pairs, "note", len(pairs), values)
    scored = np.isfinite(analysis.answers.minimum) & np.isfinite(analysis.answers.maximum)
    without = tuple(np.array(analysis.answers.items)[~scored].tolist())
    if without:
        yield Finding(
            "no-scale-of-items", _NO_SCALE, without, "note", len(without), {"items": without}
        )


_WEAK = "The correlation of {items:10} with the other items of the scale is below {line}."
_DEPENDENT = (
    "Items of a scale make up one another exactly, so {items:10} have no squared multiple "
    "correlation; look whether one was computed from others."
)
_ALIKE = "These items are nearly the same question (correlation above {line}): {pairs:10}."
_NO_SCALE = (
    "The scale of {items:10} is not known, so difficulty, discrimination and the index of shorter "
    "scales are missing."
)
