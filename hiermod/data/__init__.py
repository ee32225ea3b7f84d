"""From any frame to cells: the exactly compressed table that a model sees.

Four rooms, each importing only those before it: `sources` open a table, `columns` say what a column means, `pushdown`
asks the engine that holds a large table, `cells` compress. The door is `cells.compress.read_cells`.
"""
