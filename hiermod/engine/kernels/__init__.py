"""Compiled code alone; it imports nothing else of hiermod.

`entries` holds the four functions that are called from outside. They see one structured record (`record`) of numbers
and addresses, and a second one of where the arrays of an evaluation stand (`views`). Nothing raises, and nothing needs
Numba's runtime: memory comes from the C library, errors are codes. `record` and `plain` serve Python, too, and need no
Numba. `rows` scores rows of data, `coordinates` makes parameters of the sampler's coordinates, `numbers` is arithmetic;
`density` and `likelihood` put these together.
"""

NJIT = {"fastmath": {"contract"}, "error_model": "numpy", "nogil": True}
