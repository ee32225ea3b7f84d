"""Arithmetic in compiled code, which knows nothing of models.

`elementary` and `special` functions and `incomplete` ones take single numbers; `vector_ops`, `sparse` and `dense` take
runs of them in flat arrays.
"""
