"""The one table of what findings say: every sentence once, filled with values of an example."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Any

from csimodel.findings import Finding, wording

TABLE = Path(__file__).with_name("wordings.toml")


@dataclass(frozen=True)
class Row:
    """A sentence of a code as it is said of an example; `case` is what no value tells."""

    code: str
    values: dict[str, Any]
    sentence: str
    case: str = ""

    def has(self, template: str) -> bool:
        """Whether a template says this sentence of the example."""
        return fields(template) == set(self.values) and (
            wording(template, self.values) == self.sentence
        )


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


def rows() -> list[Row]:
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return [
        Row(code, row.get("values", {}), row["sentence"], row.get("case", ""))
        for code, own in table.items()
        for row in own
    ]


def row_of(finding: Finding) -> Row:
    """Return the row of the table that has the sentence chosen for a finding."""
    (row,) = [row for row in rows() if row.code == finding.code and row.has(finding.template)]
    return row
