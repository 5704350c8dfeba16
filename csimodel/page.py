"""What results show: a line, and a page with headline, facts, findings and tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from csimodel.findings import Finding

_MARKS = {"note": "note", "warning": "WARNING", "failure": "DO NOT USE"}


@dataclass(frozen=True, eq=False, repr=False)
class Page:
    """A result on a page: ``print`` it, or leave it as the last line of a notebook cell.

    Attributes
    ----------
    title, headline
        What it is about, and the result in a sentence, empty for none.
    diagnostics
        What a reader must know.
    tables
        By title.
    facts
        A line each.
    decimals
        Of the numbers in tables; None for four figures.
    sound
        The sentence where there are no findings.

    Examples
    --------
    >>> print(Page("Shape", "It is straight.", (), {}))
    Shape
    =====
    It is straight.
    <BLANKLINE>
    No findings.
    """

    title: str
    headline: str
    diagnostics: tuple[Finding, ...]
    tables: Mapping[str, pd.DataFrame]
    facts: tuple[str, ...] = ()
    decimals: int | None = None
    sound: str = "No findings."

    def __str__(self) -> str:
        headline = [self.headline] if self.headline else []
        lines = [self.title, "=" * len(self.title), *headline, *self.facts, ""]
        lines += [f"{_MARKS[finding.severity]}: {finding}" for finding in self.diagnostics]
        if not self.diagnostics:
            lines.append(self.sound)
        for title, table in self.tables.items():
            lines += ["", title, printed(table).to_string(float_format=self._number, na_rep="")]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        findings = "".join(
            f"<li><b>{escape(finding.severity)}</b>: {escape(finding.message)}</li>"
            for finding in self.diagnostics
        )
        parts = [
            f"<h3>{escape(self.title)}</h3>",
            f"<p><strong>{escape(self.headline)}</strong></p>" if self.headline else "",
            "<p>" + "<br>".join(escape(fact) for fact in self.facts) + "</p>" if self.facts else "",
            f"<ul>{findings}</ul>" if findings else f"<p>{escape(self.sound)}</p>",
        ]
        for title, table in self.tables.items():
            body = printed(table).to_html(float_format=self._number, na_rep="", border=0)
            parts.append(f"<details open><summary>{escape(title)}</summary>{body}</details>")
        return "<div class='csimodel'>" + "".join(parts) + "</div>"

    def _number(self, value: float) -> str:
        return told(value) if self.decimals is None else f"{value:.{self.decimals}f}"


class Shown:
    """A result that is a line of text by itself and a page in a notebook.

    A class that shows itself so has a `headline` and a ``summary()``.
    """

    @property
    def headline(self) -> str:
        """The result in a sentence."""
        raise NotImplementedError

    def summary(self) -> Page:
        """Return the results as a page of text; prints, and shows as HTML in a notebook."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.headline}>"

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()


def printed(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table as a page shows it: columns without a word or a finite number left out.

    Reasons, where everything has its error; degrees of freedom, where all errors are normal.
    """
    silent = [name for name in ("reason",) if name in table and (table[name] == "").all()]
    normal = [name for name in ("df",) if name in table and not np.isfinite(table[name]).any()]
    return table.drop(columns=[*silent, *normal])


def told(value: float) -> str:
    """Write a number for people: four figures, or two decimals with thousands marked.

    >>> told(0.012345), told(12345.678)
    ('0.01234', '12,345.68')
    """
    return f"{value:,.2f}" if abs(value) >= 100 else f"{value:.4g}"
