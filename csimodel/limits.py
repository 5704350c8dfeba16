"""How large an input may be: beyond these bounds it is refused before memory is taken.

Each bound is far above what surveys need, and far below what would exhaust a computer.
"""

from __future__ import annotations

COLUMNS = 20_000
"""Columns of a table."""

NAME_CHARACTERS = 2_000
"""Characters of a column's name."""

CELLS = 500_000_000
"""Rows times columns of a file that states them (Parquet, SPSS, Stata)."""

LINE_BYTES = 20_000_000
"""Bytes of one line of a text file."""

SHEET_CELLS = 30_000_000
"""Rows times columns of a sheet of a workbook, empty cells included."""

WORKBOOK_BYTES = 2_000_000_000
"""Bytes of a workbook, unpacked."""

UNPACKED_SAFE_BYTES = 50_000_000
"""Bytes of a workbook, unpacked, below which its degree of compression does not matter."""

COMPRESSION = 100
"""How many times smaller than its content a large workbook may be."""

CODEBOOK_CHARACTERS = 5_000_000
"""Characters of a codebook."""

MODEL_CHARACTERS = 300_000
"""Characters of a model's text."""
