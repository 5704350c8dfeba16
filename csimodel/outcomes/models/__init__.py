"""Models of an outcome on the index, a folder for each kind, and what their results share."""
