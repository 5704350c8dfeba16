"""Whether a report that shows indexes of groups side by side may compare them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from csimodel.assessment import micom
from csimodel.estimators import Fit, group_codes
from csimodel.findings import Finding
from csimodel.survey import Survey

_PERMUTATIONS = 199
_MOST_GROUPS = 6
_MOST_ROWS = 200_000  # respondents of all pairs of groups

_UNTESTED = (
    "The indexes of the groups are shown side by side, and whether their items measure the same in "
    "the groups was not tested; csi.micom tests it of composites, csi.invariance of factors."
)
_ABOUT_COMPARISON = ("full-invariance", "partial-invariance", "no-invariance")


def invariance_of_groups(fit: Fit, by: str | Sequence[str], level: float) -> tuple[Finding, ...]:
    """Return what measurement invariance says of a comparison of groups.

    Composites are tested with 199 permutations (`micom`) of at most 6 groups and 200,000
    respondents of all pairs; of other models and larger surveys it is said that nothing was tested.

    Parameters
    ----------
    fit
        Of all groups together, on a survey.
    by
        Column or columns that make the groups.
    level
        One less the size of the tests.

    Examples
    --------
    >>> import csimodel as csi
    >>> fit = csi.fit(csi.models.ecsi(), csi.load_mobi(design=True))
    >>> [finding.code for finding in invariance_of_groups(fit, "sex", 0.95)]
    ['full-invariance']
    """
    answers = fit.require_answers("invariance_of_groups")
    assert fit.survey is not None
    codes, labels = group_codes(fit.survey, by, answers.rows)
    groups, rows = len(labels), int((codes >= 0).sum())
    if groups < 2:
        return ()
    composites = "other" not in fit.estimator.modes_of(fit.model) and not fit.model.terms
    if not composites or groups > _MOST_GROUPS or rows * (groups - 1) > _MOST_ROWS:
        return (Finding("invariance-untested", _UNTESTED, severity="note"),)
    tested = micom(
        fit.model,
        labelled(fit.survey, by),
        by,
        _PERMUTATIONS,
        estimator=fit.estimator,
        level=level,
        progress=False,
    )
    told = tuple(finding for finding in tested.findings if finding.code in _ABOUT_COMPARISON)
    if (tested.table["verdict"] == "not tested").any():
        return (*told, Finding("invariance-untested", _UNTESTED, severity="note"))
    return told


def labelled(survey: Survey, by: str | Sequence[str]) -> Survey:
    """Return a survey whose group columns hold the codebook's labels in place of codes.

    A column stays as it is where two of its codes have one label.

    Examples
    --------
    >>> import csimodel as csi
    >>> survey = labelled(csi.load_mobi(design=True), "sex")
    >>> sorted(survey.data["sex"].unique())
    ['f', 'm']
    """
    columns = {}
    for name in [by] if isinstance(by, str) else by:
        codes = survey.data[name]
        labels = survey.value_labels.get(name, {})
        texts = codes.astype(object).map(lambda code, own=labels: own.get(code, code))
        if labels and texts.nunique() == codes.nunique():
            columns[name] = texts.map(str, na_action="ignore")
    return replace(survey, data=survey.data.assign(**columns)) if columns else survey
