"""The printed page of a repurchase regression, as text and as HTML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from csimodel.floats import own_errstate_in
from csimodel.page import printed

if TYPE_CHECKING:
    from csimodel.outcomes.models.result import Repurchase

_MARKS = {"note": "note", "warning": "WARNING", "failure": "DO NOT USE"}
_FINE = "No findings: converged, nobody left out, predictions between 0 and 1."


@own_errstate_in
@dataclass(frozen=True, eq=False, repr=False)
class Summary:
    """Results on a page: ``print`` it, or leave it as the last line of a notebook cell."""

    result: Repurchase

    @property
    def headline(self) -> str:
        """The result in a sentence."""
        result = self.result
        effect = result.average_marginal_effect
        if not np.isfinite(effect):
            return f"There is no finite effect of {result.indexes[0]} on {result.outcome}."
        points = 100.0 * float(effect)
        direction = "more" if points >= 0 else "less"
        # Limits are told in the direction of the effect, so that "less" keeps its sign.
        toward = 1.0 if points >= 0 else -1.0
        ends = sorted(100.0 * toward * end for end in (effect.lower, effect.upper))
        others = len(result.regression.sample.names) > 1
        return (
            f"Each point of {result.indexes[0]} goes with {abs(points):.2f} percentage points "
            f"{direction} probability of repurchase ({_told(result)}; "
            f"{100 * result.level:g} % interval {ends[0]:.2f} to {ends[1]:.2f})"
            f"{', other regressors held as they are' if others else ''}."
        )

    def __str__(self) -> str:
        lines = [self._title(), "=" * len(self._title()), self.headline, *self._facts(), ""]
        lines += [f"{_MARKS[found.severity]}: {found}" for found in self.result.diagnostics]
        if not self.result.diagnostics:
            lines.append(_FINE)
        for title, table in self._tables():
            lines += ["", title, printed(table).to_string(float_format="{:.5f}".format)]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        findings = "".join(
            f"<li><b>{escape(found.severity)}</b>: {escape(found.message)}</li>"
            for found in self.result.diagnostics
        )
        parts = [
            f"<h3>{escape(self._title())}</h3>",
            f"<p><strong>{escape(self.headline)}</strong></p>",
            "<p>" + "<br>".join(escape(fact) for fact in self._facts()) + "</p>",
            f"<ul>{findings}</ul>" if findings else f"<p>{_FINE}</p>",
        ]
        for title, table in self._tables():
            body = printed(table).to_html(float_format="{:.5f}".format, border=0)
            parts.append(f"<details open><summary>{escape(title)}</summary>{body}</details>")
        return "<div class='csimodel'>" + "".join(parts) + "</div>"

    def _title(self) -> str:
        result = self.result
        return f"{result.outcome} on the index of {', '.join(result.indexes)}"

    def _facts(self) -> list[str]:
        result = self.result
        sample = result.regression.sample
        weighted = ", survey weights" if sample.weights is not None else ""
        mean = float(sample.share @ sample.outcome)
        facts = [
            f"{result.family.label}, {result.n} respondents{weighted}; mean outcome {mean:.3f}",
            result.interval_kind,
        ]
        if result.cut is not None:
            facts.insert(1, f"{_told(result)} counts as repurchase (cut={result.cut:g})")
        return facts

    def _tables(self) -> Iterator[tuple[str, pd.DataFrame]]:
        result = self.result
        yield (
            "Change of probability per unit, averaged over respondents",
            (result.average_marginal_effects),
        )
        yield f"Coefficients ({result.family.scale})", result.coefficients
        if result.cut is not None:
            yield f"Thresholds ({result.family.scale})", result.thresholds
        low, high = _quartiles(result)
        if high > low:
            yield "Probability at the quartiles of the index", result.contrast(low, high)
            if result.cut is not None:
                expected = result.expected_answer([low, high])
                yield "Expected answer at the quartiles of the index", expected


def _told(result: Repurchase) -> str:
    """Return what repurchase is, such as ``REPUR`` or ``REPUR of 6 or more``."""
    if result.cut is None:
        return result.outcome
    return f"{result.outcome} of {result.cut:g} or more"


def _quartiles(result: Repurchase) -> tuple[float, float]:
    index = result.regression.sample.regressors[:, 0]
    low, high = np.clip(np.round(np.quantile(index, [0.25, 0.75])), 0, 100)
    return float(low), float(high)
