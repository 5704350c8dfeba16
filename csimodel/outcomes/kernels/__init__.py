"""Regressions as array kernels: likelihoods, their fits, and the errors of what they give."""
