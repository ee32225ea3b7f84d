"""`hm.compare` of formulas, `fit.kfold` and `fit.logo` through real fits, wherever they run."""

import inspect

import joblib
import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from hiermod.sampling import parallel, progress

FORMULAS = {"treated": "success ~ treated", "countries": "success ~ treated + (1 | country)"}
QUICK = {"draws": 200, "chains": 2, "seed": 1, "progress": False}


@pytest.fixture(scope="module")
def table():
    return hm.compare(FORMULAS, hm.example("country"), **QUICK).table


def test_formulas_are_fitted_as_hm_fit_does(table):
    fits = {name: hm.fit(text, hm.example("country"), **QUICK) for name, text in FORMULAS.items()}
    pd.testing.assert_frame_equal(table, hm.compare(fits, progress=False).table)


def test_fits_and_formulas_together(table):
    fit = hm.fit(FORMULAS["treated"], hm.example("country"), **QUICK)
    both = hm.compare({"treated": fit, "countries": FORMULAS["countries"]}, hm.example("country"), **QUICK)
    pd.testing.assert_frame_equal(both.table, table)


@pytest.mark.parametrize("backend", ["threading", pytest.param("loky", marks=pytest.mark.slow)])
def test_joblib_puts_fits_elsewhere(table, backend):
    with joblib.parallel_config(backend=backend, n_jobs=2):
        found = hm.compare(FORMULAS, hm.example("country"), **QUICK).table
    pd.testing.assert_frame_equal(found, table)


@pytest.mark.slow
def test_a_cluster_of_dask(table):
    import distributed

    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        found = hm.compare(FORMULAS, hm.example("country"), method="kfold", k=2, **QUICK)
        again = hm.compare(FORMULAS, hm.example("country"), **QUICK)
    here = hm.compare(FORMULAS, hm.example("country"), method="kfold", k=2, **QUICK)
    pd.testing.assert_frame_equal(found.table, here.table)
    pd.testing.assert_frame_equal(again.table, table)


def test_a_backend_that_gives_results_all_at_once(monkeypatch, capsys):
    plain = joblib.Parallel

    def refusing(**options):
        if options:
            raise ValueError("no generators here")
        return plain()

    monkeypatch.setattr(parallel.joblib, "Parallel", refusing)
    monkeypatch.setattr(progress, "LOG_SECONDS", 0.0)
    assert parallel.each(abs, [-1, 2], progress=True) == [1, 2]
    assert "2 of 2 fits" in capsys.readouterr().err


def test_folds_are_the_same_for_all_models_and_by_hand():
    """Each fold against fits of the other rows, whose priors are kept by being written out."""
    data = hm.example("country")
    priors = {"Intercept": "StudentT(3, 0, 1)", "slope": "StudentT(3, 0, 1)"}
    settings = {**QUICK, "draws": 1000}
    fit = hm.fit(FORMULAS["treated"], data, priors=priors, **settings)
    found = fit.kfold(4, seed=3, progress=False)
    assert (found.n, found.units) == (400, "rows")
    assert repr(found).splitlines()[-1].startswith("4 folds; 400 independent")
    for fold, own in found.pointwise.groupby("fold"):
        counts = own.set_index(["treated", "successes"])["times"].to_dict()
        place = data.groupby(["treated", "success"]).cumcount()
        held = [counts.get((row.treated, row.success), 0) for row in data.itertuples()]
        rest = data[place.to_numpy() >= np.array(held)]
        assert len(rest) == 300
        refit = hm.fit(FORMULAS["treated"], rest, priors=priors, **settings)
        rates = refit.rates(by="treated").table["estimate"].to_numpy()
        for row in own.itertuples():
            rate = rates[int(row.treated)]
            expected = np.log(rate if row.successes else 1 - rate)
            assert abs(row.elpd - expected) < 0.015, (fold, row)
    both = hm.compare({"one": fit, "again": fit}, method="kfold", k=4, seed=3, progress=False)
    np.testing.assert_allclose(both.table["elpd"], found.elpd, rtol=1e-12)


def test_folds_keep_groups_whole():
    data = hm.example("cbpp")
    fit = hm.fit("incidence/size ~ period + (1 | herd)", data, **QUICK)
    found = fit.kfold(3, by="herd", seed=1, progress=False)
    assert (found.pointwise.groupby("herd", observed=True)["fold"].nunique() == 1).all()
    assert found.n == 15
    groups = found.pointwise.assign(sum=found.pointwise["times"] * found.pointwise["elpd"])
    groups = groups.groupby("herd", observed=True)["sum"].sum()
    np.testing.assert_allclose(found.se, np.sqrt(15 * groups.var(ddof=0)))
    with pytest.raises(hm.errors.AnswerError, match="from 2 to 15, the number of groups"):
        fit.kfold(16, by="herd")


def test_group_columns_that_a_model_does_not_have_come_from_the_data():
    data = hm.example("country")
    found = hm.compare({"plain": FORMULAS["treated"], "groups": FORMULAS["countries"]}, data, method="logo", **QUICK)
    assert list(found.pointwise["unit"]["country"]) == ["Canada", "China"]
    plain = hm.fit(FORMULAS["treated"], data, **QUICK).logo("country", progress=False)
    np.testing.assert_allclose(found.table.loc["plain", "elpd"], plain.elpd, rtol=1e-12)
    assert "2 groups only" in repr(found)


def test_beta_pooling_is_compared_by_whole_groups(variants_fit):
    normal = hm.fit("successes/trials ~ (1 | variant)", hm.example("variants"), **QUICK)
    found = hm.compare({"beta": variants_fit, "normal": normal}, method="logo", progress=False)
    np.testing.assert_allclose(found.table.loc["beta", "elpd"], variants_fit.logo(progress=False).elpd, rtol=1e-12)
    with pytest.raises(hm.errors.AnswerError, match=r"'beta' has pooling='beta'.*Say method='loo', or method='logo'"):
        hm.compare({"beta": variants_fit, "normal": normal}, method="kfold", k=2)


WRONG = [
    ("y ~ x", {}, r"takes several models: a dict of fits or formulas by name, or a list"),
    ([], {}, "There is no model to compare"),
    (["success ~ treated"], {}, r"Formulas need data to be fitted to"),
    ({"a": 3}, {}, r"'a' is a int; a fit or a formula is needed"),
    (["success ~ treated"] * 2, {"data": "country"}, r"Two models are called 'success ~ treated'. Give them names"),
    (["success ~ treated"], {"data": "country", "iter": 5}, r"compare\(\) has no argument 'iter'"),
]


@pytest.mark.parametrize(("models", "arguments", "message"), WRONG)
def test_wrong_models(models, arguments, message):
    if "data" in arguments:
        arguments = {**arguments, "data": hm.example(arguments["data"])}
    with pytest.raises(hm.errors.ModelError, match=message):
        hm.compare(models, **arguments)


def test_an_error_names_its_model():
    with pytest.raises(hm.errors.FormulaError, match="no column 'tretaed'") as found:
        hm.compare({"typo": "success ~ tretaed", "plain": "success ~ treated"}, hm.example("country"))
    assert found.value.__notes__ == ["(the model 'typo')"]


def test_the_signature():
    names = list(inspect.signature(hm.compare).parameters)
    assert names[:4] == ["models", "data", "family", "method"]
    assert inspect.signature(hm.compare).parameters["method"].default == "loo"


def test_an_interrupted_fit_is_no_score(monkeypatch):
    """Ctrl-C keeps the draws of a fit that was asked for; of one among many it ends them all."""
    from dataclasses import replace

    from hiermod.errors import InterruptedSamplingError
    from hiermod.sampling import parallel

    fit = hm.fit(FORMULAS["treated"], hm.example("country"), **QUICK)
    sampled = fit.sampled_posterior
    stopped = replace(sampled, history=replace(sampled.history, interrupted=True))
    monkeypatch.setattr(parallel, "sample", lambda *_, **__: stopped)
    with pytest.raises(KeyboardInterrupt):
        fit.kfold(2, progress=False)

    def without_draws(*_, **__):
        raise InterruptedSamplingError

    monkeypatch.setattr(parallel, "sample", without_draws)
    with pytest.raises(KeyboardInterrupt):
        fit.kfold(2, progress=False)


def test_fits_that_did_not_converge_are_in_the_verdict(monkeypatch):
    from dataclasses import replace

    from hiermod.sampling import parallel

    fit = hm.fit(FORMULAS["treated"], hm.example("country"), seed=1, progress=False)
    whole = fit.sampled_posterior
    diverging = replace(whole, measured=replace(whole.diagnostics, divergences=3))
    monkeypatch.setattr(parallel, "sample", lambda *_, **__: diverging)
    verdict = hm.compare({"a": fit}, method="kfold", k=2, progress=False).table.loc["a", "verdict"]
    assert verdict == "the only model; 2 fits with divergences or R-hat or ESS out of bounds"
