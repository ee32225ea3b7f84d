"""Whether a model fits its data, which groups stand out, and what hangs on its priors.

A file here owns one question, and answers it with a table; pictures of it are in `hiermod.show`.
"""
