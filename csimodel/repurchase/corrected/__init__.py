"""Slopes corrected for the index's measurement error."""
