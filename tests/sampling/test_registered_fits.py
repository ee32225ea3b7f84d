"""Fits of families from outside: the twin of a built-in one, answers, stored fits and other processes."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from hiermod.errors import AnswerError, ModelError, StorageError
from hiermod.families import registry
from hiermod.families.registry import read_family

sys.path.insert(0, str(Path(__file__).parents[1] / "families"))
from unit_gamma import UNIT_GAMMA, shares

FORMULA = "y ~ treated + (1 | shop)"


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    """The families of these tests, and none of others."""
    monkeypatch.setattr(registry, "REGISTERED", {})
    gamma = read_family("gamma")
    hm.register_family(UNIT_GAMMA)
    hm.register_family(replace(gamma, name="gamma_twin", kernel=None))
    hm.register_family(replace(gamma, name="gamma_copy"))


def times():
    """Waiting times in eight shops, gamma with the shape 3."""
    rng = np.random.default_rng(5)
    shop, treated = np.arange(160) % 8, np.arange(160) // 8 % 2
    mean = np.exp(1.0 + 0.3 * treated + rng.normal(0.0, 0.4, 8)[shop])
    return pd.DataFrame(
        {"y": mean * rng.standard_gamma(3.0, 160) / 3.0, "treated": treated, "shop": [f"s{k}" for k in shop]}
    )


@pytest.fixture(scope="module")
def gamma_fit():
    return hm.fit(FORMULA, times(), "gamma", seed=1, progress=False)


@pytest.fixture(scope="module")
def unit_fit():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "REGISTERED", {})
        hm.register_family(UNIT_GAMMA)
        return hm.fit(FORMULA, shares(), UNIT_GAMMA.name, seed=1, progress=False)


def test_a_twin_has_the_posterior_of_its_built_in(gamma_fit):
    """By PyMC and by the engine; five parameters and eight effects, so |z| is below 4.5 but once in 10,000 times."""
    twin = hm.fit(FORMULA, times(), "gamma_twin", seed=2, progress=False)
    assert twin._posterior.history.engine.name == "pymc"
    columns = ["Intercept", "treated", "1|shop_sigma", "alpha", "1|shop"]
    for name in columns:
        one, other = (
            fit.posterior[name].to_numpy().reshape(*fit.posterior[name].shape[:2], -1) for fit in (gamma_fit, twin)
        )
        for place in range(one.shape[2]):
            error = np.hypot(*(_mcse(draws[:, :, place]) for draws in (one, other)))
            assert abs(one[:, :, place].mean() - other[:, :, place].mean()) < 4.5 * error, (name, place)


def _mcse(draws):
    from arviz_stats.base import array_stats

    return float(array_stats.mcse(draws, chain_axis=0, draw_axis=1, method="mean"))


def test_a_twin_s_scores_are_its_built_in_s_on_the_same_draws(gamma_fit):
    posterior = gamma_fit._posterior
    spec = replace(posterior.spec, family=read_family("gamma_twin"))
    one, other = gamma_fit.loo(), hm.Fit(gamma_fit.model, replace(posterior, spec=spec)).loo()
    assert other.elpd == pytest.approx(one.elpd, abs=1e-8)
    assert other.se == pytest.approx(one.se, abs=1e-8)
    np.testing.assert_allclose(other.pointwise["elpd"], one.pointwise["elpd"], atol=1e-8)


def test_the_engine_takes_a_copy_that_names_its_kernel(gamma_fit):
    copy = hm.fit(FORMULA, times(), "gamma_copy", seed=1, progress=False)
    assert copy._posterior.history.engine.name == "compiled"
    np.testing.assert_array_equal(copy.posterior["alpha"], gamma_fit.posterior["alpha"])


def test_a_twin_s_model_has_the_density_of_its_built_in(gamma_fit):
    built, twin = (hm.model(FORMULA, times(), name).pymc() for name in ("gamma", "gamma_twin"))
    rng = np.random.default_rng(1)
    densities = [model.compile_logp() for model in (built, twin)]
    for _ in range(20):
        point = {name: rng.normal(0.0, 0.5, np.shape(value)) for name, value in built.initial_point().items()}
        one, other = (float(density(point)) for density in densities)
        assert other == pytest.approx(one, rel=1e-9)


def test_it_finds_the_truth_and_answers(unit_fit):
    """The data were drawn with a slope of 0.6 and the shape 2."""
    draws = unit_fit.posterior
    for name, truth in (("treated", 0.6), ("phi", 2.0)):
        assert abs(float(draws[name].mean()) - truth) < 4.0 * float(draws[name].std())
    rates = unit_fit.rates("treated").table
    assert rates["estimate"].between(0.0, 1.0).all()
    assert unit_fit.effect("treated").table["prob_beats"].iloc[0] > 0.99
    assert (unit_fit.rates("treated", groups="population").table["estimate"] > 0).all()
    link = unit_fit.predict(shares(8), kind="link").table["estimate"]
    assert (link < 3.0).all()
    drawn = unit_fit.predict(shares(8), kind="response").draws
    assert ((drawn > 0) & (drawn < 1)).all()
    assert np.isfinite(unit_fit.loo().elpd)
    assert unit_fit.hypothesis("phi > 1").table["probability"].iloc[0] > 0.9
    assert "unit_gamma_of_tests (link logit)" in repr(unit_fit.summary())
    assert {"conditional", "marginal", "loo"} == set(unit_fit.r2().index)
    assert unit_fit.icc()["estimate"].between(0.0, 1.0).all()
    assert unit_fit.plot.ppc() is not None
    with pytest.raises(AnswerError, match="family unit_gamma_of_tests has none"):
        unit_fit.effect("treated", scale="odds_ratio")
    with pytest.raises(ModelError, match="unit_gamma_of_tests is not handed over to Bambi"):
        unit_fit.model.bambi()


def test_what_a_record_leaves_out_is_done_without_or_refused_by_name(unit_fit):
    bare = replace(UNIT_GAMMA, name="bare", variance=None, draw=None, cdf=None)
    posterior = unit_fit._posterior
    fit = hm.Fit(unit_fit.model, replace(posterior, spec=replace(posterior.spec, family=bare)))
    assert fit.loo().elpd == pytest.approx(unit_fit.loo().elpd, abs=1e-9)
    for ask, what in ((fit.r2, "variance"), (fit.plot.ppc, "draw"), (fit.loo_pit, "draw")):
        with pytest.raises(AnswerError, match=f"The family bare has no {what}.*Give its record {what}="):
            ask()


def test_chances_are_counted_in_draws_where_there_is_no_distribution_function(unit_fit):
    """Of 8,000 draws at most: a chance is off by sqrt(p(1 - p)/8000), which weights make some larger."""
    posterior = unit_fit._posterior
    family = replace(UNIT_GAMMA, cdf=None)
    counted = hm.Fit(unit_fit.model, replace(posterior, spec=replace(posterior.spec, family=family))).loo_pit()
    exact = unit_fit.loo_pit()
    error = np.sqrt(exact["lower"] * (1.0 - exact["lower"]) / (0.5 * posterior.size)) + 1.0 / posterior.size
    assert (np.abs(counted["lower"] - exact["lower"]) < 5.0 * error).all()
    assert (counted["lower"] == counted["upper"]).all()


def test_a_stored_fit_knows_its_family_by_name_and_density(unit_fit, tmp_path, monkeypatch):
    path = tmp_path / "fit.nc"
    unit_fit.save(path)
    assert hm.load(path).fixef().equals(unit_fit.fixef())
    monkeypatch.setattr(registry, "REGISTERED", {})
    with pytest.raises(StorageError, match=r"family 'unit_gamma_of_tests' from outside.*Register its record first"):
        hm.load(path)

    def other(ops, response, mu, phi):
        return UNIT_GAMMA.log_density(ops, response, mu, 2.0 * phi)

    registry.add(replace(UNIT_GAMMA, log_density=other))
    with pytest.raises(StorageError, match=r"another density now than when.*was stored.*replace=True"):
        hm.load(path)
    hm.register_family(UNIT_GAMMA, replace=True)
    assert hm.load(path).loo().elpd == pytest.approx(unit_fit.loo().elpd, abs=1e-9)


@pytest.mark.slow
def test_experiments_of_it_are_planned(unit_fit):
    planned = hm.plan(unit_fit, variable="treated", width=0.5, sizes=[10], simulations=2, seed=1, progress=False)
    assert len(planned.table) == 1


FIRST = """
import sys, pickle
import numpy as np, pandas as pd
import hiermod as hm
def log_density(ops, response, mu):
    return -mu.eta - response[0] * ops.exp(-mu.eta)
def draw(rng, shape, mean, trials):
    return rng.exponential(mean, shape)
hm.register_family(hm.Family("waiting", "positive", ("log",), log_density, draw=draw))
frame = pd.DataFrame({"y": np.random.default_rng(1).exponential(2.0, 40), "x": [0, 1] * 20})
fit = hm.fit("y ~ x", frame, "waiting", seed=1, progress=False)
pickle.dump(fit, open(sys.argv[1], "wb"))
if __name__ == "__main__":
    import joblib
    plain = hm.compare({"a": fit, "b": fit}, method="kfold", k=2, progress=False).table
    with joblib.parallel_config(backend="loky", n_jobs=2):
        other = hm.compare({"a": fit, "b": fit}, method="kfold", k=2, progress=False).table
    assert plain.equals(other)
    print(fit.rates("x").table["estimate"].tolist(), fit.loo().elpd)
"""
SECOND = """
import sys, pickle
import hiermod as hm
fit = pickle.load(open(sys.argv[1], "rb"))
print(fit.rates("x").table["estimate"].tolist(), fit.loo().elpd)
assert hm.model("y ~ x", fit.cells.assign(y=[1.0 + k for k in range(len(fit.cells))]), "waiting").family == "waiting"
"""


@pytest.mark.slow
def test_other_processes_have_it_without_being_told(tmp_path):
    """Workers of a comparison, and a process that reads a pickle, where its functions are those of a script."""
    outputs = [
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "fit.pkl")], capture_output=True, text=True, check=True
        )
        for code in (FIRST, SECOND)
    ]
    assert outputs[0].stdout == outputs[1].stdout != ""
