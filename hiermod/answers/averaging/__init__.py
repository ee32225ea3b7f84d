"""Which rows enter which averages: from arguments to draws of averaged responses.

`query` says what arguments mean for a model, with `columns` and `contrasts`; `rows` opens the rows, and `grid` lays
them out in cells and averages them.
"""
