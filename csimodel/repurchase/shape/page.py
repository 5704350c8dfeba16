"""The printed page of a result, as text and as HTML: title, headline, findings, tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

import pandas as pd

from csimodel.findings import Finding

_MARKS = {"note": "note", "warning": "WARNING", "failure": "DO NOT USE"}


@dataclass(frozen=True, eq=False, repr=False)
class Page:
    """A result on a page: ``print`` it, or leave it as the last line of a notebook cell.

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
    findings: tuple[Finding, ...]
    tables: Mapping[str, pd.DataFrame]
    facts: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [self.title, "=" * len(self.title), self.headline, *self.facts, ""]
        lines += [f"{_MARKS[found.severity]}: {found}" for found in self.findings]
        if not self.findings:
            lines.append("No findings.")
        for title, table in self.tables.items():
            lines += ["", title, table.to_string(float_format="{:.5f}".format)]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        findings = "".join(
            f"<li><b>{escape(found.severity)}</b>: {escape(found.message)}</li>"
            for found in self.findings
        )
        parts = [
            f"<h3>{escape(self.title)}</h3>",
            f"<p><strong>{escape(self.headline)}</strong></p>",
            "<p>" + "<br>".join(escape(fact) for fact in self.facts) + "</p>" if self.facts else "",
            f"<ul>{findings}</ul>" if findings else "<p>No findings.</p>",
        ]
        for title, table in self.tables.items():
            body = table.to_html(float_format="{:.5f}".format, border=0)
            parts.append(f"<details open><summary>{escape(title)}</summary>{body}</details>")
        return "<div class='csimodel'>" + "".join(parts) + "</div>"
