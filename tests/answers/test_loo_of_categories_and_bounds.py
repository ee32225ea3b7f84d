"""Leave-one-out of categories, and of censored and truncated rows: what an observation is, and its own probability."""

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

import hiermod as hm

DRAWS = {"draws": 60, "tune": 60, "chains": 2, "seed": 1, "progress": False}


def known(loo):
    """The log densities of all rows by a model that has seen them."""
    return loo.elpd + loo.p


def mean_density(density):
    """Of draws of log densities, the sum over rows of the logarithms of their means."""
    return (special.logsumexp(density, axis=0) - np.log(len(density))).sum()


@pytest.mark.parametrize(("family", "categories"), [("cumulative", 4), ("categorical", 3)])
def test_a_cell_of_predictors_has_at_most_as_many_observations_as_there_are_categories(family, categories):
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"r": rng.integers(1, categories + 1, 700), "f": rng.choice(list("ab"), 700)})
    fit = hm.fit("r ~ f", frame, family, **DRAWS)
    pointwise = fit.loo(max_refits=0).pointwise
    assert len(pointwise) == len(frame.drop_duplicates()) == 2 * categories
    assert pointwise["times"].sum() == 700
    rows = hm.fit("r ~ f", frame, family, compress=False, **DRAWS).model.with_draws(fit.posterior)
    alone, loo = rows.loo(max_refits=0), fit.loo(max_refits=0)
    assert len(alone.pointwise) == 700
    assert (loo.elpd, loo.p, loo.se) == pytest.approx((alone.elpd, alone.p, alone.se), rel=1e-9)


def test_censored_rows_count_by_the_probability_of_what_is_known_of_them():
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"t": rng.weibull(1.4, 80).round(1) + 0.1, "x": rng.integers(0, 2, 80)})
    frame = frame.assign(c=rng.choice([0, 1, -1, 2], 80), end=frame["t"] + 0.5)
    fit = hm.fit("t | cens(c, end) ~ x", frame, "weibull", **DRAWS)
    draws = fit.posterior.stack(s=("chain", "draw"))
    shape = draws["shape"].values[:, None]
    mean = np.exp(draws["Intercept"].values[:, None] + draws["x"].values[:, None] * frame["x"].to_numpy())
    own = stats.weibull_min(shape, scale=mean / special.gamma(1.0 + 1.0 / shape))
    t, end, c = (frame[name].to_numpy() for name in ("t", "end", "c"))
    known_of = np.select(
        [c == 0, c == 1, c == -1],
        [own.logpdf(t), own.logsf(t), own.logcdf(t)],
        np.log(own.cdf(end) - own.cdf(t)),
    )
    assert known(fit.loo(max_refits=0)) == pytest.approx(mean_density(known_of), abs=1e-8)


def test_truncated_rows_count_by_their_density_among_those_that_are_recorded():
    rng = np.random.default_rng(5)
    y = rng.normal(1.0, 2.0, 300).round(1)
    frame = pd.DataFrame({"y": y, "x": rng.integers(0, 2, 300)}).query("0 < y < 4")
    fit = hm.fit("y | trunc(lb = 0, ub = 4) ~ x", frame, "gaussian", **DRAWS)
    draws = fit.posterior.stack(s=("chain", "draw"))
    mean = draws["Intercept"].values[:, None] + draws["x"].values[:, None] * frame["x"].to_numpy()
    own = stats.norm(mean, draws["sigma"].values[:, None])
    density = own.logpdf(frame["y"].to_numpy()) - np.log(own.cdf(4.0) - own.cdf(0.0))
    loo = fit.loo(max_refits=0)
    assert known(loo) == pytest.approx(mean_density(density), abs=1e-8)
    assert len(loo.pointwise) == len(frame.drop_duplicates())
