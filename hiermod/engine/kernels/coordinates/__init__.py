"""Parameters in compiled code: from the sampler's coordinates to their values, and gradients the way back.

A file has a kind of parameter: `hyperparameters` and their priors, `covariance` of effects, `common_coefficients`,
`monotonic` ones, `effects` of groups (`single_effects`, where each group has one), and the two in a `joint_block`.
"""
