"""Rows of data in compiled code: their log densities, and the derivatives by each parameter.

`families` scores blocks of rows under one linear predictor, kernel by kernel, and `ordered` those of ordered
categories. `by_rows` scores rows one by one, whose parameters may each have a linear predictor: it asks a function of a
row, which stands in a file of its kin (`densities`, `counts`, `units`, `durations`, `links`, `mixtures`, `bounded`).
"""
