"""Reads formulas: text to terms, free of data, with the standard library alone.

`parser.parse` reads a formula, `response` its left side and `terms` its right one; `nodes` and `expressions` are what
comes out, `vocabulary` the functions that may be called. Hypotheses and changes of formulas are read here too.
"""
