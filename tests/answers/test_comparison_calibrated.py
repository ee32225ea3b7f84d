"""What a difference and its standard error are worth, over 400 simulated data sets whose truth is known."""

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

import hiermod as hm

REPLICATIONS, ROWS, FRESH = 400, 100, 4000
MODELS = {"mean": "y ~ 1", "true": "y ~ x", "larger": "y ~ x + z"}


def simulated(rows, rng):
    frame = pd.DataFrame({"x": rng.normal(size=rows), "z": rng.normal(size=rows)})
    return frame.assign(y=1.0 + 0.5 * frame["x"] + rng.normal(size=rows))


def expected_of_fresh_rows(fit, fresh):
    """The log predictive density of each of many new rows, from the draws themselves."""
    draws = {name: values.to_numpy().reshape(-1, 1) for name, values in fit.posterior.data_vars.items()}
    mean = draws["Intercept"] + sum(draws[name] * fresh[name].to_numpy() for name in ("x", "z") if name in draws)
    density = stats.norm.logpdf(fresh["y"].to_numpy(), mean, draws["sigma"])
    return special.logsumexp(density, axis=0) - np.log(len(density))


def paired(difference):
    return difference.sum(), np.sqrt(len(difference) * difference.var())


@pytest.mark.slow
@pytest.mark.timeout(5400)
def test_differences_are_calibrated():
    ratios, covered = [], []
    for replication in range(REPLICATIONS):
        rng = np.random.default_rng([2024, replication])
        data, fresh = simulated(ROWS, rng), simulated(FRESH, rng)
        fits = {
            name: hm.fit(formula, data, draws=500, seed=replication, progress=False) for name, formula in MODELS.items()
        }
        elpd = hm.compare(fits, progress=False).pointwise["elpd"]
        difference, error = paired((elpd["larger"] - elpd["true"]).to_numpy())
        ratios.append(difference / error)
        difference, error = paired((elpd["true"] - elpd["mean"]).to_numpy())
        truth = expected_of_fresh_rows(fits["true"], fresh) - expected_of_fresh_rows(fits["mean"], fresh)
        covered.append(abs(difference - ROWS * truth.mean()) < 2 * error)
    ratios = np.array(ratios)
    print(f"larger preferred by over 2 SE {np.mean(ratios > 2):.4f}, over 1 SE {np.mean(ratios > 1):.4f};", end=" ")
    print(f"covered by 2 SE {np.mean(covered):.4f}")
    assert np.mean(ratios > 2) < 0.005
    assert np.mean(ratios > 1) < 0.025
    assert 0.88 < np.mean(covered) < 0.99
