"""What opens a table: frames of any library, and files by their path.

A kind of file is one module that opens it with DuckDB, and its record in `paths.FORMATS`.
"""
