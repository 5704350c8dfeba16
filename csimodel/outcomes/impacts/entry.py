"""`programme_impacts`: changes of drivers in, repurchase and money of every unit out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimodel.arguments import checked
from csimodel.errors import OptionError, SurveyError, choose
from csimodel.estimators import Quantity
from csimodel.estimators.points import respondent_points
from csimodel.findings import Finding
from csimodel.floats import own_errstate
from csimodel.formatting import label as written
from csimodel.index.points import POINT_WEIGHTS
from csimodel.index.programme import Programme, ProgrammeTables
from csimodel.index.programme.cells import ProgrammeCells
from csimodel.index.programme.quantity_cells import cells_of, fits_of_cells
from csimodel.index.what_if import changed_index, points_of_changes
from csimodel.inference import without_influence
from csimodel.inference.influence import free_influence_values
from csimodel.inference.linearized import still
from csimodel.model import Model
from csimodel.outcomes.impacts.chain import Chain, Function
from csimodel.outcomes.kernels.families import Family, family_of
from csimodel.outcomes.money.findings import rating_as_probability
from csimodel.outcomes.money.value import Economics, lifetime_values
from csimodel.outcomes.rows.arguments import Column
from csimodel.outcomes.rows.columns import Ends
from csimodel.outcomes.rows.rows import Rows
from csimodel.outcomes.rows.soundness import outcome_in_index

Floats = NDArray[np.float64]

FAMILIES = ("fractional-logit", "fractional-probit", "logit", "probit", "cloglog", "ols")
_REPURCHASE = "probability of repurchase"
_ONE_WITHOUT = (
    "{count} of {total} units and periods has no regression of {outcome!r} on its index, and so "
    "no impact on repurchase, nor has what contains it: {units:20}."
)
_SEVERAL_WITHOUT = (
    "{count} of {total} units and periods have no regression of {outcome!r} on their index, and "
    "so no impact on repurchase, nor has what contains them: {units:20}."
)


@own_errstate
@checked
def programme_impacts(
    programme: Programme,
    changes: object,
    outcome: Column,
    economics: Economics | None = None,
    *,
    index: str | None = None,
    family: str = "fractional-logit",
    scale: Ends | None = None,
) -> ProgrammeTables:
    """Return what changes of drivers do to indexes, repurchase and money, by unit and period.

    As `Programme.impacts`, and along the chain to the end: in each unit of the lowest level and
    period the outcome is regressed on the unit's own index, which the drivers move by d points,
    and repurchase changes by ``Σ s [μ(a + b (x + d)) - μ(a + b x)]``, s the respondents' shares.
    Levels above have the weighted mean of the units below. Errors are influence values along the
    whole chain (item weights, effects, regression, respondents), and covary over periods and
    units that share clusters. Effects are as measured: measurement error draws them towards 0.

    Parameters
    ----------
    programme
        From `csi.programme`.
    changes
        Points of the index by construct, as ``{"Quality": 5}``.
    outcome
        Repurchase: a column of the survey, or a Series or array with a value for each of its rows.
        Answers on a scale become 0 to 1.
    economics
        The terms on which customers become money, with ``customers=1``: money is of one customer.
    index
        The construct whose index repurchase goes by; that of the programme by default.
    family
        ``"fractional-logit"`` (default), ``"fractional-probit"``, ``"logit"``, ``"probit"``,
        ``"cloglog"``, and without money ``"ols"``; see `repurchase`.
    scale
        Lowest and highest answer of the outcome, where the survey does not know them.

    Returns
    -------
    ProgrammeTables
        Of ``"index of …"`` each construct (points), ``"probability of repurchase"``, and with
        money ``"retention"`` (share that stays a period) and ``"lifetime value of a customer"``
        (currency): ``.scores``, ``.changes``, ``.difference(a, b)``, ``.differences(…)``.
        Findings name units without a regression.

    Raises
    ------
    ModelError
        For a construct that is not in the model.
    SurveyError
        When the outcome is not there, is no number, or its scale is unknown.
    OptionError
        For families that do not do, money of several customers, or an infinite value.

    References
    ----------
    Binder, D. A. (1983). On the variances of asymptotically normal estimators from complex surveys.
    International Statistical Review 51, 279-292. https://doi.org/10.2307/1402588

    Examples
    --------
    >>> import csimodel as csi
    >>> frame = csi.load_mobi().data.assign(firm=["a", "b"] * 125, wave=[1] * 125 + [2] * 125)
    >>> survey = csi.read_survey(frame, scale=(1, 10))
    >>> waves = csi.programme(csi.models.ecsi(), survey, "firm", "wave")
    >>> moved = csi.outcomes.programme_impacts(waves, {"Quality": 5}, "CUSL1").scores
    >>> row = moved.loc[("all", "all", 2, "probability of repurchase")]
    >>> [round(float(row[name]), 3) for name in ("estimate", "se")]
    [0.024, 0.005]
    """
    model = programme.model
    if programme.groups.scanned is not None:
        raise SurveyError(
            "programme_impacts needs the respondents in memory, and this programme is of a scan; "
            "make it of a sample of stated size, such as csi.programme(model, "
            "scan.sample(100_000, rng=1), …), or take programme.impacts(changes), without an "
            "outcome."
        )
    points = points_of_changes(changes, model)
    name = programme.chosen_construct(index)
    kind = _family(family, economics)
    label, outcomes = _outcome(programme, outcome, kind, scale)
    functions = _functions(economics)
    cells, without = _cells(programme, points, name, kind, outcomes, list(functions.values()))
    entries = [*(f"index of {own}" for own in model.construct_names), *functions]
    return ProgrammeTables(
        programme.hierarchy,
        cells,
        "impacts",
        pd.Index(entries, name="impact"),
        0.0,
        programme.year,
        programme.level,
        programme.adjust,
        tuple(_findings(programme, name, label, outcomes, without)),
    )


def _cells(
    programme: Programme,
    points: Mapping[str, float],
    index: str,
    family: Family,
    outcomes: Floats,
    functions: Sequence[Function],
) -> tuple[ProgrammeCells, list[tuple[int, str]]]:
    """Return the changes of every cell, and cells without a regression, with the reason."""
    groups, model = programme.groups, programme.model
    links, place = _links(points, model, index), model.construct_names.index(index)
    block, moved = model.slices[place], len(model.constructs)
    estimate = np.full((len(groups), moved + len(functions)), np.nan)
    parts, without = [], []
    for cell, rows, fit in fits_of_cells(groups):
        known = np.asarray(links.values(fit.solution))
        answers = fit.require_answers("programme_impacts")
        items = respondent_points(answers, fit.moments)[:, block]
        weights = answers.row_weights
        used = np.isfinite(outcomes[rows]) & np.isfinite(items).all(axis=1) & (weights > 0)
        link = Chain.of(
            family, functions, items[used], outcomes[rows][used], weights[used], known[moved:],
            float(known[place]),
        )  # fmt: skip
        estimate[cell] = np.concatenate([known[:moved], link.estimate])
        solved = np.isfinite(link.estimate)
        if not solved.any():
            without.append((cell, link.ending.reason))
        if without_influence(fit):
            continue
        along = still(free_influence_values(fit, links))
        added = np.zeros((len(rows), estimate.shape[1]))
        added[:, :moved] = along[:, :moved]
        if solved.any():
            own = link.added(along[:, moved:], along[:, place], used)[:, solved]
            moving = still(own / link.levels[solved]) != 0.0  # money and shares by their own size
            added[:, moved + np.flatnonzero(solved)] = np.where(moving, own, 0.0)
        parts.append((cell, rows, added))
    return cells_of(groups, estimate, parts), without


def _family(family: str, economics: Economics | None) -> Family:
    """Return the family, after a check that it does for what is asked.

    Raises
    ------
    OptionError
        For one with thresholds or a precision, and money of one that leaves 0 to 1.
    """
    kind = family_of(choose("family", family, FAMILIES))
    if economics is None:
        return kind
    if not kind.bounded:
        raise OptionError(
            f"family={family!r} predicts probabilities outside 0 to 1, of which there is no money; "
            "use family='fractional-logit', or leave economics= out."
        )
    if economics.customers != 1.0:
        raise OptionError(
            f"economics has customers={economics.customers:g}, and impacts of a programme are of "
            "one customer, as units differ in how many they have; leave customers out, and "
            "multiply by those of a unit."
        )
    return kind


def _outcome(
    programme: Programme, outcome: Column, family: Family, scale: Ends | None
) -> tuple[str, Floats]:
    """Return the name of the outcome and its values, 0 to 1, by row of the answers."""
    rows = Rows.of_groups(programme.groups)
    explained = rows.outcome(outcome, family, scale)
    if not np.isfinite(explained.values).any():
        raise SurveyError(
            f"Outcome {explained.label!r} is missing for all {len(rows)} respondents that have a "
            "unit and a period; choose another column."
        )
    return explained.label, explained.values


def _functions(economics: Economics | None) -> dict[str, Function]:
    """Return what is looked at of probabilities, by name."""
    functions: dict[str, Function] = {_REPURCHASE: np.asarray}
    if economics is not None:
        functions["retention"] = economics.retention
        functions["lifetime value of a customer"] = lambda p: lifetime_values(
            economics.retention(p), economics
        )
    return functions


def _links(points: Mapping[str, float], model: Model, index: str) -> Quantity:
    """Return what the fit gives the chain: changes of all indexes, and what the items count."""
    shift = changed_index(points, model)
    block = model.slices[model.construct_names.index(index)]
    return Quantity(
        "links",
        lambda own: pd.Index([*own.construct_names, *own.items[block]]),
        lambda solution: np.concatenate(
            [shift.values(solution), POINT_WEIGHTS.values(solution)[..., block]], axis=-1
        ),
        null=None,
    )


def _findings(
    programme: Programme,
    index: str,
    outcome: str,
    values: Floats,
    without: Sequence[tuple[int, str]],
) -> Iterator[Finding]:
    """Say what the numbers rest on, and where there are none."""
    yield from outcome_in_index(programme.model, [index], outcome)
    if not np.isin(values[np.isfinite(values)], (0.0, 1.0)).all():
        yield rating_as_probability(outcome)
    yield Finding(
        "impacts-as-measured",
        "Impacts on repurchase and money go by indexes as they are measured, and measurement error "
        "draws them towards 0; csi.money.profit_of_driver takes it off the chain of one fit.",
        severity="note",
    )
    if without:
        labels = programme.groups.labels
        units = tuple(f"{written(labels[cell])} ({why})" for cell, why in without)
        yield Finding(
            "units-without-regression",
            _ONE_WITHOUT if len(without) == 1 else _SEVERAL_WITHOUT,
            units,
            count=len(without),
            values={
                "count": len(without), "total": len(labels), "outcome": outcome, "units": units,
            },
        )  # fmt: skip
