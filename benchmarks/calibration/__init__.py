"""Simulation-based calibration of hiermod: are posteriors of data simulated from the prior right, rank by rank?

    make calibration

`shapes` are the models. `priors`, `responses` and `simulate` make data without hiermod; `questions` are what is asked
of a fit. `ranks` compares truths with draws, `bands` and `verdict` judge ranks, `store` keeps them. `run` and `plot`
are what a person calls.
"""
