"""`Fit.update`: what is kept, what changes, and that it is the fit that `hm.fit` would give."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import hiermod as hm
from hiermod.errors import FormulaError, ModelError, PriorError, SamplingError

QUICK = {"draws": 120, "chains": 2, "target_accept": 0.9, "progress": False}


@pytest.fixture(scope="module")
def counts():
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"g": list("abcdef") * 2, "x": [0.0] * 6 + [1.0] * 6, "n": 50})
    return frame.assign(s=rng.binomial(50, 0.3 + 0.1 * frame["x"]))


@pytest.fixture(scope="module")
def fit(counts):
    return hm.fit("s/n ~ (1 | g)", counts, priors={"sd": "HalfNormal(0.7)"}, seed=5, **QUICK)


def same_draws(one, other):
    xr.testing.assert_equal(one.posterior, other.posterior)


def test_new_data_gives_the_fit_of_that_data(fit, counts):
    other = counts.assign(s=counts["s"] // 2)
    new = fit.update(data=other, progress=False)
    same_draws(new, hm.fit("s/n ~ (1 | g)", other, priors={"sd": "HalfNormal(0.7)"}, seed=5, **QUICK))
    assert new.cells["successes"].sum() == other["s"].sum()


def test_a_formula_is_changed_and_the_rest_kept(fit, counts):
    new = fit.update("~ . + x", progress=False)
    assert new.model.formula == "s/n ~ x + (1 | g)"
    same_draws(new, hm.fit("s/n ~ x + (1 | g)", counts, priors={"sd": "HalfNormal(0.7)"}, seed=5, **QUICK))


def test_only_settings_change_nothing_of_the_model(fit):
    new = fit.update(draws=150, seed=9, progress=False)
    assert new.model is fit.model
    assert dict(new.posterior.sizes)["draw"] == 150
    assert not new.posterior["Intercept"].equals(fit.posterior["Intercept"])
    same_draws(new.update(draws=120, seed=5, progress=False), fit)


def test_priors_change_on_the_same_cells(fit, counts):
    new = fit.update(priors={"sd": "HalfNormal(0.1)"}, progress=False)
    assert new.model._defined.spec.cells is fit.model._defined.spec.cells
    same_draws(new, hm.fit("s/n ~ (1 | g)", counts, priors={"sd": "HalfNormal(0.1)"}, seed=5, **QUICK))
    assert "HalfNormal(1)" in set(fit.update(priors=None, draws=20, progress=False).model.prior_summary()["prior"])


def test_priors_are_added_to_those_of_the_fit(fit, counts):
    new = fit.update(priors={"Intercept": "Normal(0, 1)"}, progress=False)
    both = {"sd": "HalfNormal(0.7)", "Intercept": "Normal(0, 1)"}
    same_draws(new, hm.fit("s/n ~ (1 | g)", counts, priors=both, seed=5, **QUICK))
    again = new.update(priors={"sd": None, "Intercept": "Normal(0, 2)"}, progress=False)
    same_draws(again, hm.fit("s/n ~ (1 | g)", counts, priors={"Intercept": "Normal(0, 2)"}, seed=5, **QUICK))


def test_a_prior_is_replaced_however_its_parameter_is_spelled(counts):
    model = {"formula": "s/n ~ poly(z, 2) + (1 | g)", "data": counts.assign(z=range(len(counts)))}
    fit = hm.fit(**model, priors={"poly(z,2)": "Normal(0, 1)"}, seed=5, **QUICK)
    new = fit.update(priors={"poly(z, 2)": "Normal(0, 3)"}, draws=20, progress=False)
    assert new.model._defined.definition.priors == {"poly(z, 2)": "Normal(0, 3)"}


def test_priors_of_parameters_that_are_no_more_are_dropped_and_told(counts):
    data = counts.assign(z=range(len(counts)))
    priors = {"z": "Normal(0, 1)", "sd(1|g)": "HalfNormal(0.5)", "Intercept": "Normal(0, 2)"}
    fit = hm.fit("s/n ~ z + (1 | g)", data, priors=priors, seed=5, **QUICK)
    new = fit.update("s/n ~ 1", progress=False)
    assert "priors of 'z', 'sd(1|g)' are dropped: the model has no such parameters any more" in new.notices
    same_draws(new, hm.fit("s/n ~ 1", data, priors={"Intercept": "Normal(0, 2)"}, seed=5, **QUICK))
    assert not any("dropped" in notice for notice in fit.update("s/n ~ z + (z || g)", draws=20, progress=False).notices)
    with pytest.raises(PriorError, match="no parameter 'z'"):
        fit.update("s/n ~ 1", priors={"z": "Normal(0, 3)"}, progress=False)


def test_a_notice_of_a_prior_comes_and_goes_with_it(fit, capsys):
    half = fit.update(priors={"var(1|g)": "Normal(0, 1)"}, draws=20, progress=False)
    said = "'var(1|g)' is above 0, so that Normal(0, 1) is read as its half: HalfNormal(1)"
    assert half.model._defined.definition.priors == {"sd": "HalfNormal(0.7)", "var(1|g)": "Normal(0, 1)"}
    assert capsys.readouterr().err.count(said) == 1
    assert half.notices.count(said) == 1
    other = half.update(priors={"sd(1|g)": "HalfNormal(1)"}, progress=False)
    assert other.model._defined.definition.priors == {"sd": "HalfNormal(0.7)", "sd(1|g)": "HalfNormal(1)"}
    assert said not in other.notices


def test_the_engine_and_the_family_are_kept(counts):
    ones = pd.DataFrame({"y": [1.5, 2.0, 0.5, 1.0, 2.5, 0.0] * 4, "g": list("abcd") * 6})
    fit = hm.fit("y ~ 1 + (1 | g)", ones, seed=1, **QUICK, engine="pymc")
    zero_one = fit.update(data=ones.assign(y=[0, 1, 1, 0, 1, 1] * 4), engine="compiled", progress=False)
    assert zero_one.model.family == "gaussian"
    assert any("engine: compiled" in notice for notice in zero_one.notices)
    assert "engine: PyMC" in fit.update(draws=20, progress=False).notices


def test_the_family_is_chosen_anew_for_another_response(fit, counts):
    new = fit.update("x ~ .", data=counts.assign(x=np.linspace(1.5, 4.0, 12)), progress=False, priors=None)
    assert new.model.family == "gaussian"


def test_a_stored_fit_is_refit_from_its_cells_or_from_data_that_is_given(fit, counts, tmp_path):
    fit.save(tmp_path / "fit.nc")
    stored = hm.load(tmp_path / "fit.nc")
    same_draws(stored.update(progress=False), fit)
    same_draws(stored.update(priors={"sd": "HalfNormal(0.7)"}, progress=False), fit)
    same_draws(stored.update(data=counts, progress=False), fit)
    with pytest.raises(ModelError, match=r"holds their cells alone.*data=frame"):
        stored.update("~ . + x")


def test_bad_changes_are_named(fit, counts):
    with pytest.raises(ModelError, match=r"cannot change 'prior'. Did you mean 'priors'"):
        fit.update(prior={})
    with pytest.raises(SamplingError, match="draws=0"):
        fit.update(draws=0)
    with pytest.raises(PriorError, match="a dict by parameter"):
        fit.update(priors="Normal(0, 1)")
    with pytest.raises(FormulaError, match="There is no bar"):
        fit.update("~ . - (1 | k)")
    with pytest.raises(FormulaError, match="a text, not int"):
        fit.update(3)
    with pytest.raises(FormulaError, match="column 'z'"):
        fit.update("~ . + z")
    with pytest.raises(FormulaError, match="column 'g'"):
        fit.update(data=counts.drop(columns="g"))
