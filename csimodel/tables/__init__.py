"""Tables for papers: results as journals want them, in HTML, Markdown, LaTeX, Word and Excel."""

from csimodel.tables.journal import JournalTable
from csimodel.tables.table import table

__all__ = ["JournalTable", "table"]
