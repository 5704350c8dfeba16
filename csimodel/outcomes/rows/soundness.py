"""What a fit lends to a regression on its indexes: its failures, and items that are the outcome."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from csimodel.estimators import Fit
from csimodel.findings import Finding
from csimodel.model import Model


def soundness(fit: Fit, indexes: Iterable[str], outcome: str = "") -> Iterator[Finding]:
    """Say when indexes come from a model that is not sound, or hold the outcome itself.

    Parameters
    ----------
    fit
        Where the indexes come from.
    indexes
        Names of constructs.
    outcome
        The item or column that is explained.
    """
    failures = [finding for finding in fit.diagnostics if finding.severity == "failure"]
    if failures:
        yield Finding(
            "model-not-sound",
            "The index comes from a model that is not sound, so nothing here is to be relied on; "
            "see fit.diagnostics.",
            severity="failure",
            count=len(failures),
            values={"codes": tuple(finding.code for finding in failures)},
        )
        yield failures[0].within("Model")
    yield from outcome_in_index(fit.model, indexes, outcome)


def outcome_in_index(model: Model, indexes: Iterable[str], outcome: str) -> Iterator[Finding]:
    """Say when an outcome is an item of an index that it is regressed on."""
    for name in indexes:
        if outcome in model.blocks[name]:
            yield Finding(
                "outcome-in-index",
                "Outcome {item!r} is itself an item of the index of {name!r}, so the slope is "
                "partly a regression of an answer on itself; take an outcome from outside.",
                (outcome, name),
                values={"item": outcome, "name": name},
            )
