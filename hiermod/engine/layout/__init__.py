"""Python that puts a spec into the memory which compiled code reads."""
