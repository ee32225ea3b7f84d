"""Models of very many groups with the effects of the groups integrated out.

Given the hyperparameters (common coefficients, standard deviations, correlations, the family's own) groups are
independent, so the integral over their effects is a product of small ones, and groups that data tell nothing apart
share theirs. What remains has a handful of dimensions: it is drawn from independently, and the effects of groups
afterwards from their exact conditional distribution.

`patterns` finds which groups are alike, `likelihoods` integrates, `target` adds priors, `mode` finds where the
posterior is, `draws` draws from it, and `effects` the effects of groups.
"""
