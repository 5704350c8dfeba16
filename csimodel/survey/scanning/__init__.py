"""Rows that stay where they are: read a batch at a time, counted as `read_survey` counts."""
