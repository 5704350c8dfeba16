"""Descriptive measures of customer satisfaction, and the instruments that they come from."""
