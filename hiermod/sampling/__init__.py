"""From a model to its posterior: runs of a sampler, what they suffered from, and their place in a file.

`run` chooses one of two samplers (`native`, the compiled engine; `nuts`, PyMC) and samples again where there is
trouble; `posterior` holds the draws with their history, and says it in notices, which nothing reads back. A file here
owns one way to come by draws (sampled, given, from the prior, of a truth), one look at them, or a part of a stored fit.
"""
