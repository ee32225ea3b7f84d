"""Response families: a record of each, which every other room reads.

`names` needs the standard library alone. A family stands in the file of its kin (`rates`, `counts`, `real`,
`positive`): its check, density, distribution function, variance and draws, each a function of that file, and the
record that holds them. Densities are written once, over the functions of `ops`. `registry` finds a record by its name.
"""
