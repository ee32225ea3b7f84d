"""Reads formulas: text to terms, free of data."""
