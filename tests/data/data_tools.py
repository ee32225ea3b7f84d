"""Short ways from a formula and a frame to rows and cells."""

from hiermod.data.cells.compress import compress
from hiermod.data.cells.rows import read_rows
from hiermod.formula.parser import parse


def rows_of(text, data, na="drop"):
    return read_rows(parse(text), data, na)


def cells_of(text, data, statistic, enabled=True):
    return compress(rows_of(text, data), statistic, enabled)
