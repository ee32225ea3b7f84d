"""Puts formula, cells, family and priors together: the density."""
