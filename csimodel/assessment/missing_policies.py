"""`compare_missing_policies`: what each way of treating missing answers makes of the results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from csimodel.arguments import checked, checked_in
from csimodel.assessment.policy_runs import PolicyRuns
from csimodel.errors import CsimodelError, OptionError, SurveyError, suggest
from csimodel.estimators.inputs import estimator_for
from csimodel.estimators.solution import Estimator
from csimodel.findings import Finding, collected, gravest_first, listed, text
from csimodel.floats import own_errstate, own_errstate_in
from csimodel.formatting import number
from csimodel.model import Model
from csimodel.options import require_count, require_level, require_names
from csimodel.page import HasPage, Page, Section
from csimodel.survey import Item, Survey, read_survey
from csimodel.survey.missing_answers import missing_answers

QUANTITIES = ("index", "paths")
_DECIMALS = {"index": 1, "paths": 3}
_ESTIMATES = {"index": "Index, 0 to 100: estimates", "paths": "Paths: estimates"}
_ERRORS = {"index": "Index, 0 to 100: standard errors", "paths": "Paths: standard errors"}
_MOVES = {
    "index": "Between the policies the index of {name} moves most: from {low} to {high}.",
    "paths": "Between the policies the path {name} moves most: from {low} to {high}.",
}
POLICIES = (
    "listwise", "pairwise", "mean", "construct-minimum", "em", "fiml", "imputation", "two-way",
)  # fmt: skip


@own_errstate_in
@checked_in
@dataclass(frozen=True, eq=False, repr=False)
class MissingPolicies(HasPage):
    """Results under each treatment of missing answers. Made by `compare_missing_policies`.

    Attributes
    ----------
    table
        Rows policy, quantity (``"index"``, ``"paths"``) and name; columns n (respondents used),
        estimate, se, df, lower, upper, p, reason, and change: the estimate less that of the first
        policy that has a result.
    missing
        By item, how many answers are missing for which reason.
    findings
        What each policy did, and why one has no result.
    """

    table: pd.DataFrame
    missing: pd.DataFrame
    findings: tuple[Finding, ...]

    def side_by_side(self, quantity: str) -> pd.DataFrame:
        """Return the estimates of a quantity, a column for each policy, and their widest distance.

        Parameters
        ----------
        quantity
            ``"index"`` or ``"paths"``.

        Raises
        ------
        OptionError
            For another quantity, or one without a result.
        """
        if quantity not in self.table.index.get_level_values("quantity"):
            there = tuple(dict.fromkeys(self.table.index.get_level_values("quantity")))
            raise OptionError(
                f"There is no quantity {quantity!r} in this comparison"
                f"{suggest(quantity, there)}; it has {listed(there) or 'no result'}."
            )
        wide = self._wide(quantity, "estimate")
        return wide.assign(widest=wide.max(axis=1) - wide.min(axis=1))

    def _wide(self, quantity: str, column: str) -> pd.DataFrame:
        """Return a column of a quantity with the policies beside each other."""
        own = self.table[column].xs(quantity, level="quantity")
        policies = dict.fromkeys(own.index.get_level_values("policy"))
        parts = {policy: own.xs(policy, level="policy") for policy in policies}
        return pd.DataFrame(parts).rename_axis(index="name", columns="policy")

    @property
    def page(self) -> Page:
        """Side by side on a page."""
        cells, asked = int(self.missing["missing"].sum()), int(self.missing["rows"].sum())
        there = self.table.index.get_level_values("quantity")
        shown = [quantity for quantity in QUANTITIES if quantity in there]
        parts = [Section(text("What is missing"), self.missing[self.missing["missing"] > 0])]
        for quantity in shown:
            wide, errors = self.side_by_side(quantity), self._wide(quantity, "se")
            decimals = _DECIMALS[quantity]
            parts.append(Section(text(_ESTIMATES[quantity]), wide, decimals=decimals))
            parts.append(Section(text(_ERRORS[quantity]), errors, decimals=decimals + 1))
        used = self.table["n"].groupby(level="policy", sort=False).first()
        parts.append(Section(text("Respondents used"), used.to_frame()))
        return Page(
            text(
                "Missing answers: {cells:,} of {asked:,} ({share:.1%}) under each policy",
                cells=cells,
                asked=asked,
                share=cells / asked if asked else 0.0,
            ),
            self._headline(shown[0]) if shown else "",
            findings=self.findings,
            sections=tuple(parts),
        )

    def _headline(self, quantity: str) -> str:
        """Say which entry moves most between the policies; nothing of one policy."""
        wide, decimals = self.side_by_side(quantity), _DECIMALS[quantity]
        if len(wide.columns) < 3:
            return ""
        name = str(wide["widest"].idxmax())
        values = wide.drop(columns="widest").loc[name].to_numpy(np.float64)
        return text(
            _MOVES[quantity],
            name=name,
            low=number(float(np.nanmin(values)), decimals),
            high=number(float(np.nanmax(values)), decimals),
        )


@own_errstate
@checked
def compare_missing_policies(
    model: Model,
    survey: Survey | object,
    *,
    estimator: Estimator | None = None,
    policies: Sequence[str] | None = None,
    m: int = 20,
    auxiliaries: Sequence[str] | None = None,
    level: float = 0.95,
    rng: int | np.random.Generator | None = 7,
) -> MissingPolicies:
    """Estimate a model under each treatment of missing answers, side by side.

    Where answers are missing by chance all agree but for noise; where what is missing depends on
    other answers, ``"em"``, ``"fiml"`` and ``"imputation"`` remain right, and a distance between
    them and ``"listwise"`` shows that it matters. No policy is right where what is missing depends
    on the missing answer itself, and nothing in the data shows that.

    Parameters
    ----------
    model
        To fit.
    survey
        Anything `read_survey` takes; its own policy does not matter here.
    estimator
        `PLS` by default.
    policies
        Some of ``"listwise"``, ``"pairwise"``, ``"mean"``, ``"construct-minimum"`` (as in
        `read_survey`), ``"em"`` (moments of highest likelihood for normal answers; two stages of
        `ML`), ``"fiml"`` (full information, of `ML` only), ``"imputation"`` (chained equations) and
        ``"two-way"`` (`impute`, pooled by Rubin's rules). All by default, ``"fiml"`` where the
        estimator is `ML`.
    m
        Number of imputations.
    auxiliaries
        Columns that predict missing answers besides, as in `impute`.
    level
        Coverage of the limits.
    rng
        Seed of the imputations.

    Returns
    -------
    MissingPolicies

    Raises
    ------
    SurveyError
        When no answer of the model is missing.
    OptionError
        For a policy that is not known.

    References
    ----------
    Schafer, J. L., Graham, J. W. (2002). Missing data: our view of the state of the art.
    Psychological Methods 7, 147-177. https://doi.org/10.1037/1082-989X.7.2.147

    Examples
    --------
    >>> import csimodel as csi
    >>> mobi = csi.load_mobi()
    >>> holes = mobi.data.mask(np.random.default_rng(1).random(mobi.data.shape) < 0.02)
    >>> survey = csi.read_survey(holes, items=list(mobi.items.values()))
    >>> compared = compare_missing_policies(
    ...     csi.models.ecsi(), survey, policies=["listwise", "pairwise"]
    ... )
    >>> compared.table.xs(("index", "Satisfaction"), level=("quantity", "name"))["n"].tolist()
    [155, 250]
    """
    chosen = estimator_for(model, estimator)
    wanted = _wanted(policies, chosen)
    level = require_level(level)
    require_count("m", m, ", and 20 or more for steady errors", least=2)
    own = survey if isinstance(survey, Survey) else read_survey(survey)
    missing = missing_answers(own, model.items)
    if not missing["missing"].any():
        raise SurveyError(
            f"No answer to the {len(model.items)} items of the model is missing, so there is no "
            "policy to compare; missing codes are named in read_survey(..., missing_codes=...)."
        )
    runs = PolicyRuns(model, _of_constructs(own, model), chosen, m, auxiliaries, rng)
    parts: list[pd.DataFrame] = []
    findings: list[Finding] = []
    for policy in wanted:
        part, told = _part(runs, policy, level)
        findings += told
        if part is not None:
            parts.append(part)
    table = pd.concat(parts) if parts else _empty()
    entries = table["estimate"].groupby(level=["quantity", "name"], sort=False)
    change = table["estimate"] - entries.transform("first")
    return MissingPolicies(table.assign(change=change), missing, gravest_first(findings))


def _wanted(policies: Sequence[str] | None, estimator: Estimator) -> tuple[str, ...]:
    """Return the policies to run, each known."""
    if policies is None:
        without = () if estimator.of_incomplete("fiml") else ("fiml",)
        return tuple(policy for policy in POLICIES if policy not in without)
    wanted = require_names("policies", policies)
    for policy in wanted:
        if policy not in POLICIES:
            raise OptionError(
                f"policies has {policy!r}, which is not known{suggest(policy, POLICIES)}; use "
                f"{listed(POLICIES, 10)}."
            )
    return tuple(wanted)


def _of_constructs(survey: Survey, model: Model) -> Survey:
    """Return the survey with the model's constructs in its items, as two-way imputation needs."""
    items = dict(survey.items)
    for construct, names in model.own_blocks.items():
        for name in names:
            items[name] = replace(items.get(name, Item(name)), construct=construct)
    return replace(survey, items=items)


_NOTHING = "Under the policy {policy!r} there is no result: {error}."
_NO_QUANTITY = "Under the policy {policy!r} there is no {quantity!r}: {error}."


def _part(
    runs: PolicyRuns, policy: str, level: float
) -> tuple[pd.DataFrame | None, tuple[Finding, ...]]:
    """Return the rows of one policy, or the finding why there are none."""
    tables, findings = [], []
    with collected():
        try:
            n, table, told = runs.of(policy)
        except CsimodelError as error:
            values = {"policy": policy, "error": str(error).removesuffix(".")}
            return None, (Finding("policy-without-result", _NOTHING, (policy,), values=values),)
        for quantity in QUANTITIES:
            try:
                own = table(quantity, level)
            except CsimodelError as error:
                reason = str(error).removesuffix(".")
                values = {"policy": policy, "quantity": quantity, "error": reason}
                findings.append(
                    Finding("policy-without-quantity", _NO_QUANTITY, (policy,), values=values)
                )
                continue
            names = [_name(label) for label in own.index]
            keys = [(policy, quantity, name) for name in names]
            own.index = pd.MultiIndex.from_tuples(keys, names=["policy", "quantity", "name"])
            own.insert(0, "n", n)
            tables.append(own.drop(columns="missing_information", errors="ignore"))
    told = tuple(own.within("{policy}", policy=policy) for own in told)
    return (pd.concat(tables) if tables else None), (*told, *findings)


def _name(label: object) -> str:
    return " <- ".join(map(str, label)) if isinstance(label, tuple) else str(label)


def _empty() -> pd.DataFrame:
    index = pd.MultiIndex.from_tuples([], names=["policy", "quantity", "name"])
    columns = ["n", "estimate", "se", "df", "lower", "upper", "p", "reason"]
    return pd.DataFrame({name: pd.Series(dtype=np.float64) for name in columns}, index)
