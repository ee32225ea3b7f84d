"""The PyMC model of a spec: the reference for the compiled engine, and the sampler of what it does not cover."""
