"""``y | rate(t)`` as brms has it: mean and shape of a count are multiplied by its exposure.

brms 2.18.0 writes ``neg_binomial_2_log_lpmf(Y | mu + log_denom, shape * denom)``. Densities are held against scipy's.
"""

import numpy as np
import pandas as pd
import pytest
from modeling_tools import random_points
from scipy import stats

import hiermod as hm
from hiermod.answers.checks.sensitivity import log_likelihood
from hiermod.answers.scoring.held_out import log_densities
from hiermod.data.cells.observations import observations
from hiermod.errors import ModelError

ROWS = 48


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"x": rng.normal(size=ROWS).round(2), "t": rng.choice([0.5, 1.0, 2.0, 4.0], ROWS)})
    frame["g"] = np.tile(list("abcdef"), ROWS // 6)
    mean = np.exp(0.8 + 0.3 * frame["x"]) * frame["t"]
    frame["k"] = rng.poisson(rng.gamma(1.5 * frame["t"], mean / (1.5 * frame["t"])))
    return frame


@pytest.fixture(scope="module")
def fit(data):
    return hm.fit(
        "k | rate(t) ~ x + (1 | g)", data, "negbinomial", draws=60, tune=150, chains=2, seed=1, progress=False,
    )  # fmt: skip


def scipys(mean, shape):
    return stats.nbinom(shape, shape / (shape + mean))


def test_the_density_is_brms(data):
    model = hm.model("k | rate(t) ~ x", data, "negbinomial").pymc()
    density = model.compile_logp(vars=model.observed_RVs)
    values = model.replace_rvs_by_values([model[name] for name in ("Intercept", "x", "alpha")])
    own = model.compile_fn(values, inputs=model.value_vars)
    for point in random_points(model, count=6, spread=1.5):
        intercept, slope, alpha = own(point)
        mean = np.exp(intercept + slope * data["x"]) * data["t"]
        expected = scipys(mean, alpha * data["t"]).logpmf(data["k"]).sum()
        np.testing.assert_allclose(density(point), expected, rtol=1e-9)


def test_a_poisson_rate_is_an_offset(data):
    one = hm.model("k | rate(t) ~ x", data, "poisson").pymc().compile_logp()
    other = hm.model("k ~ x + offset(log(t))", data, "poisson").pymc().compile_logp()
    for point in random_points(hm.model("k | rate(t) ~ x", data, "poisson").pymc(), count=3):
        assert one(point) == other(point)


def parameters(fit, frame):
    """Linear predictors with the exposure, shape ``(rows, draws)``, and the shape in every draw."""
    eta = fit.predict(frame, kind="link").draws.transpose("row", "chain", "draw").to_numpy()
    alpha = fit.posterior["alpha"].to_numpy().ravel()
    return eta.reshape(len(frame), -1), alpha


def test_answers_read_the_exposure(fit, data):
    eta, alpha = parameters(fit, data)
    mean = fit.predict(data).draws.transpose("row", "chain", "draw").to_numpy().reshape(len(data), -1)
    t = data["t"].to_numpy()[:, None]
    expected = scipys(mean, alpha * t).logpmf(data["k"].to_numpy()[:, None])
    seen = observations(fit.model._defined.spec.cells, True)
    got = np.stack([*log_densities(fit._posterior, seen)])
    own = seen.frame.iloc[seen.place]
    keys = list(zip(own["x"], own["g"], own["offset(log(t))"], seen.responses[:, 0], strict=True))
    rows = [
        keys.index((x, g, np.log(t), float(k))) for x, g, t, k in data[["x", "g", "t", "k"]].itertuples(index=False)
    ]
    np.testing.assert_allclose(got[rows], expected, rtol=1e-9)
    assert eta.shape == mean.shape


def test_new_responses_vary_as_the_shape_says(fit, data):
    rows = pd.concat([data.iloc[[0]].assign(t=50.0)] * 40, ignore_index=True)
    mean = fit.predict(rows).draws.transpose("row", "chain", "draw").to_numpy()
    drawn = fit.predict(rows, kind="response").draws.transpose("row", "chain", "draw").to_numpy()
    alpha = fit.posterior["alpha"].to_numpy()[None]
    squares = (drawn - mean) ** 2 / (mean + mean**2 / (50.0 * alpha))
    assert abs(squares.mean() - 1.0) < 0.15  # without the exposure it is near 30


def test_scores_residuals_and_explained_variance(fit, data):
    assert np.isfinite(fit.loo().elpd)
    residuals = fit.residuals("quantile")
    assert len(residuals) == len(data)
    assert abs(residuals.mean()) < 0.5
    assert 0.0 <= fit.r2().loc["conditional", "estimate"] <= 1.0
    assert (fit.icc()["estimate"] > 0.0).all()
    assert fit.predict(pd.DataFrame({"x": [0.0], "t": [2.0], "g": ["a"]})).table["estimate"][0] == pytest.approx(
        2.0 * fit.predict(pd.DataFrame({"x": [0.0], "t": [1.0], "g": ["a"]})).table["estimate"][0]
    )


def test_a_group_left_out_is_integrated(fit, data):
    from hiermod.answers.group_effects import Reading, same_for_all
    from hiermod.answers.reader import LinearReader
    from hiermod.answers.scoring.group_density import Responses

    spec = fit.model._defined.spec
    seen = observations(spec.cells, True)
    alpha = fit._posterior.values("alpha")
    own = Responses(spec, LinearReader(fit._posterior, spec, same_for_all(spec, Reading.TYPICAL)), seen, seen.times)
    eta = np.zeros((1, len(seen.frame), len(alpha)))
    got = own.density(np.arange(len(seen.frame)), eta)
    t = seen.frame["offset(log(t))"].to_numpy()
    k = seen.responses[:, 0]
    shape = alpha * np.exp(t[seen.place])[:, None]
    expected = (seen.times[:, None] * scipys(1.0, shape).logpmf(k[:, None])).sum(axis=0)
    np.testing.assert_allclose(got, expected, rtol=1e-9)


def test_scores_of_several_models_read_the_exposure(fit, data):
    other = hm.fit("k ~ 1 + offset(log(t))", data, "poisson", draws=100, tune=150, chains=2, seed=1, progress=False)
    table = hm.compare({"rate": fit, "offset": other}, data=data, max_refits=0).table
    assert table.loc["rate", "elpd"] == pytest.approx(fit.loo(max_refits=0).elpd, rel=1e-9)
    assert np.isfinite(fit.logo().elpd)
    seen = observations(fit.model._defined.spec.cells, True)
    whole = sum(times * one for times, one in zip(seen.times, log_densities(fit._posterior, seen), strict=True))
    np.testing.assert_allclose(log_likelihood(fit._posterior), whole, rtol=1e-9)
    assert fit.loo_pit()["upper"].between(0.0, 1.0).all()


def test_the_engine_takes_it_and_bambi_does_not(data, fit):
    assert "engine: compiled" in fit.notices
    model = hm.model("k | rate(t) ~ x", data, "negbinomial")
    with pytest.raises(ModelError, match=r"the exposure of k \| rate\(t\), which multiplies the shape"):
        model.bambi()
    with pytest.raises(ModelError, match="Say family='poisson' or 'negbinomial'"):
        hm.model("y | rate(t) ~ x", data.assign(y=data["x"]), "gaussian")
