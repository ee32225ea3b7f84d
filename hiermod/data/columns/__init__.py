"""What a column means: levels, numbers, functions of columns, responses."""
