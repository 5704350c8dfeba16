"""The columns of a regression: formulas, products and powers, bases of curves."""
