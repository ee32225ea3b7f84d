"""Models of very many groups with the effects of the groups integrated out.

Given the hyperparameters (common coefficients, standard deviations, correlations, the family's own) groups are
independent, so the integral over their effects is a product of small ones, and groups that data tell nothing apart
share theirs. What remains has a handful of dimensions: it is drawn from independently, and the effects of groups
afterwards from their exact conditional distribution.

`patterns` finds which groups are alike. `gaussian` integrates in closed form, `quadrature` by compiled code. `target`
adds priors, `mode` and `placement` find where the posterior is, `draws`, `surrogate` and `source` draw from it, and
`effects` draws the effects of groups. Where more than a handful of dimensions remain, `integration` makes the integrals
the likelihood of a problem that the engine samples.
"""
