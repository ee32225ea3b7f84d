"""Models whose common coefficients can fit every row are told of beforehand, and sampled rightly all the same."""

import arviz as az
import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

import hiermod as hm

RNG = np.random.default_rng(2)
WIDE = pd.DataFrame(RNG.normal(size=(12, 12)), columns=[f"x{place}" for place in range(12)])
WIDE = WIDE.assign(y=RNG.normal(size=12), g=list("aabbccddeeff"), h=list("abcdef") * 2)
CUBE = " + ".join(f"x{place}" for place in range(6))


def sigma_of_two_rows(upper=14.0):
    """The posterior density of sigma for `y ~ t` on y = 3 and 4.5, one in each arm, on a grid.

    With residuals ``sigma z`` the coefficients are ``3 - sigma z₁`` and ``1.5 - sigma (z₂ - z₁)``, so that the rows'
    normal densities are those of z, and the priors are averaged over them.
    """
    z = np.linspace(-8.0, 8.0, 161)
    weight = np.outer(stats.norm.pdf(z), stats.norm.pdf(z)) * (z[1] - z[0]) ** 2
    scale, rate = 2.5 * 0.75, 1.0 / 0.75
    sigma = np.linspace(1e-9, upper, 561)
    density = [
        np.exp(-rate * s)
        * (weight * stats.t.pdf(3.0 - s * z[:, None], 3, 3.75, scale)
           * stats.t.pdf(1.5 - s * (z[None, :] - z[:, None]), 3, 0.0, scale)).sum()
        for s in sigma
    ]  # fmt: skip
    return sigma, np.array(density) / integrate.simpson(density, sigma)


def test_a_row_in_each_of_two_arms_is_sampled_as_quadrature_has_it():
    sigma, density = sigma_of_two_rows()
    fit = hm.fit("y ~ t", pd.DataFrame({"y": [3.0, 4.5], "t": ["a", "b"]}), seed=3, progress=False)
    assert fit.check().passed
    draws = fit.posterior["sigma"].values.ravel()
    ess = float(az.ess(fit.posterior["sigma"]))
    below = integrate.cumulative_simpson(density, x=sigma, initial=0.0)
    for probability in (0.02, 0.1, 0.5, 0.9, 0.98):
        quantile = np.interp(probability, below, sigma)
        assert abs((draws < quantile).mean() - probability) < 4.0 * np.sqrt(probability * (1 - probability) / ess)


@pytest.mark.parametrize("more", ["", " + x11"])
def test_common_terms_that_fit_every_row_are_told_of(more):
    notices = hm.model(f"y ~ {CUBE} + x6 + x7 + x8 + x9 + x10{more}", WIDE).notices
    assert [each for each in notices if "whatever" in each] == [
        "common terms can fit each of the 12 rows exactly, whatever the response: priors alone tell how much of it is "
        "sigma"
    ]


def test_terms_that_leave_a_row_are_not():
    notices = hm.model(f"y ~ {CUBE} + x6 + x7 + x8 + x9 + (1 | h)", WIDE).notices
    assert not [each for each in notices if "whatever" in each]


def test_more_predictors_than_rows_are_sampled():
    fit = hm.fit("y ~ " + " + ".join(WIDE.columns[:12]) + " + x0:x1 + x2:x3", WIDE, seed=1, progress=False)
    assert fit.check().passed
    assert fit.posterior["sigma"].values.min() > 0.0
