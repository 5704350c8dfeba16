"""A population whose parameters are known, and the samples that are drawn from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked_in
from csimodel.errors import OptionError
from csimodel.estimators import Fit, Quantity, Solution, find, fit_of
from csimodel.estimators.points import by_block, point_weights
from csimodel.floats import own_errstate_in
from csimodel.formatting import plural
from csimodel.model import Model
from csimodel.moments import Moments
from csimodel.moments.fourth import fourth_moments_of_samples
from csimodel.moments.gamma import DenseGamma
from csimodel.options import require_count, seed_of
from csimodel.simulate.rows import AnswerRows, Distribution, blocks, wishart
from csimodel.simulate.shapes import AnswerShape, Normal
from csimodel.simulate.survey_design import Firms, Missing, Outcome
from csimodel.survey import Survey, read_survey

Floats = NDArray[np.float64]
Seed = int | np.random.Generator | None


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class Population:
    """A population with known parameters, and how it is surveyed. Made by `population`.

    `dataclasses.replace` gives the same population surveyed otherwise.

    Attributes
    ----------
    solution
        The parameters and moments of the population as arrays; what `PLS(consistent=True)` finds
        when sample moments equal the population's. Weights of common factors are therefore
        proportional to loadings, those of composites the ones given.
    shape
        Distribution of the answers: `Normal`, `Skewed` or `HeavyTailed`.
    rounded
        Whether answers are rounded to whole numbers within the scale, 1 to 10 say.
    missing, firms, outcome
        Empty cells, firms with random effects, a repurchase outcome; None for none.
    """

    solution: Solution
    shape: AnswerShape = field(default_factory=Normal)
    rounded: bool = False
    missing: Missing | None = None
    firms: Firms | None = None
    outcome: Outcome | None = None

    def __post_init__(self) -> None:
        known = np.isfinite(self.solution.moments.minimum).all()
        if self.rounded and not known:
            raise OptionError(
                "rounded=True needs the answers' scale; give population(..., scale=(1, 10))."
            )
        if self.missing is not None:
            self.missing.columns(self.model.items)
        for option, value in (("firms", self.firms), ("outcome", self.outcome)):
            if value is not None and not self.shape.keeps_constructs:
                raise OptionError(
                    f"{option} needs construct scores, which {self.shape!r} does not draw; use "
                    "Normal() or HeavyTailed()."
                )
        if self.outcome is not None:
            self.outcome.coefficients(self._true_index(self.outcome.construct)[1])

    @property
    def model(self) -> Model:
        """Constructs and paths."""
        return self.solution.model

    @property
    def paths(self) -> pd.DataFrame:
        """Standardised path coefficients, targets × sources."""
        return self._tables.paths

    @property
    def loadings(self) -> pd.DataFrame:
        """Standardised loadings, items × constructs."""
        return self._tables.loadings

    @property
    def weights(self) -> pd.DataFrame:
        """Weights of standardised items in standardised scores, items × constructs."""
        return self._tables.weights

    @property
    def construct_cor(self) -> pd.DataFrame:
        """Correlations of the constructs."""
        return self._tables.construct_cor

    @property
    def total_effects(self) -> pd.DataFrame:
        """Direct plus indirect effects, targets × sources."""
        return self._tables.total_effects

    @property
    def r2(self) -> pd.Series:
        """Explained variance of every endogenous construct."""
        return self.table("r2")

    @property
    def cov(self) -> pd.DataFrame:
        """Covariances of the items in scale units, before rounding."""
        items = list(self.model.items)
        return pd.DataFrame(self.solution.moments.cov, items, items, copy=True)

    def table(self, quantity: str | Quantity) -> pd.Series:
        r"""Return the true value of any quantity that a fit or a bootstrap has, labelled.

        Examples
        --------
        >>> import csimodel as csi
        >>> model = csi.Model.from_syntax("A =~ a1 + a2\nB =~ b1 + b2\nB ~ A")
        >>> truth = csi.simulate.population(model, paths=0.5, loadings=0.8)
        >>> float(truth.table("total_effects")["B", "A"])
        0.5
        """
        entry = find(quantity)
        values = np.asarray(entry.values(self.solution))
        return pd.Series(values, entry.labels(self.model), name=entry.name)

    def index_reliability(self, construct: str) -> float:
        """Return the share of an index's variance that is its construct's, before rounding.

        ``(Σ uᵢ λᵢ σᵢ)² / u'Σu``, u the index's weights of the answers: the slope of an outcome on
        the measured index is this share of the slope on the true one.

        Raises
        ------
        OptionError
            For a construct that the model does not have.
        SurveyError
            When the scale is unknown.
        """
        u, sd = self._true_index(construct)
        return float(sd**2 / (u @ self.solution.moments.cov @ u))

    def population_moments(self, n: float = 1_000_000) -> Moments:
        """Return the moments of a sample of n that hits the population exactly.

        The covariances are Σ, with the denominator n - 1 of `Moments`: an estimator that divides
        by n (`csi.ML()`) finds variances (n - 1)/n times the population's, and the standardised
        parameters exactly. Rounding and empty cells do not enter.
        """
        size = np.array(float(n))
        return replace(self.solution.moments, n=size, effective_n=size)

    def survey(self, n: int, rng: Seed = 0) -> Survey:
        r"""Draw one survey of n respondents.

        Parameters
        ----------
        n
            Number of respondents.
        rng
            An integer seed or a NumPy generator; None for different draws each time.

        Returns
        -------
        Survey
            The items; with firms their column, set as clusters; with an outcome its column. The
            scale is known where answers are rounded to it. Missing answers are ``"pairwise"``;
            `csi.read_survey` with another policy or `csi.ML(missing="fiml")` changes that.

        Examples
        --------
        >>> import csimodel as csi
        >>> model = csi.Model.from_syntax("A =~ a1 + a2\nB =~ b1 + b2\nB ~ A")
        >>> truth = csi.simulate.population(model, paths=0.5, loadings=0.8, scale=(1, 10))
        >>> truth.survey(250, rng=1).data.shape
        (250, 4)
        """
        require_count("n", n, " respondent")
        drawn = next(self._blocks(n, 1, rng))
        frame = pd.DataFrame(drawn.values[0], columns=list(self.model.items))
        options: dict[str, str] = {}
        if self.firms is not None:
            frame[self.firms.column] = self.firms.codes(n)
            options["cluster"] = self.firms.column
        if self.outcome is not None:
            assert drawn.outcome is not None
            frame[self.outcome.column] = drawn.outcome[0]
        low, high = self.solution.moments.minimum, self.solution.moments.maximum
        scale = {
            item: (float(a), float(b))
            for item, a, b in zip(self.model.items, low, high, strict=True)
        }
        return read_survey(
            frame,
            items=list(self.model.items),
            scale=scale if self.rounded else None,
            missing=None if self.missing is None else "pairwise",
            cluster=options.get("cluster"),
        )

    def answers(self, n: int, samples: int, rng: Seed = 0) -> Iterator[Floats]:
        """Yield the answers of many samples, (some samples, n, items), NaN where missing.

        The numbers do not depend on how many samples come at once; the first samples of a longer
        run are those of a shorter one.
        """
        require_count("n", n, " respondent")
        require_count("samples", samples, "")
        return (drawn.values for drawn in self._blocks(n, samples, rng))

    def moments(self, n: int, samples: int, rng: Seed = 0, *, fourth: bool = False) -> Moments:
        r"""Draw the moments of many samples of n respondents, a batch for any estimator.

        Moments of normal answers as they are come from the Wishart distribution, and no respondent
        is drawn; others are drawn some samples at a time.

        Parameters
        ----------
        n, samples
            Respondents of a sample, and number of samples.
        rng
            An integer seed or a NumPy generator; None for different draws each time.
        fourth
            Also the fourth-order moments that robust errors need, (samples, moments, moments);
            with firms those of clusters.

        Raises
        ------
        OptionError
            When cells are missing, because moments then depend on what is done with them.

        References
        ----------
        Odell, P. L., Feiveson, A. H. (1966). A numerical procedure to generate a sample covariance
        matrix. Journal of the American Statistical Association 61, 199-203.
        https://doi.org/10.1080/01621459.1966.10502018

        Examples
        --------
        >>> import csimodel as csi
        >>> model = csi.Model.from_syntax("A =~ a1 + a2\nB =~ b1 + b2\nB ~ A")
        >>> truth = csi.simulate.population(model, paths=0.5, loadings=0.8)
        >>> truth.moments(400, samples=1000, rng=1).cov.shape
        (1000, 4, 4)
        """
        require_count("n", n, " respondent")
        require_count("samples", samples, "")
        if self.missing is not None:
            raise OptionError(
                "Moments of samples with empty cells depend on what is done with the cells; draw "
                "answers(n, samples) or survey(n), or a population without missing=."
            )
        return Moments.join(list(self.moments_by_block(n, samples, rng, fourth=fourth)))

    def moments_by_block(
        self, n: int, samples: int, rng: Seed = 0, *, fourth: bool = False
    ) -> Iterator[Moments]:
        """Yield the same moments some samples at a time, for batches larger than memory."""
        plain = type(self.shape) is Normal and self.firms is None and not self.rounded
        if plain and not fourth and n > len(self.model.items):
            for mean, cov in wishart(self._distribution, n, samples, seed_of(rng)):
                yield self._batch(n, mean, cov, None)
            return
        cluster = None if self.firms is None else self.firms.codes(n)
        for values in self.answers(n, samples, rng):
            own = Moments.from_array(values, self.model.items)
            gamma = fourth_moments_of_samples(values, cluster) if fourth else None
            yield self._batch(n, own.mean, own.cov, gamma)

    def __repr__(self) -> str:
        told = [repr(self.shape)]
        told += ["rounded"] if self.rounded else []
        told += [repr(own) for own in (self.missing, self.firms, self.outcome) if own is not None]
        name = self.model.name or plural(len(self.model.constructs), "construct")
        return f"<Population of {name}, {plural(len(self.model.items), 'item')}: {', '.join(told)}>"

    def _batch(self, n: int, mean: Floats, cov: Floats, fourth: Floats | None) -> Moments:
        size, known = np.full(len(cov), float(n)), self.solution.moments
        gamma = None if fourth is None else DenseGamma(fourth)
        bounds = known.minimum, known.maximum
        return Moments(self.model.items, size, mean, cov, *bounds, size, gamma=gamma)

    def _blocks(self, n: int, samples: int, rng: Seed) -> Iterator[AnswerRows]:
        return blocks(self._distribution, n, samples, seed_of(rng))

    @cached_property
    def _distribution(self) -> Distribution:
        """The population as arrays."""
        known, estimates = self.solution.moments, self.solution.estimates
        outcome = None
        if self.outcome is not None:
            at = self.model.construct_names.index(self.outcome.construct)
            outcome = at, self._true_index(self.outcome.construct)[1]
        return Distribution(
            items=self.model.items,
            owner=self.model.owner,
            loadings=estimates.loadings,
            construct_cor=estimates.construct_cor,
            cor=known.cor,
            mean=known.mean,
            sd=known.sd,
            bounds=(known.minimum, known.maximum) if self.rounded else None,
            shape=self.shape,
            missing=self.missing,
            firms=self.firms,
            outcome=self.outcome,
            outcome_of=outcome,
        )

    def _true_index(self, construct: str) -> tuple[Floats, float]:
        """Return the index's weights of the answers, and the standard deviation of its truth."""
        names = self.model.construct_names
        if construct not in names:
            raise OptionError(
                f"Construct {construct!r} is not in the model; it has {', '.join(names)}."
            )
        known, at = self.solution.moments, names.index(construct)
        own = self.model.owner == at
        u = np.where(own, point_weights(self.solution) * 100.0, 0.0)
        u = u / np.where(own, known.maximum - known.minimum, 1.0)
        gain = by_block(self.model, u * known.sd * self.solution.estimates.loadings)[at]
        return u, abs(float(gain))

    @cached_property
    def _tables(self) -> Fit:
        return fit_of(self.solution)
