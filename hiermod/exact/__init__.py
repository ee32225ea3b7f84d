"""Posteriors of two hyperparameters by quadrature: no sampler, no compilation, independent draws.

A file here owns one step: sums over groups as functions of one number, the density they make, its integral, draws.
"""
