"""Sets of slopes with one prior in the engine: the density is that of a closed form, and the public model's."""

import numpy as np
import pandas as pd
import pytest
from engine_oracle import assert_same_density, oracle_of, program_of
from modeling_tools import spec_of
from scipy import special, stats

HORSESHOE, R2D2 = "Horseshoe(2, scale_global=0.5)", "R2D2(0.4, 3, cons_D2=0.7)"


def wide_frame(rows=60):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(2.0, 1.5, (rows, 4)), columns=list("abcd"))
    frame = frame.assign(f=rng.choice(list("uvw"), rows), g=rng.choice(list("klmno"), rows))
    eta = 0.6 * frame["a"] - 0.4 * frame["b"]
    return frame.assign(
        y=eta + rng.normal(size=rows), n=rng.poisson(np.exp(0.3 * eta)), s=rng.integers(0, 2, rows),
        k=rng.integers(1, 4, rows),
    )  # fmt: skip


def gaussian_part(frame, level, slopes, sigma):
    """Of the response, the intercept at the means of numbers, and sigma."""
    columns = frame[list("abc")]
    mean = level + (columns - columns.mean()) @ slopes
    own = stats.norm.logpdf(frame["y"], mean, sigma).sum() + stats.norm.logpdf(level, 0.0, 2.0)
    return own + stats.expon.logpdf(sigma) + np.log(sigma)


def hold_closed_form(prior, size, expected):
    """At random points: the intercept, standard normals of slopes, what they share, and sigma on the line."""
    frame = wide_frame()
    priors = {"Intercept": "Normal(0, 2)", "sigma": "Exponential(1)", "slope": prior}
    program = program_of(spec_of("y ~ a + b + c", frame, "gaussian", priors))
    differences = []
    for at in np.random.default_rng(3).normal(0.0, 0.7, (20, size)):
        normals, line, sigma = at[1:4], at[4:-1], np.exp(at[-1])
        spread, density = expected(line, sigma)
        slopes = normals * spread / frame[list("abc")].std(ddof=0).to_numpy()
        density += gaussian_part(frame, at[0], slopes, sigma) + stats.norm.logpdf(normals).sum()
        differences.append(program.log_density(at)[0] - density)
    assert np.ptp(differences) < 1e-9


def test_the_horseshoe_is_that_of_the_closed_form():
    def expected(line, sigma):
        share, slab, *local = np.exp(line)
        local = np.array(local)
        slope = local * np.sqrt(slab**2 / (slab**2 + (sigma * share * local) ** 2)) * sigma * share
        density = stats.t.logpdf(share / 0.5, 3) + stats.t.logpdf(local, 2).sum() + line.sum()
        return slope, density + stats.invgamma.logpdf(slab**2, 2.5, scale=9.0 * 2.5) + np.log(slab)

    hold_closed_form("horseshoe(2, 0.5, df_global=3, scale_slab=3, df_slab=5)", 10, expected)


def test_r2d2_is_that_of_the_closed_form():
    def expected(line, sigma):
        explained, one, two = special.expit(line)
        shares = np.array([one, (1.0 - one) * two, (1.0 - one) * (1.0 - two)])
        volume = np.log(special.expit(line) * special.expit(-line)).sum() + np.log(1.0 - one)
        density = stats.beta.logpdf(explained, 0.4 * 3, 0.6 * 3) + stats.dirichlet.logpdf(shares, np.full(3, 0.7))
        return sigma * np.sqrt(shares * explained / (1.0 - explained)), density + volume

    hold_closed_form("R2D2(0.4, 3, cons_D2=0.7)", 8, expected)


QUICK = [("y ~ a + b*c + f", "gaussian", {"slope": HORSESHOE, "f[v]": "Normal(0, 1)"}),
         ("n ~ a + b + c + (1 | g)", "poisson", {"slope": R2D2})]  # fmt: skip
SLOW = [
    ("y ~ a + b + f + (1 + a | g)", "gaussian", {"slope": R2D2, "f": HORSESHOE}),
    ("s ~ a + b + (1 | g) + (1 | f)", "bernoulli", {"slope": HORSESHOE, "b": "HalfNormal(1)"}),
    ("k ~ a + b + c", "cumulative", {"slope": R2D2}),
    ("y ~ a + b + c", "student", {"slope": HORSESHOE}),
    ("n ~ a + b; alpha ~ c + d", "negbinomial", {"alpha: slope": HORSESHOE, "slope": R2D2}),
    ("k ~ a + b", "categorical", {"mu2: slope": HORSESHOE}),
    ("y ~ 0 + a + b + s(c, k=4)", "gaussian", {"slope": "R2D2()"}),
]


def hold(text, family, priors):
    oracle = oracle_of(spec_of(text, wide_frame(), family, priors))
    assert_same_density(oracle, np.random.default_rng(2).normal(0.0, 0.6, (3, oracle.program.problem.dimension)))


@pytest.mark.parametrize(("text", "family", "priors"), QUICK)
def test_density_and_gradient_of_sets(text, family, priors):
    hold(text, family, priors)


@pytest.mark.slow
@pytest.mark.parametrize(("text", "family", "priors"), SLOW)
def test_density_and_gradient_of_sets_beside_much_else(text, family, priors):
    hold(text, family, priors)
