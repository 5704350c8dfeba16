"""The rows of a regression: outcome, index, controls, weights and design, aligned once."""
