"""From a survey to a report: one call that runs the whole chain, one that writes it down."""

from csimodel.report.analysis import Analysis, analyze
from csimodel.report.write import write_report

__all__ = ["Analysis", "analyze", "write_report"]
