"""Comparison of models: by hand, against ArviZ on raw rows, and what is refused."""

import warnings

import arviz_stats as azs
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from answer_tools import draws_of, with_made_up_draws
from scipy import special, stats

import hiermod as hm
from hiermod.answers.scoring.alignment import align
from hiermod.answers.scoring.comparison import compared, stacking_weights
from hiermod.answers.scoring.scores import ModelScores, Scores


def made_up_scores(elpd, times=None, clusters=None, units="rows", method="loo", unreliable=None, refits=None):
    elpd = np.asarray(elpd, dtype=float)
    models, count = elpd.shape
    times = np.ones(count, dtype=int) if times is None else np.asarray(times)
    none = (0,) * models
    columns = zip("abcd", elpd, unreliable or none, refits or none, strict=False)
    scores = {name: ModelScores(own, float("abcd".index(name)), *counts) for name, own, *counts in columns}
    return Scores(method, units, scores, times, clusters, pd.DataFrame({"times": times}))


def test_difference_and_its_paired_error_by_hand():
    elpd = np.array([[-1.0, -2.0, -4.0], [-1.5, -2.25, -3.0]])
    table = compared(made_up_scores(elpd, [2, 1, 3])).table
    assert list(table.index) == ["b", "a"]
    differences = np.array([0.5, 0.5, 0.25, -1.0, -1.0, -1.0])
    row = table.loc["a"]
    np.testing.assert_allclose(row["elpd_diff"], differences.sum(), rtol=1e-12)
    np.testing.assert_allclose(row["dse"], np.sqrt(6 * differences.var(ddof=0)), rtol=1e-12)
    np.testing.assert_allclose(row["p_worse"], stats.norm.cdf(-differences.sum() / row["dse"]), rtol=1e-12)
    rows = np.array([-1, -1, -2, -4, -4, -4.0])
    np.testing.assert_allclose([row["elpd"], row["se"]], [rows.sum(), np.sqrt(6 * rows.var(ddof=0))], rtol=1e-12)
    assert np.isnan(table.loc["b", "p_worse"])
    assert (table.loc["b", "elpd_diff"], table.loc["b", "dse"], table.loc["b", "rank"]) == (0.0, 0.0, 0)


def test_errors_are_over_groups_where_rows_of_a_group_were_left_out_together():
    elpd = np.array([[-1.0, -2.0, -4.0, -1.0], [-1.5, -2.25, -3.0, -3.0]])
    scores = made_up_scores(elpd, [2, 1, 3, 1], np.array([0, 0, 1, 1]), method="logo")
    total, error = scores.total(elpd[0] - elpd[1])
    groups = np.array([2 * 0.5 + 0.25, 3 * -1.0 + 2.0])
    np.testing.assert_allclose([total, error], [groups.sum(), np.sqrt(2 * groups.var(ddof=0))], rtol=1e-12)
    assert compared(scores).caution == "2 groups only: standard errors are too small, and not to be relied on."


def arviz_compare(elpd):
    """ArviZ's table of pointwise values, one a row, with neither draws nor importance sampling."""
    names = "abcd"[: len(elpd)]
    found = {
        name: azs.utils.ELPDData(
            kind="loo", elpd=own.sum(), se=np.sqrt(len(own) * own.var()), p=1.0, n_samples=1000, n_data_points=len(own),
            scale="log", warning=False, good_k=0.7, elpd_i=xr.DataArray(own), pareto_k=xr.DataArray(np.zeros(len(own))),
        )
        for name, own in zip(names, elpd, strict=True)
    }  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return azs.compare(found, round_to="none")


@pytest.mark.parametrize("models", [2, 3, 4])
def test_all_numbers_are_arviz_s_on_the_same_pointwise_values(models):
    rng = np.random.default_rng(models)
    distinct = -rng.gamma(2.0, 0.5, 40) + 0.3 * rng.normal(size=(models, 40))
    times = rng.integers(1, 6, 40)
    seen, expected = compared(made_up_scores(distinct, times)).table, arviz_compare(np.repeat(distinct, times, axis=1))
    assert list(seen.index) == list(expected.index)
    assert list(seen.columns) == [*expected.columns, "verdict"]
    for name in ("elpd", "se", "elpd_diff", "dse", "weight"):
        np.testing.assert_allclose(seen[name], expected[name].astype(float), atol=1e-6, err_msg=name)
    np.testing.assert_allclose(seen["p_worse"][1:], expected["p_worse"][1:].astype(float), atol=1e-9)
    assert list(seen["diag_diff"][1:]) == list(expected["diag_diff"][1:])


def test_weights_of_very_small_densities():
    """Joint densities of groups underflow; their ratios do not."""
    elpd = np.array([[-2000.0, -3000.0, -2500.0], [-2001.0, -2999.0, -2500.5]])
    shifted = stacking_weights(elpd + 2500.0 - elpd.max(axis=0), np.ones(3))
    np.testing.assert_allclose(stacking_weights(elpd, np.ones(3)), shifted, atol=1e-9)


def raw_elpd(fit, eta, y):
    """Leave-one-out of 0/1 rows one by one, by ArviZ, from the linear predictor."""
    values = stats.bernoulli.logpmf(y, special.expit(eta)).reshape(*fit.sampled_posterior.shape, -1)
    log_likelihood = xr.Dataset({"y": (("chain", "draw", "row"), values)})
    tree = xr.DataTree.from_dict({"posterior": fit.posterior, "log_likelihood": log_likelihood})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return azs.loo(tree, pointwise=True)


@pytest.fixture(scope="module")
def crossed():
    """Models that see different columns, none of them all."""
    rng = np.random.default_rng(3)
    data = pd.DataFrame(
        {"x": rng.integers(0, 2, 150), "z": rng.integers(0, 3, 150), "g": rng.choice(list("abcd"), 150)}
    )
    data["y"] = rng.integers(0, 2, 150)
    fits = {
        "x": with_made_up_draws(hm.model("y ~ x", data), seed=1),
        "z": with_made_up_draws(hm.model("y ~ z", data), seed=2),
        "groups": with_made_up_draws(hm.model("y ~ (1 | g)", data), seed=3, spread=0.5),
    }
    return data, fits


def test_models_of_different_cells_are_paired_row_by_row(crossed):
    data, fits = crossed
    eta = {name: draws_of(fits[name], "Intercept")[:, None] for name in fits}
    for name in ("x", "z"):
        eta[name] = eta[name] + draws_of(fits[name], name)[:, None] * data[name].to_numpy()
    eta["groups"] = eta["groups"] + draws_of(fits["groups"], "1|g")[:, data["g"].map(list("abcd").index).to_numpy()]
    raw = {name: raw_elpd(fits[name], own, data["y"]) for name, own in eta.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = azs.compare(raw, round_to="none")
    found = hm.compare(fits, max_refits=0, progress=False)
    assert len(found.pointwise) == len(data.drop_duplicates()) < 150
    assert list(found.table.index) == list(expected.index)
    for name in ("elpd", "se", "p", "elpd_diff", "dse"):
        np.testing.assert_allclose(found.table[name], expected[name].astype(float), rtol=1e-7, err_msg=name)
    np.testing.assert_allclose(found.table["weight"], expected["weight"].astype(float), atol=1e-6)


def test_rows_and_cells_are_paired_too(country_fit):
    formula = "success ~ treated + (1 + treated | country)"
    rows = hm.model(formula, hm.example("country"), compress=False).with_draws(country_fit.idata)
    table = hm.compare({"cells": country_fit, "rows": rows}, progress=False).table
    np.testing.assert_allclose(table["elpd_diff"], 0.0, atol=1e-9)
    assert list(table["verdict"]) == ["best, but not clearly", "the same predictions"] or table["dse"].max() < 1e-9


def test_cells_that_average_are_paired_by_the_data():
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"x": rng.normal(size=300), "g": np.repeat(list("abc"), 100), "t": rng.integers(0, 2, 300)})
    data["y"] = rng.normal(size=300)
    models = {text: hm.model(f"y ~ {text} + (1 | g)", data) for text in ("poly(x, 2)", "t", "scale(x) * t")}
    aligned = align({name: model._defined.spec for name, model in models.items()}, data)
    assert aligned.times.sum() == 300
    for rows in aligned.models:
        np.testing.assert_array_equal(np.bincount(rows.place, aligned.times), rows.seen.times)
        np.testing.assert_array_equal(rows.seen.responses[rows.place], aligned.responses)


def test_stored_fits_are_paired_by_data_that_is_given(crossed, tmp_path):
    data, fits = crossed
    stored = {}
    for name, fit in fits.items():
        fit.save(tmp_path / f"{name}.nc")
        stored[name] = hm.load(tmp_path / f"{name}.nc")
    with pytest.raises(hm.errors.AnswerError, match=r"which stored fits do not hold. Give it: hm.compare\(..., data="):
        hm.compare(stored)
    again = hm.compare(stored, data.sample(frac=1.0, random_state=1), max_refits=0, progress=False)
    pd.testing.assert_frame_equal(again.table, hm.compare(fits, max_refits=0, progress=False).table)


def test_other_rows_are_refused_by_what_differs(crossed):
    data, fits = crossed
    fewer = with_made_up_draws(hm.model("y ~ x", data[:-1]))
    with pytest.raises(
        hm.errors.AnswerError, match=r"'x' was fitted to 150 rows, 'fewer' to 149. Fit both to the same"
    ):
        hm.compare({"x": fits["x"], "fewer": fewer})
    holes = data.assign(w=np.where(np.arange(150) < 7, np.nan, np.arange(150) % 2))
    missing = with_made_up_draws(hm.model("y ~ w", holes))
    with pytest.raises(
        hm.errors.AnswerError, match=r"to 143. Rows with missing values.*differ in 'w', 'x'. Drop these"
    ):
        hm.compare({"x": fits["x"], "w": missing})
    other = with_made_up_draws(hm.model("y ~ z", data.assign(y=data["y"].to_numpy()[::-1])))
    with pytest.raises(
        hm.errors.AnswerError, match=r"'z' was fitted to other rows than these: 150 rows there, 150 here"
    ):
        hm.compare({"x": fits["x"], "z": other})


def test_missing_groups_are_refused_by_their_column(crossed):
    data, fits = crossed
    holes = data.assign(city=np.where(np.arange(150) < 3, None, data["g"]))
    again = {"x": hm.model("y ~ x", holes).with_draws(fits["x"].idata)}
    with pytest.raises(hm.errors.AnswerError, match=r"147 rows are complete.*needed; values are missing in 'city'"):
        hm.compare(again, method="logo", group="city", progress=False)


def test_other_responses_are_refused():
    data = pd.DataFrame({"y": np.arange(1, 31), "x": np.arange(30) % 2})
    plain = with_made_up_draws(hm.model("y ~ x", data))
    log = with_made_up_draws(hm.model("log(y) ~ x", data))
    counts = with_made_up_draws(hm.model("y ~ x", data, family="poisson"))
    with pytest.raises(hm.errors.AnswerError, match=r"'a' and 'b' have different responses: y \(.*log\(y\)"):
        hm.compare({"a": plain, "b": log})
    with pytest.raises(hm.errors.AnswerError, match=r"densities of numbers\) and y \(poisson, probabilities of counts"):
        hm.compare({"a": plain, "b": counts})


def test_a_point_of_its_own_probability_is_another_measure():
    """The density of a number above 0 is the same with and without zeros; that of 0 is a probability with them."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"y": rng.gamma(2.0, 1.0, 40) * rng.integers(0, 2, 40), "x": rng.normal(size=40)})
    names = ("hurdle_gamma", "gaussian", "hurdle_lognormal")
    fits = {family: with_made_up_draws(hm.model("y ~ x", frame, family)) for family in names}
    with pytest.raises(hm.errors.AnswerError, match=r"above 0, and the probability of 0\) and y \(gaussian, densities"):
        hm.compare({name: fits[name] for name in ("hurdle_gamma", "gaussian")})
    table = hm.compare({name: fits[name] for name in ("hurdle_gamma", "hurdle_lognormal")}, max_refits=0).table
    assert set(table.index) == {"hurdle_gamma", "hurdle_lognormal"}


def test_families_of_one_response_are_compared():
    data = pd.DataFrame({"y": np.arange(120) % 7, "x": np.arange(120) % 2})
    fits = {family: with_made_up_draws(hm.model("y ~ x", data, family=family)) for family in ("poisson", "negbinomial")}
    table = hm.compare(fits, max_refits=0, progress=False).table
    for name, fit in fits.items():
        np.testing.assert_allclose(table.loc[name, "elpd"], fit.loo().elpd, rtol=1e-12)


VERDICTS = [
    (-30.0, 5.0, "worse by 6.0 SE"), (-6.0, 5.0, "not clearly worse: 1.2 SE"),
    (-3.0, 0.5, "predicts about as well: the difference is under 4 (6.0 SE)"), (0.0, 0.0, "the same predictions"),
]  # fmt: skip


@pytest.mark.parametrize(("difference", "error", "verdict"), VERDICTS)
def test_verdicts(difference, error, verdict):
    n = 200
    step = np.where(np.arange(n) % 2, 1.0, -1.0) * error / np.sqrt(n)
    found = compared(made_up_scores([np.full(n, -1.0), -1.0 + difference / n + step]))
    assert list(found.table["verdict"])[-1] == verdict
    assert found.table["verdict"].iloc[0] == ("best" if verdict.startswith("worse") else "best, but not clearly")
    assert found.caution == ""


def test_what_limits_a_score_is_said():
    elpd = np.full((3, 30), -1.0)
    elpd[1] -= 0.5 + 0.01 * (np.arange(30) % 2)
    elpd[2] -= 1.0
    found = compared(made_up_scores(elpd, unreliable=(0, 3, 0), refits=(0, 0, 1)))
    assert found.table.loc["b", "verdict"].endswith("; not reliable: Pareto k too high for 3 rows")
    assert found.table.loc["c", "verdict"].endswith("; 1 row left out by refits (Pareto k)")
    assert repr(found).endswith("30 rows only: standard errors are too small, and not to be relied on.")
    assert repr(found).startswith("leave-one-out, 30 rows;")


@pytest.mark.parametrize(
    ("count", "errors", "clear"), [(2, 19.0, False), (2, 20.5, True), (15, 2.2, False), (15, 2.4, True)]
)
def test_few_groups_need_more_standard_errors(count, errors, clear):
    """As many as are as rare by Student's t of ordinary standard errors as two are by a normal distribution."""
    step = np.arange(count) - (count - 1) / 2
    difference = 10.0 + step * 10.0 * np.sqrt(count) / errors / step.std()
    found = compared(made_up_scores([np.zeros(count), -difference], method="logo", units="groups"))
    ratio = stats.ttest_1samp(difference, 0.0).statistic
    assert (stats.t.sf(ratio, count - 1) < stats.norm.sf(2.0)) == clear
    assert found.table["verdict"].iloc[0] == ("best" if clear else "best, but not clearly")
    assert found.table["verdict"].iloc[1] == f"{'worse by' if clear else 'not clearly worse:'} {errors:.1f} SE"


def test_one_row_tells_nothing():
    found = compared(made_up_scores([[-1.0], [-30.0]]))
    assert list(found.table["verdict"]) == ["best, but not clearly", "not clearly worse: the same everywhere"]
    assert found.caution.startswith("1 row only")


def test_html_is_escaped_and_says_what_limits_the_table():
    scores = made_up_scores([[-1.0, -2.0]])
    object.__setattr__(scores, "names", ("<b>x</b>",))
    html = compared(scores)._repr_html_()
    assert "<b>x" not in html
    assert html.startswith("<p>leave-one-out, 2 rows; ")
    assert html.endswith("<p><strong>2 rows only: standard errors are too small, and not to be relied on.</strong></p>")


WRONG = [
    ({"method": "waic"}, r"method='waic': there is 'loo', 'kfold' and 'logo'"),
    ({"method": "kfold", "by": "g", "stratify": "x"}, "give one of them"),
    ({"by": "g"}, r"by= belongs to method='kfold', and the method here is 'loo'"),
    ({"max_refits": -1}, r"max_refits=-1: a whole number from 0 on"),
    ({"family": "poisson"}, r"family= is for formulas, and all models here are fitted"),
    ({"method": "kfold", "k": 1}, r"k=1: a whole number from 2 on"),
    ({"method": "kfold", "k": 151}, r"k=151: a whole number of folds from 2 to 150, the number of rows"),
    ({"method": "kfold", "by": "g", "k": 5}, r"k=5: a whole number of folds from 2 to 4, the number of groups"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG)
def test_wrong_arguments(crossed, arguments, message):
    with pytest.raises(hm.errors.AnswerError, match=message):
        hm.compare(crossed[1], progress=False, **arguments)
