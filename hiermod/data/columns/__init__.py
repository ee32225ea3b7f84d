"""What columns mean: their values, the variables that functions make of them, groups, responses, moments.

A function of formulas is a record in `functions.TRANSFORMS`, beside how it is written in `hiermod.formula.vocabulary`.
"""
