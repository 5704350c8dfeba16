"""`population`: a model and the values of its parameters in, a `Population` out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.errors import ModelError, OptionError, suggest
from csimodel.estimators import PLS, Estimates, Solution
from csimodel.estimators.structural import causal_order
from csimodel.floats import own_errstate
from csimodel.model import Model
from csimodel.moments import Moments
from csimodel.options import require_kind, require_number, shown
from csimodel.simulate.parameter_inputs import by_item, by_pair, matrix_of_pairs
from csimodel.simulate.population import Population
from csimodel.simulate.shapes import AnswerShape, Normal
from csimodel.simulate.survey_design import Firms, Missing, Outcome

Floats = NDArray[np.float64]
Values = float | Mapping[str, float] | pd.Series
Blocks = float | Mapping[str, float | Sequence[float]] | pd.DataFrame
Pairs = float | Mapping[str, float] | pd.DataFrame


@own_errstate
@checked
def population(
    model: Model,
    *,
    paths: Pairs = 0.0,
    loadings: Blocks = 0.8,
    weights: Blocks = 1.0,
    within: float | pd.DataFrame = 0.5,
    correlations: Pairs = 0.3,
    mean: Values | None = None,
    sd: Values = 1.0,
    scale: tuple[float, float] | None = None,
    shape: AnswerShape | None = None,
    rounded: bool | None = None,
    missing: Missing | None = None,
    firms: Firms | None = None,
    outcome: Outcome | None = None,
) -> Population:
    """Return the population in which a model holds exactly, with standardised parameters given.

    Items of a reflective construct correlate by the product of their loadings, and their errors are
    independent: a covariance structure. Items of a composite correlate as `within` says, and reach
    other constructs through their weighted sum only: a composite model. So covariance SEM and PLSc
    find the parameters of the first from the population's moments, and PLS those of the second.

    Parameters
    ----------
    model
        Constructs (``=~`` common factors, ``<~`` composites) and paths.
    paths
        Standardised path coefficients: one value for all; a mapping from the path as text
        (``{"Loyalty ~ Satisfaction": 0.6}``) with every path of the model; or a table, targets ×
        sources, such as ``fit.paths``.
    loadings
        Standardised loadings of the items of reflective constructs: one value for all; a mapping
        from construct (a value or one for each item) or item; or a table, items × constructs, such
        as ``fit.loadings``. A single item has 1 unless it is named.
    weights
        Of the items of composites, on any scale, given in the same ways; equal by default.
    within
        Correlation of the items of a composite, or a table of items' correlations.
    correlations
        Of exogenous constructs: one value, a mapping (``{"Image ~~ Price": 0.4}``) with every pair,
        or a table, constructs × constructs.
    mean, sd
        Of the items in scale units: one value, or a mapping with every item. By default the mean
        is the middle of the scale, or 0 without one.
    scale
        (lowest, highest) answer.
    shape
        `Normal` (default), `Skewed` or `HeavyTailed`.
    rounded
        Whether answers are whole numbers within the scale; by default when there is one. Rounding
        and cutting at the ends change covariances, so that the parameters of rounded answers are
        near those given, not equal.
    missing, firms, outcome
        Empty cells (`Missing`), firms with random effects (`Firms`), a repurchase outcome
        (`Outcome`).

    Returns
    -------
    Population

    Raises
    ------
    ModelError
        When a construct would be explained by more than its variance, or no covariance matrix has
        these parameters, or the model itself fixes or joins parameters.
    OptionError
        For a path, item or construct that is missing or unknown, or a value out of its range.

    References
    ----------
    Bollen, K. A. (1989). Structural Equations with Latent Variables, chapter 8.
    https://doi.org/10.1002/9781118619179

    Dijkstra, T. K. (2017). A perfect match between a model and a mode. In Latan, Noonan (eds.),
    Partial Least Squares Path Modeling, 55-80. https://doi.org/10.1007/978-3-319-64069-3_4

    Examples
    --------
    >>> import csimodel as csi
    >>> model = csi.Model.from_syntax('''
    ...     Quality =~ q1 + q2 + q3
    ...     Satisfaction =~ s1 + s2 + s3
    ...     Satisfaction ~ Quality
    ... ''')
    >>> truth = csi.simulate.population(
    ...     model, paths={"Satisfaction ~ Quality": 0.6}, loadings={"Quality": [0.9, 0.8, 0.7]}
    ... )
    Traceback (most recent call last):
    ...
    csimodel.errors.OptionError: loadings has no value for 's1'; name it or its construct ...
    >>> truth = csi.simulate.population(model, paths=0.6, loadings=0.8, scale=(1, 10), sd=2.0)
    >>> truth
    <Population of 2 constructs, 6 items: Normal(), rounded>
    >>> fit = csi.fit(model, truth.population_moments(), csi.ML())
    >>> round(float(fit.paths.loc["Satisfaction", "Quality"]), 8)
    0.6
    """
    model = require_kind("model", model, Model, "make it with csi.Model.from_syntax(text)")
    for option, own, kind in (
        ("missing", missing, Missing),
        ("firms", firms, Firms),
        ("outcome", outcome, Outcome),
    ):
        if own is not None:
            require_kind(option, own, kind, f"make it with csi.simulate.{kind.__name__}(…)")
    if shape is not None and not callable(getattr(shape, "scale", None)):
        raise OptionError(
            f"shape={shown(shape)} is no distribution; use csi.simulate.Normal(), Skewed(…) or "
            "HeavyTailed(…)."
        )
    model.require_one_stage("A population is simulated from")
    model.require_own_items("A population is simulated from")
    if model.parameters:
        raise ModelError(
            f"The population's parameters are given as paths=, loadings= and correlations=, and "
            f"the model says {str(model.parameters[0])!r}; use model.without_parameters()."
        )
    phi, beta = _structure(model, paths, correlations)
    blocks = _blocks(model, loadings, weights, within)
    cor = phi[model.owner[:, None], model.owner] * np.outer(blocks.loadings, blocks.loadings)
    cor = np.where(model.owner[:, None] == model.owner, blocks.cor, cor)
    if np.linalg.eigvalsh(cor)[0] <= 1e-10:
        raise ModelError(
            "No answers have these parameters: the items' correlations are not positive definite; "
            "use smaller loadings, weights of one sign or weaker correlations."
        )
    low, high = _bounds(scale)
    middle = 0.0 if scale is None else (low + high) / 2.0
    means = by_item("mean", model, middle if mean is None else mean)
    spread = by_item("sd", model, sd)
    if not (spread > 0).all():
        raise OptionError(f"sd={spread.min():g} must be positive.")
    n, size = np.array(1e6), len(model.items)
    bounds = np.full(size, low), np.full(size, high)
    moments = Moments(model.items, n, means, cor * np.outer(spread, spread), *bounds, n)
    estimates = Estimates(
        weights=blocks.weights,
        loadings=blocks.loadings,
        reliability=blocks.reliability,
        construct_cor=phi,
        paths=beta,
        iterations=np.array(0),
        outcome=np.array(0),
        inadmissible=np.array(0),
    )
    solution = Solution(model, PLS(consistent=True), moments, estimates)
    whole = scale is not None if rounded is None else rounded
    return Population(solution, shape or Normal(), whole, missing, firms, outcome)


def _structure(model: Model, paths: Pairs, correlations: Pairs) -> tuple[Floats, Floats]:
    """Return correlations of the constructs and path coefficients."""
    wanted = [(path.target, path.source) for path in model.paths]
    beta = matrix_of_pairs(model, by_pair("paths", "~", model, wanted, paths))
    names = model.construct_names
    exogenous = [name for name in names if name not in model.endogenous]
    pairs = [(a, b) for i, a in enumerate(exogenous) for b in exogenous[:i]]
    between = matrix_of_pairs(model, by_pair("correlations", "~~", model, pairs, correlations))
    phi = between + between.T + np.eye(len(names))
    done = [names.index(name) for name in exogenous]
    if np.linalg.eigvalsh(phi[np.ix_(done, done)])[0] <= 0:
        raise ModelError(
            "The correlations of the exogenous constructs are not positive definite; use weaker "
            "ones."
        )
    for target in causal_order(model):
        if target in done:
            continue
        row = beta[target, done] @ phi[np.ix_(done, done)]
        phi[target, done] = phi[done, target] = row
        explained = float(beta[target, done] @ row)
        if not explained < 1.0:
            raise ModelError(
                f"The paths to {names[target]!r} explain {explained:.3f} of its variance, which "
                "cannot be 1 or more; use smaller coefficients."
            )
        done.append(target)
    return phi, beta


@dataclass(frozen=True, eq=False)
class _Blocks:
    """Standardised loadings and weights, (items,), and correlations within constructs."""

    loadings: Floats
    weights: Floats
    cor: Floats
    reliability: Floats


def _blocks(
    model: Model, loadings: Blocks, weights: Blocks, within: float | pd.DataFrame
) -> _Blocks:
    size = len(model.items)
    lam, w, cor = np.ones(size), np.ones(size), np.zeros((size, size))
    factors = [c for c in model.constructs if c.kind != "composite"]
    composites = [c for c in model.constructs if c.kind == "composite"]
    given = by_item("loadings", model, loadings, factors)
    formed = by_item("weights", model, weights, composites)
    for construct, block in zip(model.constructs, model.slices, strict=True):
        if construct.kind == "composite":
            cor[block, block] = _within(construct.items, within)
            w[block] = formed[block]
            variance = float(w[block] @ cor[block, block] @ w[block])
            if not variance > 0:
                raise ModelError(
                    f"The weights of composite {construct.name!r} give it no variance; make one of "
                    "them differ from 0, or the correlations within it a correlation matrix."
                )
            w[block] /= np.sqrt(variance)
            lam[block] = cor[block, block] @ w[block]
            continue
        lam[block] = own = given[block]
        most = 1.0 if construct.kind == "single" else np.nextafter(1.0, 0.0)
        for item, value in zip(construct.items, own.tolist(), strict=True):
            if not 0 < abs(value) <= most:
                raise OptionError(
                    f"The loading of {item!r} is {value:g}; a standardised loading lies between "
                    "-1 and 1 and is not 0."
                )
        cor[block, block] = np.outer(own, own)
        cor[np.diag_indices(size)] = 1.0
        w[block] = own / np.sqrt(own @ cor[block, block] @ own)
    reliable = np.ones(len(model.constructs))
    for j, (construct, block) in enumerate(zip(model.constructs, model.slices, strict=True)):
        if construct.kind != "composite":
            reliable[j] = float(w[block] @ lam[block]) ** 2
    return _Blocks(lam, w, cor, reliable)


def _within(items: tuple[str, ...], within: float | pd.DataFrame) -> Floats:
    if isinstance(within, pd.DataFrame):
        for item in items:
            if item not in within.index or item not in within.columns:
                known = [str(name) for name in within.columns]
                raise OptionError(
                    f"within has no correlations of item {item!r}{suggest(item, known)}; give a "
                    "table of all items of composites."
                )
        cor = within.loc[list(items), list(items)].to_numpy(dtype=np.float64, copy=True)
    else:
        cor = np.full((len(items),) * 2, require_number("within", within, least=-1, most=1))
    np.fill_diagonal(cor, 1.0)
    return cor


def _bounds(scale: tuple[float, float] | None) -> tuple[float, float]:
    if scale is None:
        return float("nan"), float("nan")
    low, high = (require_number("scale", end) for end in scale)
    if not low < high:
        raise OptionError(f"scale={scale!r} must be (lowest, highest), for example (1, 10).")
    return low, high
