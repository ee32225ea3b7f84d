"""Answers to questions about a posterior: draws first, tables last.

`answer` holds what every question gives, `scales` and `outcome` on which scale and of what, `draws` decisions from any
draws. `reader` reads a model's draws for rows, with `group_effects` and `population`; it alone asks which kind of model
it is; `mixed` puts answers of several posteriors together. Rooms stand on these: `averaging` says which rows enter
which average, `estimands` and `deciding` hold a question a file, `parameters` asks of coefficients, `scoring` of
predictive densities, `checks` of the model itself.
"""
