"""Covariance structures: moments and a model with latent variables in, estimates out."""
