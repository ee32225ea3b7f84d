"""How well a model predicts rows and groups it has not seen, and the comparison of models.

A file here owns one score, one way to leave data out, or one step of pairing the rows of several models.
"""
