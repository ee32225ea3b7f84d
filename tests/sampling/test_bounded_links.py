"""Links under which some linear predictors have no mean: all rows of the data have one in the posterior."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import hiermod as hm
from hiermod.engine.adapt.coordinates import whiten
from hiermod.errors import AnswerError, DataError, ModelError
from tests.engine.engine_oracle import assert_same_density, oracle_of, public_point
from tests.modeling.modeling_tools import spec_of
from tests.truth import effective_size

PRIORS = {"Intercept": "Normal(-1, 1)", "x": "Normal(0, 0.5)"}


def likely(rows=150, seed=5):
    """Successes so likely at one end that the bound takes much of the posterior."""
    rng = np.random.default_rng(seed)
    x = np.linspace(-1.0, 1.0, rows)
    return pd.DataFrame({"x": x, "y": rng.binomial(1, np.exp(-0.3 + 0.28 * x)), "g": np.arange(rows) % 6})


@pytest.fixture(scope="module")
def bounded_fit():
    return hm.fit("y ~ x", likely(), "bernoulli(log)", priors=PRIORS, seed=2, progress=False)


def by_grid(data):
    """Means and standard deviations of intercept and slope on a fine grid, 0 where a row has no rate."""
    intercept, slope = np.meshgrid(np.linspace(-1.2, 0.0, 700), np.linspace(-0.7, 1.0, 700), indexing="ij")
    log = stats.norm.logpdf(intercept, -1.0, 1.0) + stats.norm.logpdf(slope, 0.0, 0.5)
    for x, y in zip(data["x"], data["y"], strict=True):
        eta = intercept + slope * x
        with np.errstate(all="ignore"):
            log += np.where(eta < 0.0, eta if y else np.log1p(-np.exp(eta)), -np.inf)
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    for values in (intercept, slope):
        mean = (weight * values).sum()
        yield mean, np.sqrt((weight * (values - mean) ** 2).sum())


def test_the_posterior_at_a_bound_is_that_of_a_grid(bounded_fit):
    assert bounded_fit.check().passed, repr(bounded_fit.check())
    for name, (mean, sd) in zip(("Intercept", "x"), by_grid(likely()), strict=True):
        draws = bounded_fit.posterior[name].to_numpy()
        assert draws.mean() == pytest.approx(mean, abs=4.5 * sd / np.sqrt(effective_size(draws)))
        assert draws.std() == pytest.approx(sd, rel=0.1)


def test_all_rows_of_the_data_have_rates_in_all_draws(bounded_fit):
    assert bounded_fit.posterior.sizes == {"chain": 4, "draw": 1000}
    eta = bounded_fit.posterior["Intercept"] + 1.0 * bounded_fit.posterior["x"]
    assert float(eta.max()) < 0.0


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ("p ~ x + (1 | g)", "gamma(inverse)"),
        ("p ~ 0 + f + offset(0.01 * z)", "gamma(inverse)"),
        ("e ~ x + (1 | g)", "bernoulli(log)"),
        ("s/n ~ x*i + (1 + x | g) + (1 | h)", "binomial(log)"),
    ],
)
def test_the_engine_has_the_public_density_where_rows_have_means(text, family):
    rng = np.random.default_rng(3)
    rows = 80
    frame = pd.DataFrame({
        "x": rng.normal(1.0, 1.0, rows), "z": rng.normal(size=rows), "i": rng.integers(0, 2, rows),
        "f": rng.choice(list("abc"), rows), "g": rng.choice(list("pqrst"), rows), "h": rng.choice(list("uv"), rows),
        "p": rng.gamma(2.0, 1.0, rows), "e": rng.binomial(1, 0.2, rows), "n": 6, "s": rng.binomial(6, 0.2, rows),
    })  # fmt: skip
    oracle = oracle_of(spec_of(text, frame, family))
    moved = whiten(oracle.program)
    near = [public_point(oracle.program, moved, 0.4 * rng.normal(size=moved.problem.dimension)) for _ in range(5)]
    assert_same_density(oracle, [z for z in near if np.isfinite(oracle.at(z)[0])])
    assert sum(np.isfinite(oracle.at(z)[0]) for z in near) >= 3


def test_unseen_groups_are_refused():
    fit = hm.fit("y ~ x + (1 | g)", likely(), "bernoulli(log)", seed=1, draws=200, chains=2, progress=False)
    for groups in ("new", "population"):
        with pytest.raises(AnswerError, match="would give a rate above 1 some probability"):
            fit.rates(groups=groups)
    with pytest.raises(AnswerError, match="groups left out"):
        fit.logo()
    with pytest.raises(AnswerError, match="some linear predictors have no mean"):
        fit.predict(likely().assign(x=3.0))


def test_what_bounds_coefficients_is_no_prior():
    model = hm.model("y ~ x", likely(), "bernoulli(log)")
    with pytest.raises(ModelError, match="the data's rows bound the coefficients"):
        model.sample_prior(draws=10, seed=1)


def test_formulas_that_give_some_rows_no_mean_are_refused():
    data = likely().assign(p=1.0 + likely()["y"])
    with pytest.raises(DataError, match=r"linear predictor of each row has to be above 0, and no coefficients"):
        hm.model("p ~ 0 + x", data, "gamma(inverse)")


def test_the_log_link_of_numbers_is_of_a_positive_mean():
    data = likely().assign(v=-1.0 - np.arange(150.0))
    with pytest.raises(DataError, match="is of means above 0, and the responses add up to"):
        hm.model("v ~ x", data, "gaussian(log)")
