"""Compiled code alone; it imports nothing else of hiermod.

`entries` holds the four functions that are called from outside. They see one structured record (`record`) of numbers
and addresses, and a second one of where the arrays of an evaluation stand.
"""

NJIT = {"fastmath": {"contract"}, "error_model": "numpy", "nogil": True}
