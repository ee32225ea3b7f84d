"""Fits, models and answers that are pickled, copied, or sent to other processes and back."""

import copy
import pickle

import duckdb
import joblib
import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from hiermod.errors import ModelError

QUICK = {"draws": 60, "chains": 2, "seed": 1, "progress": False}


@pytest.fixture(scope="module", params=["fresh", "stored", "pymc", "pooled"])
def one_fit(request, tmp_path_factory):
    if request.param == "pooled":
        return hm.fit("successes/trials ~ (1 | variant)", hm.example("variants"), pooling="beta", **QUICK)
    engine = "pymc" if request.param == "pymc" else "auto"
    fit = hm.fit("success ~ treated + (1 | country)", hm.example("country"), engine=engine, **QUICK)
    if request.param != "stored":
        return fit
    fit.save(path := tmp_path_factory.mktemp("stored") / "fit.nc")
    return hm.load(path)


def through_pickle(value):
    return pickle.loads(pickle.dumps(value))


def same(one, other):
    pd.testing.assert_frame_equal(one.rates().table, other.rates().table)
    assert one.posterior.equals(other.posterior)
    assert (one.notices, one.formula) == (other.notices, other.formula)


@pytest.mark.parametrize("way", [through_pickle, copy.deepcopy, copy.copy])
def test_a_fit_its_model_and_its_answers_arrive_whole(one_fit, way):
    other = way(one_fit)
    same(one_fit, other)
    assert other.check().passed == one_fit.check().passed
    assert way(one_fit.model).formula == one_fit.model.formula
    answer = way(one_fit.rates())
    pd.testing.assert_frame_equal(answer.table, one_fit.rates().table)
    np.testing.assert_array_equal(answer.draws, one_fit.rates().draws)


def test_what_arrived_samples_the_same(one_fit):
    again = one_fit.update(progress=False)
    other = through_pickle(one_fit).update(progress=False)
    assert again.posterior.equals(other.posterior)


def test_a_deep_copy_has_draws_of_its_own(one_fit):
    other = copy.deepcopy(one_fit)
    name = next(iter(other.posterior.data_vars))
    before = one_fit.posterior[name].to_numpy().copy()
    other.posterior[name][:] = 0.0
    np.testing.assert_array_equal(one_fit.posterior[name], before)


def test_rows_that_a_connection_holds_stay_there():
    frame = hm.example("country")
    connection = duckdb.connect()
    rows = connection.from_df(frame)
    fit = hm.fit("success ~ treated + (1 | country)", rows, **QUICK)
    other = through_pickle(fit)
    same(fit, other)
    assert other.data is None
    assert copy.deepcopy(fit).data is rows
    with pytest.raises(ModelError, match=r"came from another process. Give them: fit.update\(..., data=frame\)"):
        other.update("~ . - (1 | country)")
    assert other.update("~ . - (1 | country)", data=frame, progress=False).formula == "success ~ treated"


def refit(fit, seed):
    return fit.update(seed=seed, progress=False)


@pytest.mark.slow
def test_processes_of_joblib_take_fits_and_give_them_back():
    fit = hm.fit("success ~ treated + (1 | country)", hm.example("country"), **QUICK)
    found = joblib.Parallel(n_jobs=2, backend="loky")(joblib.delayed(refit)(fit, seed) for seed in (1, 2))
    same(fit.update(seed=1, progress=False), found[0])
    same(fit.update(seed=2, progress=False), found[1])


@pytest.mark.slow
def test_a_cluster_of_dask_takes_fits_and_gives_them_back():
    import distributed

    fit = hm.fit("success ~ treated + (1 | country)", hm.example("country"), **QUICK)
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        same(fit.update(seed=2, progress=False), client.submit(refit, fit, 2).result())


def test_what_joblib_dumps_it_loads(one_fit, tmp_path):
    joblib.dump(one_fit, tmp_path / "fit.joblib")
    same(one_fit, joblib.load(tmp_path / "fit.joblib"))
