"""Draws from a posterior, looks at the run, stores it."""
